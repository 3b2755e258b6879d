// Looking back: the chats of a day, messages found by their words, and the figures of a device.
import assert from 'node:assert/strict';
import { picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, SHOP, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const LONG = `${'Selamat siang, kami dari panitia. '.repeat(12)}Mohon kirim krisan putih ke aula.`;

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const page = await context.newPage();
  const devicePath = `${BASE}/devices/${device}`;
  const writes = (phone, text) => api('POST', `/sandbox/phones/${phone}/messages`, { to: SHOP.phone, text });

  await check('before the first message the pages say that there is none', async () => {
    await page.goto('/chat-history');
    await page.getByText('Tidak ada chat', { exact: true }).waitFor();
    await page.getByLabel('Cari kata di pesan').fill('mawar');
    await page.getByText('Tidak ada pesan dengan kata itu').waitFor();
    await page.goto(`/devices/${device}/statistics`);
    await page.getByText('Belum ada pesan di rentang ini.').waitFor();
  });

  await check('the chats of today stand there with their numbers', async () => {
    await writes(BUDI.phone, 'Ada MAWAR merah, Kak?');
    await writes(SARI.phone, LONG);
    for (let count = 1; count <= 3; count += 1) {
      await api('POST', `${devicePath}/send-message`, { to: BUDI.phone, message: `Ada, ${count} ikat mawar.` });
    }
    // Both phones' messages: the chat with Budi is there from the first answer on.
    const arrived = async () => {
      const { chats } = (await api('GET', `${devicePath}/chats`)).data;
      return chats.length === 2 && chats.every(({ unreadCount }) => unreadCount === 1);
    };
    await until('both chats', arrived);
    await page.goto('/chat-history');
    const row = page.locator(`[data-chat^="${BUDI.phone}"]`);
    await row.getByText('Budi').waitFor();
    assert.deepEqual((await row.locator('td').allInnerTexts()).slice(1, 5), ['1', '3', '1', '100%']);
    await page.getByRole('button', { name: 'Hari sebelumnya' }).click();
    await page.getByText('Tidak ada chat', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Hari berikutnya' }).click();
    await row.waitFor();
  });

  await check('words are found in any spelling, and the address keeps them', async () => {
    await page.getByLabel('Cari kata di pesan').fill('mawar');
    await until('four hits', async () => (await page.locator('[data-hit]').count()) === 4);
    await page.locator('mark', { hasText: /^MAWAR$/ }).waitFor();
    await page.reload();
    await until('four hits again', async () => (await page.locator('[data-hit]').count()) === 4);
    await page.getByLabel('Sampai tanggal').fill('2020-01-01');
    await page.getByText('Tidak ada pesan dengan kata itu').waitFor();
    await page.getByRole('button', { name: 'Tampilkan semua' }).click();
    await until('four hits once more', async () => (await page.locator('[data-hit]').count()) === 4);
    await picture(page, 'search');
  });

  await check('what was found late in a long text shows, and leads to its place in the chat', async () => {
    await page.getByLabel('Cari kata di pesan').fill('krisan put');
    const hit = page.locator('[data-hit]');
    await until('one hit', async () => (await hit.count()) === 1);
    await until('both words to be marked', async () => (await hit.locator('mark').allInnerTexts()).join(' ') === 'krisan putih');
    await hit.click();
    await page.waitForURL('**/chat?with=*&at=*');
    await page.locator('li.found .bubble', { hasText: 'krisan putih' }).waitFor();
  });

  await check('the figures of a device add up, as a picture and as a table', async () => {
    await page.goto(`/devices/${device}`);
    await page.locator('dialog').getByRole('link', { name: 'Statistik' }).click();
    await page.getByRole('heading', { name: 'Pesan per hari' }).waitFor();
    const days = page.getByRole('region', { name: 'Pesan per hari' });
    await days.getByText('Lihat angkanya sebagai tabel').click();
    const today = days.locator('tbody tr').last().locator('td');
    await until('two in and three out', async () => (await today.allInnerTexts()).join(' ') === '2 3');
    const hours = page.getByRole('region', { name: 'Pesan per jam' });
    await hours.getByText('2 masuk, 3 keluar, 2 chat aktif').waitFor();
    await page.getByLabel('Rentang waktu').selectOption('30');
    await until('thirty days', async () => (await days.locator('tbody tr').count()) === 30);
    await days.locator('.place').first().click();
    await hours.getByText('0 masuk, 0 keluar, 0 chat aktif').waitFor();
    await picture(page, 'statistics');
  });

  await check('the overview counts what went out and came in today', async () => {
    await page.goto('/dashboard');
    for (const [label, value] of [['Terkirim hari ini', '3'], ['Diterima hari ini', '2']]) {
      const tile = page.locator('.card', { hasText: label });
      await until(`${label} ${value}`, async () => (await tile.locator('.value').innerText()) === value);
    }
  });

  await lookAtPages(
    stage,
    [
      ['history', '/chat-history', '[data-chat]'],
      ['found', '/chat-history?search=mawar', '[data-hit]'],
      ['statistics', `/devices/${device}/statistics?days=30`, '.plot'],
    ],
    await context.storageState(),
  );
}
