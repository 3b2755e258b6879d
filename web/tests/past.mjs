// What the phone had before it was linked: it comes in by itself, and older messages when they are asked for.
import assert from 'node:assert/strict';
import { inspect, live, picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { BASE, OWNER, SHOP } from './support/linked.mjs';
import { lookAtPages } from './support/views.mjs';

const BUDI = { phone: '6281311112222', name: 'Budi' };
const DAY_MS = 86_400_000;
const LINK_MS = 60_000;
const OTHERS = { chats: 40, messages: 60, days: 60 };
/** The phone hands over this many of each chat, however old they are. */
const HANDED_OVER = 25;

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  await api('POST', '/api/auth/claim', { token: kurir.claimToken, ...OWNER });
  for (const phone of [SHOP, BUDI]) await api('POST', '/sandbox/phones', phone);
  await api('POST', `/sandbox/phones/${SHOP.phone}/history`, { chats: [talkWithBudi()] });
  await api('POST', `/sandbox/phones/${SHOP.phone}/history`, { bulk: OTHERS });
  const { deviceId } = (await api('POST', `${BASE}/devices`, { deviceName: SHOP.name })).data;
  const page = await context.newPage();
  const chat = `/devices/${deviceId}/chat?with=${BUDI.phone}%40s.whatsapp.net`;

  await check('the history that comes in after linking shows how far it is, and then what came', async () => {
    await page.goto(`/devices/${deviceId}`);
    await page.getByRole('button', { name: 'Sambungkan' }).click();
    await page.locator('img[data-qr]').waitFor({ timeout: LINK_MS });
    await live(page);
    const shown = await watched(page, 'dialog progress');
    const { qrCode } = (await api('GET', `${BASE}/devices/${deviceId}/qr`)).data;
    await api('POST', `/sandbox/phones/${SHOP.phone}/scan`, { qr: qrCode });
    assert.equal(await shown(LINK_MS), 'Riwayat dari ponsel');
    await picture(page, 'history-coming');
    await page.locator('[data-synced=done]').waitFor({ timeout: LINK_MS });
    const all = OTHERS.chats * OTHERS.messages + HANDED_OVER;
    const words = `Riwayat dari ponsel sudah masuk: ${new Intl.NumberFormat('id').format(all)} pesan`;
    await page.getByText(words, { exact: true }).waitFor();
    assert.equal(await page.getByRole('progressbar').count(), 0);
    assert.deepEqual(await inspect(page), []);
    await picture(page, 'history-in');
  });

  await check('its chats stand in the list under the names of the address book', async () => {
    await page.goto(`/devices/${deviceId}/chat`);
    await page.locator('[data-chat]', { hasText: 'Budi Langganan' }).click();
    await page.locator('.bubble', { hasText: 'Besok ada mawar?' }).waitFor();
    await until('what was handed over', async () => (await page.locator('.bubble').count()) === HANDED_OVER);
  });

  await check('the phone is asked for older messages, and what was read stays where it was', async () => {
    const view = page.locator('.view');
    await view.evaluate((view) => (view.scrollTop = 0));
    const oldest = page.locator('.bubble', { hasText: 'Pesanan lama 38,' });
    await oldest.waitFor();
    await page.getByRole('button', { name: 'Minta pesan lebih lama dari ponsel' }).click();
    await page.locator('.bubble', { hasText: 'Pesanan lama 1,' }).waitFor({ state: 'attached', timeout: LINK_MS });
    const [frame, box] = [await view.boundingBox(), await oldest.boundingBox()];
    assert.ok(box.y >= frame.y && box.y < frame.y + frame.height, 'the message on top is still in view');
    await picture(page, 'history-asked');
  });

  await check('a phone that has nothing older says so', async () => {
    await page.locator('.view').evaluate((view) => (view.scrollTop = 0));
    await page.getByRole('button', { name: 'Minta pesan lebih lama dari ponsel' }).click();
    await page.getByText('Ponsel tidak memberi pesan yang lebih lama.').waitFor({ timeout: LINK_MS });
  });

  await lookAtPages(stage, [['past', chat, '.bubble']], await context.storageState());
}

/** Watches for an element that may be gone again soon; returns the way to wait for it, which gives its name. */
async function watched(page, selector) {
  const seen = await page.evaluateHandle((selector) => {
    const name = new Promise((found) => {
      const look = () => {
        const element = document.querySelector(selector);
        if (element) found(element.getAttribute('aria-label'));
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
      look();
    });
    return { name };
  }, selector);
  return (timeoutMs) =>
    seen.evaluate(
      ({ name }, timeoutMs) =>
        Promise.race([name, new Promise((_, fail) => setTimeout(() => fail(new Error('it never showed')), timeoutMs))]),
      timeoutMs,
    );
}

/** Sixty messages of more than a year ago, and two of yesterday. */
function talkWithBudi() {
  const old = Array.from({ length: 60 }, (_, index) => ({
    at: Date.now() - 400 * DAY_MS + index * 1000,
    text: `Pesanan lama ${index + 1}, Kak`,
  }));
  const recent = [
    { at: Date.now() - DAY_MS, text: 'Besok ada mawar?' },
    { at: Date.now() - DAY_MS + 1000, fromMe: true, text: 'Ada, Kak.' },
  ];
  return { chat: BUDI.phone, name: 'Budi Langganan', unread: 0, messages: [...old, ...recent] };
}
