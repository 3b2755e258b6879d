// What a chat can send besides text and files: places, contact cards, polls, and voice notes spoken into the browser.
import assert from 'node:assert/strict';
import { inspect, picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, linkedShop } from './support/linked.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const MONAS = { latitude: -6.1754, longitude: 106.8272 };
const LISTEN_MS = 90_000;
const PHONE = { width: 360, height: 760 };
const DESK = { width: 1280, height: 900 };

await run(walk);

async function walk({ kurir, browser, troubles, check }) {
  const context = await profile(browser, kurir.base, troubles, {
    geolocation: MONAS,
    permissions: ['geolocation', 'microphone'],
    reducedMotion: 'reduce',
  });
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const page = await context.newPage();
  const inbox = async () => api('GET', `/sandbox/phones/${BUDI.phone}/messages`);
  const arrives = (what, is) => until(what, async () => (await inbox()).find(is));
  const dialog = page.locator('dialog');
  const attach = async (what) => {
    await page.getByRole('button', { name: 'Lampirkan' }).click();
    await page.getByRole('button', { name: what, exact: true }).click();
  };
  const send = () => dialog.getByRole('button', { name: 'Kirim', exact: true });
  /** Looks at what is open on a desk and on a phone. */
  const look = async (name) => {
    for (const [size, viewport] of Object.entries({ 1280: DESK, 360: PHONE })) {
      await page.setViewportSize(viewport);
      assert.deepEqual(await inspect(page), []);
      await picture(page, `${name}-${size}`);
    }
    await page.setViewportSize(DESK);
  };

  await check('a place is sent from where the browser is', async () => {
    await page.goto(`/devices/${device}/chat?with=${BUDI.phone}%40s.whatsapp.net`);
    await attach('Lokasi');
    await dialog.getByLabel('Koordinat').fill('dekat Monas');
    await dialog.getByText('Ini bukan koordinat').waitFor();
    assert.ok(await send().isDisabled());
    await dialog.getByRole('button', { name: 'Pakai posisi saya' }).click();
    await dialog.getByText('Lintang -6,1754, bujur 106,8272').waitFor();
    await dialog.getByLabel('Nama tempat').fill('Toko Melati');
    await look('compose-place');
    await send().click();
    await dialog.waitFor({ state: 'detached' });
    const { location } = await arrives('the place', ({ type }) => type === 'location');
    assert.deepEqual([location.latitude, location.longitude, location.name], [MONAS.latitude, MONAS.longitude, 'Toko Melati']);
    await page.locator('.bubble.mine', { hasText: 'Toko Melati' }).getByRole('link', { name: /Lihat di peta/ }).waitFor();
  });

  await check('coordinates are read as maps and people write them', async () => {
    await attach('Lokasi');
    const typed = ['https://www.google.com/maps/@-6.1754,106.8272,17z', '-6,1754; 106,8272', ' -6.1754 , 106.8272 '];
    for (const text of typed) {
      await dialog.getByLabel('Koordinat').fill(text);
      await dialog.getByText('Lintang -6,1754, bujur 106,8272').waitFor();
    }
    await dialog.getByLabel('Koordinat').fill('-96.1754, 106.8272');
    await dialog.getByText('Ini bukan koordinat').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await check('the card of a saved contact is sent, as an answer', async () => {
    const question = (await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: '6281211112222', text: 'Nomor Sari berapa?' })).id;
    await api('POST', `${BASE}/contacts`, { name: 'Sari Dewi', phoneNumber: SARI.phone });
    const line = page.locator('.line', { has: page.locator('.bubble', { hasText: 'Nomor Sari' }) });
    await line.hover();
    await line.getByRole('button', { name: 'Pilihan untuk pesan ini' }).click();
    await line.getByRole('button', { name: 'Balas', exact: true }).click();
    await attach('Kontak');
    await dialog.getByLabel('Cari di kontak tersimpan').fill('sari');
    await dialog.getByRole('button', { name: 'Sari Dewi' }).click();
    await look('compose-card');
    await send().click();
    await dialog.waitFor({ state: 'detached' });
    const seen = await arrives('the card', ({ type }) => type === 'contact');
    assert.equal(seen.target, question);
    assert.match(seen.contacts[0].vcard, /6281311113333/);
    await page.locator('.bubble.mine').getByRole('link', { name: '+62 813-1111-3333' }).waitFor();
    await page.getByText('Membalas Budi').waitFor({ state: 'detached' });
  });

  await check('a poll is asked, and its votes come back', async () => {
    await attach('Polling');
    await dialog.getByLabel('Pertanyaan').fill('Antar hari apa?');
    await dialog.getByLabel('Pilihan 1').fill('Sabtu');
    await dialog.getByLabel('Pilihan 2').fill('Sabtu');
    await dialog.getByText('Ada pilihan yang sama').waitFor();
    assert.ok(await send().isDisabled());
    await dialog.getByLabel('Pilihan 2').fill('Minggu');
    await dialog.getByLabel('Pilihan 3').fill('Senin');
    await dialog.getByLabel('Pilihan 4').waitFor();
    await dialog.getByLabel('Boleh memilih lebih dari satu').check();
    await look('compose-poll');
    await send().click();
    await dialog.waitFor({ state: 'detached' });
    const { id, poll } = await arrives('the poll', ({ type }) => type === 'poll');
    assert.deepEqual(poll.options, ['Sabtu', 'Minggu', 'Senin']);
    const bubble = page.locator('.bubble.mine', { hasText: 'Antar hari apa?' });
    await bubble.waitFor();
    await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: '6281211112222', vote: { id, options: ['Minggu', 'Senin'] } });
    await bubble.getByText('1 orang memilih').waitFor();
    await picture(page, 'composed');
  });

  await check('a voice note is spoken, given up with Escape, spoken again and sent', async () => {
    const microphone = page.getByRole('button', { name: 'Rekam pesan suara' });
    await microphone.click();
    await page.getByRole('timer').waitFor();
    await look('compose-voice');
    await page.keyboard.press('Escape');
    await microphone.waitFor();
    await microphone.click();
    await until('two seconds of sound', async () => (await page.getByRole('timer').innerText()) >= '0:02');
    await page.getByRole('button', { name: 'Kirim rekaman' }).click();
    // A debug build takes its time to listen to it.
    const isVoice = ({ type }) => type === 'voice';
    const seen = await until('the voice note', async () => (await inbox()).find(isVoice), LISTEN_MS);
    assert.ok(seen.seconds >= 1, `${seen.seconds} s`);
    assert.match(seen.mimetype, /^audio\/ogg/);
    const loudness = Buffer.from(seen.waveform, 'base64');
    assert.ok(Math.max(...loudness) > 20, 'the beeps of the browser were heard');
    await page.getByRole('group', { name: 'Pesan suara' }).locator('rect').nth(63).waitFor();
    await page.getByPlaceholder('Ketik pesan').waitFor();
  });

  await check('what was recorded plays in the browser', async () => {
    const note = page.getByRole('group', { name: 'Pesan suara' });
    const length = await note.locator('audio').evaluate(async (sound) => {
      sound.load();
      await new Promise((done, fail) => {
        sound.onloadedmetadata = done;
        sound.onerror = () => fail(new Error(sound.error.message));
      });
      return sound.duration;
    });
    assert.ok(length > 0.5, `${length} s`);
  });

  await check('a denied microphone is said in words', async () => {
    await context.clearPermissions();
    await page.getByRole('button', { name: 'Rekam pesan suara' }).click();
    await page.getByText('Mikrofon tidak dapat dipakai').waitFor();
  });
}
