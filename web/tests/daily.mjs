// The daily work of a shop: an address book, templates, a blast to a tag, a plan for tomorrow, and what came of it all;
// then every page of it in both languages, both themes and two widths. Pictures land in tests/pictures.
import assert from 'node:assert/strict';
import { live, picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const HOUR_MS = 3_600_000;

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const page = await context.newPage();
  const inbox = async (phone) => (await api('GET', `/sandbox/phones/${phone}/messages`)).map(({ text }) => text);
  const arrives = async (phone, text) => {
    const there = async () => (await inbox(phone)).filter((one) => one === text);
    return (await until(`"${text}" to arrive`, async () => (await there()).length > 0)) && there();
  };

  await check('an empty address book says what to do, and takes a contact with a tag', async () => {
    await page.goto('/contacts');
    await page.getByText('Belum ada kontak').waitFor();
    await page.getByRole('link', { name: 'Kontak baru' }).first().click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Nama', { exact: true }).fill('Budi Santoso');
    await panel.getByLabel('Nomor', { exact: true }).fill('0813-1111-2222');
    await panel.getByLabel('Tag', { exact: true }).fill('pelanggan');
    await page.keyboard.press('Enter');
    await panel.locator('.tag', { hasText: 'pelanggan' }).waitFor();
    await panel.getByRole('button', { name: 'Simpan' }).click();
    const row = page.locator(`[data-contact="${BUDI.phone}"]`);
    await row.getByText('Budi Santoso').waitFor();
    await row.getByText('pelanggan').waitFor();
  });

  await check('a pasted list becomes contacts, and a wrong line is left out with its reason', async () => {
    await page.getByRole('link', { name: 'Tempel daftar' }).click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Nomor dan nama').fill(`${SARI.phone}, Sari Dewi\n081234500099, Agus\nbukan nomor`);
    await panel.getByText('1 bukan nomor', { exact: true }).waitFor();
    await panel.getByLabel('Tag', { exact: true }).fill('pelanggan');
    await panel.getByRole('button', { name: 'Simpan 2 kontak' }).click();
    await page.locator('[data-contact]').nth(2).waitFor();
  });

  await check('contacts are found by name and by tag, and the address keeps the search', async () => {
    await page.getByRole('searchbox').fill('sari');
    await page.waitForURL('**/contacts?search=sari');
    await page.locator(`[data-contact="${BUDI.phone}"]`).waitFor({ state: 'detached' });
    await page.reload();
    await page.locator(`[data-contact="${SARI.phone}"]`).waitFor();
    assert.equal(await page.locator('[data-contact]').count(), 1);
    await page.goto('/contacts?tag=pelanggan');
    await page.locator('[data-contact]').nth(2).waitFor();
  });

  await check('a contact is changed and another one deleted', async () => {
    await page.getByRole('link', { name: 'Agus' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Hapus kontak' }).click();
    await page.locator('dialog').last().getByRole('button', { name: 'Hapus kontak' }).click();
    await page.getByRole('link', { name: 'Agus' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Budi Santoso' }).click();
    await page.locator('dialog').getByLabel('Nama', { exact: true }).fill('Pak Budi');
    await page.locator('dialog').getByRole('button', { name: 'Simpan' }).click();
    await page.getByRole('link', { name: 'Pak Budi' }).waitFor();
  });

  await check('a template shows its variables while it is written', async () => {
    await page.goto('/templates');
    await page.getByRole('link', { name: 'Template baru' }).first().click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Nama', { exact: true }).fill('Pesanan siap');
    await panel.getByLabel('Pesan', { exact: true }).fill('Halo {{nama}}, pesanan {{barang}} sudah siap.');
    await panel.getByText('Variabel: nama, barang').waitFor();
    await panel.getByRole('button', { name: 'Simpan' }).click();
    await page.locator('[data-template="Pesanan siap"]').waitFor();
  });

  await check('a used template reaches the phone with its variables filled', async () => {
    await page.locator('[data-template="Pesanan siap"]').getByRole('link', { name: 'Pakai' }).click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Ke nomor').fill(BUDI.phone);
    await panel.getByLabel('nama', { exact: true }).fill('Budi');
    await panel.getByLabel('barang', { exact: true }).fill('mawar merah');
    await picture(page, 'template');
    await panel.getByRole('button', { name: 'Kirim', exact: true }).click();
    await panel.waitFor({ state: 'detached' });
    await arrives(BUDI.phone, 'Halo Budi, pesanan mawar merah sudah siap.');
  });

  await check('a blast to a tag fills names from the contacts and the rest from one value', async () => {
    await page.goto('/contacts?tag=pelanggan');
    await page.getByRole('link', { name: 'Kirim ke tag pelanggan' }).click();
    await page.locator('[data-valid="2"]').waitFor();
    await page.getByLabel('Mulai dari template').selectOption({ label: 'Pesanan siap' });
    await page.getByText('Tanpa isian, tertulis apa adanya: barang').waitFor();
    await page.getByLabel('barang', { exact: true }).fill('melati');
    await page.getByText('Halo Pak Budi, pesanan melati sudah siap.').waitFor();
    await page.getByLabel('Jeda antarpesan').selectOption('1');
    await picture(page, 'blast');
    await page.getByRole('button', { name: 'Kirim 2 pesan' }).click();
    await page.waitForURL('**/jobs?job=*');
    await page.locator('dialog [data-status=completed]').waitFor({ timeout: 60_000 });
    await arrives(SARI.phone, 'Halo Sari Dewi, pesanan melati sudah siap.');
  });

  await check('a blast whose answer was lost is not sent twice', async () => {
    const lost = `**${BASE}/devices/*/jobs/send-text`;
    const loseTheAnswer = async (route) => {
      await route.fetch();
      await route.abort();
    };
    await page.route(lost, loseTheAnswer, { times: 1 });
    await page.goto('/chat-blast');
    await page.getByLabel('Nomor penerima').fill(BUDI.phone);
    await page.getByLabel('Pesan', { exact: true }).fill('Hanya sekali');
    await page.getByRole('button', { name: 'Kirim 1 pesan' }).click();
    await page.locator('form [role=alert]').waitFor();
    await page.getByRole('button', { name: 'Kirim 1 pesan' }).click();
    await page.waitForURL('**/jobs?job=*');
    await page.locator('dialog [data-status=completed]').waitFor({ timeout: 60_000 });
    assert.equal((await arrives(BUDI.phone, 'Hanya sekali')).length, 1);
    // The browser reports the answer that this test has lost.
    troubles.splice(0);
  });

  await check('headings over pasted numbers become variables', async () => {
    await page.goto('/chat-blast');
    await page.getByLabel('Nomor penerima').fill(`nomor;nama;tagihan\n${BUDI.phone};Budi;Rp150.000`);
    await page.getByText('Kolom: {nomor} {nama} {tagihan}').waitFor();
    await page.getByLabel('Pesan', { exact: true }).fill('{nama}, tagihan Anda {tagihan}.');
    await page.getByText('Budi, tagihan Anda Rp150.000.').waitFor();
  });

  await check('a job is paused, goes on, and ends', async () => {
    const messages = Array.from({ length: 4 }, (_, index) => ({ to: BUDI.phone, message: `Pengingat ${index + 1}` }));
    await page.goto('/jobs');
    await live(page);
    const { jobId } = (await api('POST', `${BASE}/devices/${device}/jobs/send-text`, { messages, delay: 4 })).data;
    await page.locator(`[data-job="${jobId}"]`).getByRole('link').click();
    const panel = page.locator('dialog');
    await panel.getByRole('button', { name: 'Jeda', exact: true }).click();
    await panel.locator('[data-status=paused]').waitFor();
    await picture(page, 'job-paused');
    await panel.getByRole('button', { name: 'Lanjutkan' }).click();
    await panel.locator('[data-status=completed]').waitFor({ timeout: 60_000 });
    for (const { message } of messages) assert.equal((await arrives(BUDI.phone, message)).length, 1);
  });

  await check('what failed is tried again from the panel', async () => {
    const messages = [{ to: '081290000004', message: 'Halo' }];
    const { jobId } = (await api('POST', `${BASE}/devices/${device}/jobs/send-text`, { messages })).data;
    await page.goto(`/jobs?job=${jobId}`);
    const panel = page.locator('dialog');
    await panel.locator('[data-status=failed]').waitFor({ timeout: 60_000 });
    await panel.getByRole('button', { name: 'Coba lagi yang gagal' }).click();
    await page.getByText('Yang gagal diantrekan lagi').waitFor();
  });

  await check('a message is planned for later, and every week', async () => {
    await page.goto('/schedule-message');
    await page.getByText('Belum ada pesan terjadwal').waitFor();
    await page.getByRole('link', { name: 'Jadwalkan pesan' }).first().click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Ke nomor').fill('0813-1111-3333');
    await panel.getByLabel('Pesan', { exact: true }).fill('Jangan lupa, toko tutup hari Minggu.');
    await panel.getByLabel('Waktu kirim').fill('2020-01-01T09:00');
    await panel.getByText('Waktu ini sudah lewat').waitFor();
    await panel.getByLabel('Waktu kirim').fill(`${new Date().getFullYear() + 1}-03-01T09:00`);
    await panel.getByLabel('Zona waktu').selectOption('Asia/Makassar');
    await panel.getByLabel('Ulangi').selectOption('weekly');
    await picture(page, 'schedule-new');
    await panel.getByRole('button', { name: 'Jadwalkan', exact: true }).click();
    const row = page.locator('[data-planned]');
    await row.locator('[data-status=pending]').waitFor();
    await row.getByText('Setiap minggu').waitFor();
    await row.getByText('09.00').waitFor();
  });

  await check('a planned message goes out at its time, and the row follows', async () => {
    const at = (ms) => new Date(Date.now() + ms).toISOString();
    const planned = { to: SARI.phone, message: 'Sebentar lagi', scheduleTime: at(HOUR_MS) };
    const { scheduledMessageId } = (await api('POST', `${BASE}/devices/${device}/schedule-message`, planned)).data;
    await page.reload();
    await live(page);
    const row = page.locator('[data-planned]', { hasText: 'Sebentar lagi' });
    await row.locator('[data-status=pending]').waitFor();
    // Only now is it due soon, however long the page took.
    await api('PUT', `${BASE}/scheduled-messages/${scheduledMessageId}`, { scheduleTime: at(2_000) });
    await row.locator('[data-status=sent]').waitFor();
    assert.equal((await arrives(SARI.phone, 'Sebentar lagi')).length, 1);
  });

  await check('a planned message is held back, goes on, and is cancelled', async () => {
    await page.locator('[data-planned]', { hasText: 'toko tutup' }).getByRole('link').click();
    const panel = page.locator('dialog').first();
    await panel.getByRole('button', { name: 'Jeda', exact: true }).click();
    await panel.locator('[data-status=paused]').waitFor();
    await panel.getByRole('button', { name: 'Lanjutkan' }).click();
    await panel.locator('[data-status=pending]').waitFor();
    await panel.getByRole('button', { name: 'Batalkan pesan ini' }).click();
    await page.locator('dialog').last().getByRole('button', { name: 'Batalkan pesan ini' }).click();
    await panel.locator('[data-status=cancelled]').waitFor();
    await page.keyboard.press('Escape');
  });

  await check('the bell counts what is new, and each piece of news leads to its place', async () => {
    await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: '6281211112222', text: 'Masih buka?' });
    await page.goto('/notifications');
    await page.locator('li.unread [data-news=message]', { hasText: 'Masih buka?' }).click();
    await page.waitForURL('**/chat?with=*');
    await page.locator('.bubble', { hasText: 'Masih buka?' }).waitFor();
    await page.goto('/notifications');
    await page.getByRole('button', { name: 'Tandai semua dibaca' }).click();
    await page.locator('li.unread').first().waitFor({ state: 'detached' });
  });

  await check('the log names what was done', async () => {
    await page.goto('/activity');
    await page.locator('tr[data-action]').first().waitFor();
    await page.getByText('Template berhasil dibuat').waitFor();
  });

  await check('a device that its phone unlinked says so, and what to do', async () => {
    const shop = (await api('GET', '/sandbox/phones')).find((phone) => phone.companions.length > 0);
    await page.goto(`/devices/${device}`);
    await page.locator('dialog [data-status=connected]').waitFor();
    await live(page);
    await api('DELETE', `/sandbox/phones/${shop.phone}/companions/${shop.companions[0].device}`);
    await page.locator('dialog').getByText('lalu tautkan lagi dengan ponsel yang sama').waitFor();
    await picture(page, 'unlinked');
  });

  const storageState = await context.storageState();
  await lookAtPages(stage, addresses(), storageState);
}

function addresses() {
  return [
    ['schedule', '/schedule-message', '[data-planned]'],
    ['schedule-new', '/schedule-message?planned=new', 'dialog form'],
    ['contacts', '/contacts', '[data-contact]'],
    ['contact', '/contacts?contact=1', 'dialog form'],
    ['contacts-paste', '/contacts?contact=paste', 'dialog form'],
    ['templates', '/templates', '[data-template]'],
    ['template-new', '/templates?edit=new', 'dialog form'],
    ['blast', '/chat-blast?tag=pelanggan', '[data-valid="2"]'],
    ['notifications', '/notifications', '[data-news]'],
    ['activity', '/activity', 'tr[data-action]'],
  ];
}
