// Files: out of the composer and to many at once, in from phones, and how the chat shows them.
import assert from 'node:assert/strict';
import { picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { SHOP, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const PAPER = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
const PAPER_NAME = 'Daftar harga bunga potong dan rangkaian untuk pernikahan, wisuda, dan acara kantor 2026.pdf';
/** The first page of an Ogg stream with Opus in it; enough to be taken for a voice note. */
const VOICE = Buffer.concat([Buffer.from('OggS\0\x02'), Buffer.alloc(20), Buffer.from([1, 19]), Buffer.from('OpusHead\x01\x01'), Buffer.alloc(9)]);
const LOUDNESS = Buffer.from(Array.from({ length: 64 }, (_, index) => Math.round(50 + 45 * Math.sin(index / 4))));

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles, { acceptDownloads: true });
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const page = await context.newPage();
  const photo = await drawn(context);
  const inbox = async (phone) => api('GET', `/sandbox/phones/${phone}/messages`);
  const writes = (phone, content) => api('POST', `/sandbox/phones/${phone}/messages`, { to: SHOP.phone, ...content });
  const chat = `/devices/${device}/chat?with=${BUDI.phone}%40s.whatsapp.net`;
  const picker = page.locator('input[type=file]');

  await check('a photo from the composer reaches the phone with its caption', async () => {
    await page.goto(chat);
    await page.getByRole('button', { name: 'Lampirkan' }).waitFor();
    await picker.setInputFiles({ name: 'mawar.jpg', mimeType: 'image/jpeg', buffer: photo });
    await page.locator('[data-file="mawar.jpg"]').waitFor();
    await page.getByPlaceholder('Tambahkan keterangan').fill('Mawar pagi ini');
    await picture(page, 'photo-chosen');
    await page.keyboard.press('Enter');
    await page.locator('[data-file]').waitFor({ state: 'detached' });
    const seen = await until('the photo to arrive', async () => (await inbox(BUDI.phone)).find(({ type }) => type === 'image'));
    assert.deepEqual([seen.caption, seen.size, seen.deliveries], ['Mawar pagi ini', photo.length, 1]);
    const bubble = page.locator('.bubble.mine[data-message]', { hasText: 'Mawar pagi ini' });
    await bubble.getByRole('button', { name: 'Perbesar: Mawar pagi ini' }).waitFor();
    await loaded(bubble);
  });

  await check('a photo that opens once says so, on the phone too', async () => {
    await picker.setInputFiles({ name: 'bukti.jpg', mimeType: 'image/jpeg', buffer: photo });
    await page.getByLabel('Hanya bisa dibuka sekali').check();
    await page.getByRole('button', { name: 'Kirim', exact: true }).click();
    await page.locator('[data-file]').waitFor({ state: 'detached' });
    await until('the photo to arrive', async () => (await inbox(BUDI.phone)).find(({ viewOnce }) => viewOnce));
    await page.locator('.bubble.mine[data-message]', { hasText: 'Sekali lihat' }).waitFor();
    await picker.setInputFiles({ name: 'harga.pdf', mimeType: 'application/pdf', buffer: PAPER });
    await page.locator('[data-file="harga.pdf"]').waitFor();
    assert.equal(await page.getByLabel('Hanya bisa dibuka sekali').count(), 0);
    await page.getByRole('button', { name: 'Buang berkas' }).click();
  });

  await check('a file that cannot be sent is refused before it is uploaded', async () => {
    await picker.setInputFiles({ name: 'program.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ') });
    await page.getByText('program.exe bukan jenis yang dapat dikirim').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Kirim', exact: true }).isDisabled(), true);
    await picker.setInputFiles({ name: 'kosong.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(0) });
    await page.getByText('kosong.pdf kosong.').waitFor();
  });

  await check('a photo from a phone comes up by itself, and a click shows it large', async () => {
    await writes(BUDI.phone, { media: { type: 'image', base64: photo.toString('base64'), mimetype: 'image/jpeg', caption: 'Yang seperti ini', width: 640, height: 400 } });
    const bubble = page.locator('.bubble:not(.mine)', { hasText: 'Yang seperti ini' });
    await loaded(bubble);
    await bubble.getByRole('button').click();
    const large = page.locator('dialog');
    await large.getByRole('link', { name: 'Simpan' }).waitFor();
    await picture(page, 'photo-large');
    await page.keyboard.press('Escape');
    await large.waitFor({ state: 'detached' });
  });

  await check('a document is named, and saved under its name', async () => {
    await writes(BUDI.phone, { media: { type: 'document', base64: PAPER.toString('base64'), mimetype: 'application/pdf', fileName: PAPER_NAME } });
    const paper = page.getByRole('link', { name: 'Simpan' }).filter({ hasText: PAPER_NAME });
    await paper.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), paper.click()]);
    assert.equal(download.suggestedFilename(), PAPER_NAME);
  });

  await check('a voice note shows its waveform and length', async () => {
    await writes(BUDI.phone, { media: { type: 'voice', base64: VOICE.toString('base64'), mimetype: 'audio/ogg; codecs=opus', seconds: 75, waveform: LOUDNESS.toString('base64') } });
    const note = page.getByRole('group', { name: 'Pesan suara' });
    await note.getByText('1:15').waitFor();
    await until('its waveform', async () => (await note.locator('rect').count()) === 64);
    await note.getByRole('button', { name: 'Ubah kecepatan putar' }).click();
    await note.getByText('1,5×').waitFor();
  });

  await check('one file goes to many, each with a caption of its own', async () => {
    await page.goto('/chat-blast');
    await page.getByLabel('Nomor penerima').fill(`${BUDI.phone}, Budi\n${SARI.phone}, Sari`);
    await page.getByLabel('Pesan', { exact: true }).fill('Untuk {nama}');
    await picker.setInputFiles({ name: 'promo.jpg', mimeType: 'image/jpeg', buffer: photo });
    await page.locator('[data-file="promo.jpg"]').waitFor();
    await page.getByLabel('Jeda antarpesan').selectOption('1');
    await picture(page, 'blast-file');
    await page.getByRole('button', { name: 'Kirim 2 pesan' }).click();
    await page.waitForURL('**/jobs?job=*');
    await page.locator('dialog [data-status=completed]').waitFor({ timeout: 60_000 });
    for (const { phone, name } of [BUDI, SARI]) {
      const seen = await until('the picture to arrive', async () => (await inbox(phone)).find(({ caption }) => caption === `Untuk ${name}`));
      assert.equal(seen.type, 'image');
    }
  });

  await lookAtPages(stage, [['files', chat, '[data-type=documentMessage]']], await context.storageState());
}

/** A photo that no test depends on: what the browser draws. */
async function drawn(context) {
  const page = await context.newPage();
  await page.setViewportSize({ width: 640, height: 400 });
  await page.setContent('<body style="margin:0;height:400px;background:radial-gradient(circle at 60% 40%, #f7b2c4, #b3264e 40%, #24351a)">');
  const jpeg = await page.screenshot({ type: 'jpeg', quality: 80 });
  await page.close();
  return jpeg;
}

/** Waits until the picture of a bubble is there, not only its place. */
async function loaded(bubble) {
  const image = bubble.locator('button img');
  await image.waitFor();
  await until('the picture to load', () => image.evaluate((element) => element.complete && element.naturalWidth > 0));
}
