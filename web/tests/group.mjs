// A group from its making to its end: members, mentions, a chat with names, settings, the invite link, leaving.
import assert from 'node:assert/strict';
import { inspect, picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const AGUS = { phone: '6281311114444', name: 'Agus' };

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI, AGUS]);
  const page = await context.newPage();
  const inbox = async (phone) => api('GET', `/sandbox/phones/${phone}/messages`);
  let group = '';

  await check('a group is made from pasted numbers', async () => {
    await page.goto('/groups');
    await page.getByText('Belum ada grup').waitFor();
    await page.getByRole('link', { name: 'Grup baru' }).first().click();
    const panel = page.locator('dialog');
    await panel.getByLabel('Nama grup').fill('Pelanggan setia');
    await panel.getByLabel('Anggota', { exact: true }).fill(`${BUDI.phone}\n${SARI.phone}`);
    await panel.getByRole('button', { name: 'Buat grup' }).click();
    await panel.getByText('3 anggota').waitFor();
    group = await panel.locator('[data-group]').getAttribute('data-group');
    await picture(page, 'group');
  });

  await check('a number is added, made admin, made a member again, and sent away', async () => {
    const panel = page.locator('dialog').first();
    await panel.getByLabel('Tambahkan nomor').fill(AGUS.phone);
    await panel.getByRole('button', { name: 'Tambah', exact: true }).click();
    const row = panel.locator(`[data-member^="${AGUS.phone}"]`);
    await row.waitFor();
    for (const [action, isAdmin] of [['Jadikan admin', 1], ['Cabut sebagai admin', 0]]) {
      await row.getByRole('button').click();
      await row.getByRole('button', { name: action }).click();
      await until(`${action} to show`, async () => (await row.getByText('Admin', { exact: true }).count()) === isAdmin);
    }
    await row.getByRole('button').click();
    await row.getByRole('button', { name: 'Keluarkan' }).click();
    await page.locator('dialog').last().getByRole('button', { name: 'Keluarkan' }).click();
    await row.waitFor({ state: 'detached' });
  });

  await check('a new name shows at once, and so does what happens on the phone', async () => {
    const panel = page.locator('dialog').first();
    await panel.getByRole('button', { name: 'Ubah nama dan deskripsi' }).click();
    const asked = page.locator('dialog').last();
    await asked.getByLabel('Nama grup').fill('Pelanggan istimewa');
    await asked.getByLabel('Deskripsi').fill('Kabar bunga setiap pagi.');
    await asked.getByRole('button', { name: 'Simpan' }).click();
    await panel.getByRole('heading', { name: 'Pelanggan istimewa' }).waitFor();
    await panel.getByText('Kabar bunga setiap pagi.').waitFor();
    await api('POST', `/sandbox/groups/${group}/admins`, { phones: [BUDI.phone] });
    await panel.locator(`[data-member^="${BUDI.phone}"]`).getByText('Admin', { exact: true }).waitFor();
  });

  await check('the invite link is shown and replaced', async () => {
    const panel = page.locator('dialog').first();
    await panel.getByRole('button', { name: 'Tautan undangan' }).click();
    const before = await panel.locator('code').innerText();
    assert.match(before, /^https:\/\/chat\.whatsapp\.com\/\S+$/);
    await panel.getByRole('button', { name: 'Ganti tautan' }).click();
    await page.locator('dialog').last().getByRole('button', { name: 'Ganti tautan' }).click();
    await until('another link', async () => (await panel.locator('code').innerText()) !== before);
  });

  await check('the picture of the group is set from a file, and taken away', async () => {
    const panel = page.locator('dialog').first();
    const shown = async () => (await api('GET', `/sandbox/groups/${encodeURIComponent(group)}`)).picture;
    assert.ok(!(await shown()));
    const drawing = await page.screenshot();
    await panel.locator('input[type=file]').setInputFiles({ name: 'toko.png', mimeType: 'image/png', buffer: drawing });
    const asked = page.locator('dialog').last();
    await asked.getByRole('img', { name: 'Foto yang dipilih' }).waitFor();
    await picture(page, 'group-picture');
    assert.deepEqual(await inspect(page), []);
    await asked.getByRole('button', { name: 'Simpan' }).click();
    await page.getByText('Foto grup diganti').waitFor();
    assert.ok(await shown());
    await panel.getByRole('button', { name: 'Hapus foto' }).click();
    await page.locator('dialog').last().getByRole('button', { name: 'Hapus foto' }).click();
    await page.getByText('Foto grup dihapus').waitFor();
    assert.ok(!(await shown()));
  });

  await check('typing @ offers the members, and the mention reaches the phones', async () => {
    await page.goto(`/devices/${device}/chat?with=${encodeURIComponent(group)}`);
    await page.getByText('3 anggota').waitFor();
    await page.getByPlaceholder('Ketik pesan').pressSequentially('Selamat pagi @');
    await page.getByRole('option').nth(1).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.keyboard.type('apa kabar?');
    await page.keyboard.press('Enter');
    await page.locator('.bubble.mine .mention').waitFor();
    const mentioned = async () => (await inbox(BUDI.phone)).find(({ text }) => text?.endsWith('apa kabar?'));
    const message = await until('the text to arrive', mentioned);
    assert.equal(message.mentions?.length, 1);
  });

  await check('answers stand under the names of those who wrote', async () => {
    await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: group, text: 'Baik, Kak!' });
    await api('POST', `/sandbox/phones/${SARI.phone}/messages`, { to: group, text: 'Ada *mawar* hari ini?' });
    await page.locator('.bubble', { hasText: 'Baik, Kak!' }).getByText('Budi', { exact: true }).waitFor();
    await page.locator('.bubble', { hasText: 'hari ini?' }).getByText('Sari', { exact: true }).waitFor();
    await page.locator('.bubble strong', { hasText: 'mawar' }).waitFor();
    await picture(page, 'group-chat');
  });

  const storageState = await context.storageState();
  const chat = `/devices/${device}/chat?with=${encodeURIComponent(group)}`;
  await lookAtPages(
    stage,
    [
      ['groups', '/groups', 'tr[data-group]'],
      ['group', `/groups?group=${encodeURIComponent(group)}`, 'dialog [data-member]'],
      ['group-new', '/groups?group=new', 'dialog form'],
      ['group-chat', chat, '.bubble'],
    ],
    storageState,
  );

  await check('leaving asks for the name of the group', async () => {
    await api('PUT', '/api/auth/profile', { language: 'id' });
    await page.goto(`${chat}&info=1`);
    await page.locator('dialog').getByRole('button', { name: 'Keluar dari grup' }).click();
    const asked = page.locator('dialog').last();
    await asked.getByRole('textbox').fill('Pelanggan istimewa');
    await asked.getByRole('button', { name: 'Keluar dari grup' }).click();
    await page.getByText('Anda keluar dari grup').waitFor();
  });
}
