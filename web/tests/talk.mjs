// What people do with messages: answer, react, rewrite, delete; and messages that are neither text nor file.
import assert from 'node:assert/strict';
import { inspect, picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { SHOP, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const CARD = 'BEGIN:VCARD\nVERSION:3.0\nN:;Sari;;;\nFN:Sari\nTEL;type=CELL;waid=6281311113333:+62 813-1111-3333\nEND:VCARD';

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const page = await context.newPage();
  const inbox = async () => api('GET', `/sandbox/phones/${BUDI.phone}/messages`);
  const writes = async (content) => (await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: SHOP.phone, ...content })).id;
  const arrives = (what, is) => until(what, async () => (await inbox()).find(is));
  const chat = `/devices/${device}/chat?with=${BUDI.phone}%40s.whatsapp.net`;
  // A message that quotes the text is another one.
  const bubble = (text) => page.locator('.bubble[data-message]', { hasText: text, hasNot: page.locator('button', { hasText: text }) });
  const choose = async (text, action) => {
    const line = page.locator('.line', { has: bubble(text) });
    await line.hover();
    await line.getByRole('button', { name: 'Pilihan untuk pesan ini' }).click();
    await line.getByRole('button', { name: action, exact: true }).click();
  };
  let question = '';

  await check('an answer shows what it answers, on the phone too', async () => {
    question = await writes({ text: 'Masih ada mawar?' });
    await page.goto(chat);
    await choose('Masih ada mawar?', 'Balas');
    await page.getByText('Membalas Budi').waitFor();
    await picture(page, 'answering');
    await page.keyboard.type('Masih, Kak');
    await page.keyboard.press('Enter');
    const seen = await arrives('the answer', ({ text }) => text === 'Masih, Kak');
    assert.equal(seen.target, question);
    await bubble('Masih, Kak').getByRole('button', { name: /Budi\s*Masih ada mawar\?/ }).waitFor();
  });

  await check('Escape gives an answer up', async () => {
    await choose('Masih ada mawar?', 'Balas');
    await page.getByText('Membalas Budi').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Membalas Budi').waitFor({ state: 'detached' });
  });

  await check('a message that arrives does not take an open menu away', async () => {
    const line = page.locator('.line', { has: bubble('Masih ada mawar?') });
    await line.getByRole('button', { name: 'Pilihan untuk pesan ini' }).click();
    await writes({ text: Array.from({ length: 40 }, (_, index) => `Baris ${index + 1}`).join('\n') });
    await page.locator('.bubble', { hasText: 'Baris 40' }).waitFor();
    await line.getByRole('button', { name: 'Balas', exact: true }).click();
    await page.getByText('Membalas Budi').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Membalas Budi').waitFor({ state: 'detached' });
  });

  await check('a reaction reaches the phone, and those of the phone show', async () => {
    await choose('Masih ada mawar?', '👍');
    await arrives('the reaction', ({ type, text, target }) => type === 'reaction' && text === '👍' && target === question);
    await bubble('Masih ada mawar?').getByText('👍', { exact: true }).waitFor();
    const answer = (await inbox()).find(({ text }) => text === 'Masih, Kak');
    await writes({ reaction: { id: answer.id, emoji: '🙏' } });
    await bubble('Masih, Kak').getByText('🙏', { exact: true }).waitFor();
    await writes({ reaction: { id: answer.id, emoji: '' } });
    await bubble('Masih, Kak').getByText('🙏', { exact: true }).waitFor({ state: 'detached' });
  });

  await check('a text is rewritten, and one of the phone follows its change', async () => {
    await choose('Masih, Kak', 'Ubah');
    await page.getByText('Mengubah pesan').waitFor();
    await page.getByPlaceholder('Ketik pesan').fill('Masih, sepuluh ikat');
    await page.keyboard.press('Enter');
    await arrives('the change', ({ type, text }) => type === 'edit' && text === 'Masih, sepuluh ikat');
    await bubble('Masih, sepuluh ikat').getByText('Diubah').waitFor();
    await writes({ text: 'Masih ada mawar putih?', edit: question });
    await bubble('Masih ada mawar putih?').getByText('Diubah').waitFor();
  });

  await check('the head of the chat says who types, and who is there', async () => {
    const doing = page.locator('[data-doing]');
    const does = (state, to) => api('POST', `/sandbox/phones/${BUDI.phone}/presence`, { state, to });
    await does('typing', SHOP.phone);
    await doing.getByText('mengetik…').waitFor();
    await does('recording', SHOP.phone);
    await doing.getByText('merekam suara…').waitFor();
    await does('paused', SHOP.phone);
    await does('available');
    await doing.getByText('online', { exact: true }).waitFor();
    await does('unavailable');
    await doing.getByText('online', { exact: true }).waitFor({ state: 'detached' });
  });

  await check('the page behind a link is shown as it describes itself', async () => {
    const url = 'https://bunga.contoh.id/katalog';
    await writes({ text: `Lihat ${url}`, preview: { url, title: 'Katalog bunga', description: 'Mawar, melati, krisan' } });
    const card = page.getByRole('link', { name: /Katalog bunga/ });
    await card.getByText('bunga.contoh.id', { exact: true }).waitFor();
    assert.equal(await card.getAttribute('href'), url);
  });

  await check('a place, a card and a poll with its votes are drawn', async () => {
    await writes({ location: { latitude: -6.1754, longitude: 106.8272, name: 'Monas', address: 'Jakarta Pusat' } });
    await bubble('Monas').getByRole('link', { name: /Lihat di peta/ }).waitFor();
    await writes({ contacts: [{ name: 'Sari', vcard: CARD }] });
    await page.locator('.bubble').getByRole('link', { name: '+62 813-1111-3333' }).waitFor();
    const poll = await writes({ poll: { question: 'Antar hari apa?', options: ['Sabtu', 'Minggu'], selectable: 1 } });
    await bubble('Antar hari apa?').getByText('0 orang memilih').waitFor();
    await writes({ vote: { id: poll, options: ['Minggu'] } });
    await bubble('Antar hari apa?').getByText('1 orang memilih').waitFor();
    await picture(page, 'kinds');
  });

  await check('a star is set on the phone, too, and taken back', async () => {
    const starred = async () => (await api('GET', `/sandbox/phones/${SHOP.phone}/chats`)).some(({ starred }) => starred.length > 0);
    await choose('Masih ada mawar putih?', 'Beri bintang');
    await bubble('Masih ada mawar putih?').getByRole('img', { name: 'Berbintang' }).waitFor();
    await until('the star on the phone', starred);
    await choose('Masih ada mawar putih?', 'Hapus bintang');
    await bubble('Masih ada mawar putih?').getByRole('img', { name: 'Berbintang' }).waitFor({ state: 'detached' });
  });

  await check('a message is forwarded to another number', async () => {
    await choose('Masih ada mawar putih?', 'Teruskan');
    const dialog = page.locator('dialog');
    assert.ok(await dialog.getByRole('button', { name: 'Teruskan' }).isDisabled());
    await dialog.getByLabel('Nomor WhatsApp').fill(SARI.phone);
    await picture(page, 'forwarding');
    assert.deepEqual(await inspect(page), []);
    await page.keyboard.press('Enter');
    await page.getByText('Pesan diteruskan').waitFor();
    const theirs = () => api('GET', `/sandbox/phones/${SARI.phone}/messages`);
    const seen = await until('the message at its new place', async () => (await theirs())[0]);
    assert.deepEqual([seen.text, seen.forwarded], ['Masih ada mawar putih?', true]);
  });

  await check('a chat is pinned, muted and archived with the keyboard, on the phone too', async () => {
    const onPhone = async () => (await api('GET', `/sandbox/phones/${SHOP.phone}/chats`)).find(({ chat }) => chat === BUDI.phone);
    const set = async (action) => {
      await page.getByRole('button', { name: 'Pilihan untuk chat ini' }).press('Enter');
      await page.getByRole('button', { name: action, exact: true }).press('Enter');
    };
    const row = page.locator(`[data-chat^="${BUDI.phone}"]`);
    await set('Sematkan');
    await row.getByRole('img', { name: 'Disematkan' }).waitFor();
    await set('Bisukan');
    await row.getByRole('img', { name: 'Dibisukan' }).waitFor();
    await set('Arsipkan');
    await page.getByText('Diarsipkan (1)').waitFor();
    await until('all of it on the phone', async () => {
      const chat = await onPhone();
      return chat?.archived && chat.mutedUntil === -1;
    });
    await picture(page, 'archived');
    // What the phone changes shows here.
    await api('PATCH', `/sandbox/phones/${SHOP.phone}/chats`, { chat: BUDI.phone, archived: false, mutedUntil: 0 });
    await page.getByText('Diarsipkan (1)').waitFor({ state: 'detached' });
    await row.getByRole('img', { name: 'Dibisukan' }).waitFor({ state: 'detached' });
  });

  await check('a message is deleted for everyone, after a question', async () => {
    await choose('Masih, sepuluh ikat', 'Hapus untuk semua');
    await page.locator('dialog').getByRole('button', { name: 'Hapus untuk semua' }).click();
    await arrives('the deletion', ({ type }) => type === 'revoke');
    await bubble('Pesan ini dihapus').waitFor();
  });

  await lookAtPages(stage, [['talk', chat, '.bubble']], await context.storageState());
}
