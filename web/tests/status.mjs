// Status posts: for all contacts or some, who looked, those of contacts, and taking one back.
import assert from 'node:assert/strict';
import { picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, SHOP, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const SARI = { phone: '6281311113333', name: 'Sari' };
const EVERYBODY = 'status@broadcast';

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const device = await linkedShop(context, kurir, [BUDI, SARI]);
  const knows = (who, whom) => api('POST', `/sandbox/phones/${who.phone}/contacts`, { contacts: [whom] });
  for (const [who, whom] of [[SHOP, BUDI], [SHOP, SARI], [BUDI, SHOP]]) await knows(who, whom);
  const named = async () => (await api('GET', `${BASE}/devices/${device}/contacts`)).data.contacts.filter(({ name }) => name);
  await until('the contacts of the phone', async () => (await named()).length === 2);
  const page = await context.newPage();
  const seen = async ({ phone }, is) => (await api('GET', `/sandbox/phones/${phone}/messages`)).find((one) => one.chat === EVERYBODY && is(one));
  const post = (text) => page.locator('[data-post]', { hasText: text });
  const write = async (text) => {
    await page.getByLabel('Teks status').fill(text);
    await page.getByRole('button', { name: 'Pasang status' }).click();
    await post(text).waitFor();
  };

  await check('before the first post the page says what it is for', async () => {
    await page.goto('/status');
    await page.getByText('Belum ada status').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Pasang status' }).isDisabled());
  });

  await check('a post reaches the contacts of the phone, and shows who looked', async () => {
    await write('Mawar segar sudah datang!');
    const there = ({ text }) => text === 'Mawar segar sudah datang!';
    const { id } = await until('the post at Budi', () => seen(BUDI, there));
    await until('the post at Sari', () => seen(SARI, there));
    await post('Mawar segar').getByText('Belum ada yang melihat').waitFor();
    await api('POST', `/sandbox/phones/${BUDI.phone}/receipts`, { id, type: 'read' });
    await until('Budi among those who looked', async () => {
      await page.reload();
      await post('Mawar segar').waitFor();
      return post('Mawar segar').getByText('Dilihat 1 orang').count();
    });
    await post('Mawar segar').getByText('Dilihat 1 orang').click();
    await post('Mawar segar').getByText('+62 813-1111-2222').waitFor();
  });

  await check('a post for certain numbers reaches nobody else', async () => {
    await page.getByLabel('Yang boleh melihat').selectOption('chosen');
    assert.ok(await page.getByRole('button', { name: 'Pasang status' }).isDisabled());
    await page.getByLabel('Nomor penerima').fill(SARI.phone);
    await write('Khusus langganan');
    await until('the post at Sari', () => seen(SARI, ({ text }) => text === 'Khusus langganan'));
    assert.equal(await seen(BUDI, ({ text }) => text === 'Khusus langganan'), undefined);
  });

  await check('the post of a contact turns up by itself', async () => {
    await api('POST', `/sandbox/phones/${BUDI.phone}/messages`, { to: EVERYBODY, text: 'Cari *melati* putih' });
    const theirs = page.getByRole('region', { name: 'Status kontak' });
    await theirs.locator('[data-post]', { hasText: 'Cari melati putih' }).getByText('Budi', { exact: true }).waitFor();
    await picture(page, 'status');
  });

  await check('an own post is taken back from everybody, after a question', async () => {
    await post('Khusus langganan').getByRole('button', { name: 'Hapus status' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Hapus status' }).click();
    await post('Khusus langganan').waitFor({ state: 'detached' });
    await until('the deletion at Sari', () => seen(SARI, ({ type }) => type === 'revoke'));
  });

  await lookAtPages(stage, [['status', '/status', '[data-post]']], await context.storageState());
}
