// Four devices that WhatsApp no longer serves, each for another reason: every page that shows them says why, and what to do.
import assert from 'node:assert/strict';
import { live, picture, profile } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, SHOP, link, linkedShop } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const HOUR_S = 3600;
const TROUBLE_MS = 60_000;
/** Reason, device, phone, the fault, the tag in lists, what has happened, what to do, and the action that helps. */
const TROUBLES = [
  {
    reason: 'logged_out',
    name: SHOP.name,
    phone: SHOP.phone,
    tag: 'Tautan dilepas',
    what: /^Ponsel melepas tautan perangkat ini\.$/,
    next: 'tautkan lagi dengan ponsel yang sama',
    action: 'Sambungkan',
  },
  {
    reason: 'replaced',
    name: 'Kasir',
    phone: '6281311112222',
    faults: [{ conflict: 'replaced' }],
    tag: 'Dipakai di tempat lain',
    what: /^Program lain tersambung sebagai perangkat ini\.$/,
    next: 'Hentikan program itu, lalu tekan Sambungkan',
    action: 'Sambungkan',
  },
  {
    reason: 'banned',
    name: 'Promosi',
    phone: '6281311113333',
    faults: [{ loginFailure: { reason: 402, code: 101, expire: HOUR_S } }],
    breaks: true,
    tag: 'Diblokir sementara',
    what: /^WhatsApp memblokir nomor ini sementara sampai (besok )?pukul \d\d\.\d\d\.$/,
    action: 'Lihat pekerjaan',
    next: 'Kurir menyambung dengan sendirinya sesudah itu',
  },
  {
    reason: 'outdated',
    name: 'Gudang',
    phone: '6281311114444',
    faults: [{ loginFailure: 405 }],
    breaks: true,
    tag: 'Perlu pembaruan',
    what: /^WhatsApp menolak versi Kurir ini/,
    next: 'memasang versi terbaru',
  },
];

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const [unlinked, ...others] = TROUBLES;
  unlinked.id = await linkedShop(context, kurir, others.map(({ phone, name }) => ({ phone, name })));
  for (const other of others) {
    other.id = (await api('POST', `${BASE}/devices`, { deviceName: other.name })).data.deviceId;
    await link(context, kurir, other.id, other.phone);
  }
  const page = await context.newPage();

  for (const trouble of TROUBLES) {
    await check(`${trouble.reason}: the open page says what happened and what to do`, async () => {
      await page.goto(`/devices/${trouble.id}`);
      await page.locator('dialog [data-status=connected]').waitFor();
      await live(page);
      await happen(api, trouble);
      const told = page.locator(`dialog [data-trouble=${trouble.reason}]`);
      await told.waitFor({ timeout: TROUBLE_MS });
      assert.match(await told.locator('strong').innerText(), trouble.what);
      await told.getByText(trouble.next).waitFor();
      await page.locator('dialog dd', { hasText: trouble.tag }).waitFor();
      await page.getByRole('button', { name: 'Sambungkan' }).waitFor();
      assert.deepEqual(await page.locator('dialog .button.primary').allInnerTexts(), trouble.action ? [trouble.action] : []);
      await picture(page, `trouble-${trouble.reason}`);
    });
  }

  await check('the list of devices tells the four apart', async () => {
    await page.goto('/devices');
    for (const { name, tag } of TROUBLES) {
      await page.locator('tr', { hasText: name }).getByText(tag, { exact: true }).waitFor({ timeout: TROUBLE_MS });
    }
  });

  const panels = TROUBLES.map(({ reason, id }) => [`trouble-${reason}`, `/devices/${id}`, `[data-trouble=${reason}]`]);
  await lookAtPages(stage, [['troubles', '/devices', '[data-reason]'], ...panels], await context.storageState());

  // The pages were looked at in every language; the person at hand speaks Indonesian again.
  await api('PUT', '/api/auth/profile', { language: 'id' });
  await check('the device that was used elsewhere comes back with one press and without a code', async () => {
    const { id } = TROUBLES.find(({ reason }) => reason === 'replaced');
    await page.goto(`/devices/${id}`);
    await page.getByRole('button', { name: 'Sambungkan' }).click();
    await page.locator('dialog [data-status=connected]').waitFor({ timeout: TROUBLE_MS });
    await page.locator('[data-trouble]').waitFor({ state: 'detached' });
  });

  await check('the one that was unlinked asks for a code', async () => {
    await page.goto(`/devices/${unlinked.id}`);
    await page.getByRole('button', { name: 'Sambungkan' }).click();
    await page.locator('img[data-qr]').waitFor({ timeout: TROUBLE_MS });
  });
}

/** Brings the trouble about; some of them show when the connection is made anew. */
async function happen(api, { phone, faults, breaks }) {
  if (!faults) {
    const { companions } = await api('GET', `/sandbox/phones/${phone}`);
    await api('DELETE', `/sandbox/phones/${phone}/companions/${companions[0].device}`);
    return;
  }
  for (const fault of faults) await api('PUT', '/sandbox/faults', { phone, ...fault });
  if (breaks) await api('PUT', '/sandbox/faults', { dropConnection: true });
}
