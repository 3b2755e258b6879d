// The way of a newcomer through the dashboard, against the real program and its simulated network, and then every
// page in both languages, both themes and two widths. Pictures land in tests/pictures.
import assert from 'node:assert/strict';
import { picture, profile, until } from './support/browser.mjs';
import { ask, run } from './support/checks.mjs';
import { lookAtPages } from './support/views.mjs';

const OWNER = { name: 'Melati Sari', username: 'melati', email: 'melati@contoh.id', password: 'bunga-mawar-20' };
const CUSTOMER = '6281311112222';
const DEVICE = 'Toko Melati';
const LINK_MS = 60_000;
const FIRST_LOAD_BYTES = 150_000;

await run(walk);

async function walk(stage) {
  const { kurir, browser, troubles, check } = stage;
  const context = await profile(browser, kurir.base, troubles);
  const page = await context.newPage();
  const second = await context.newPage();

  await check('an unclaimed Kurir sends visitors to the claim page', async () => {
    await page.goto('/');
    await page.waitForURL('**/claim');
    await page.getByText('belum punya pemilik').waitFor();
  });

  await check('a wrong claim link is refused in words', async () => {
    await page.goto('/claim?token=not-the-token');
    await fillClaim(page);
    await page.getByRole('alert').waitFor();
    // The browser notes the refused call itself.
    await until('the note about the refusal', () => troubles.length > 0);
    assert.ok(troubles.splice(0).every((trouble) => /status of 4\d\d/.test(trouble)));
  });

  await check('the claim link makes the newcomer the owner', async () => {
    await page.goto(`/claim?token=${encodeURIComponent(kurir.claimToken)}`);
    await picture(page, 'claim');
    await fillClaim(page);
    await page.waitForURL('**/dashboard');
    await page.getByRole('heading', { name: `Halo, ${OWNER.name}` }).waitFor();
    await page.getByText('Langkah pertama').waitFor();
  });

  await check('the first load is small', async () => {
    const fresh = await profile(browser, kurir.base, troubles, { storageState: await context.storageState() });
    const visit = await fresh.newPage();
    await visit.goto('/dashboard');
    await visit.locator('.tiles').waitFor();
    const bytes = await visit.evaluate(() =>
      ['navigation', 'resource']
        .flatMap((kind) => performance.getEntriesByType(kind))
        .reduce((sum, entry) => sum + entry.transferSize, 0),
    );
    await fresh.close();
    assert.ok(bytes > 10_000 && bytes < FIRST_LOAD_BYTES, `${bytes} bytes`);
  });

  await check('a new device shows its QR live, and the countdown of it', async () => {
    await page.goto('/devices');
    await page.getByRole('button', { name: 'Buat perangkat pertama' }).click();
    await page.getByLabel('Nama', { exact: true }).fill(DEVICE);
    await page.getByRole('button', { name: 'Buat dan tautkan' }).click();
    const qr = page.locator('img[data-qr]');
    await qr.waitFor({ timeout: LINK_MS });
    await drawn(qr);
    await page.locator('dialog').getByRole('timer').waitFor();
    await page.locator('[data-step=waiting]').waitFor();
    await picture(page, 'link');
  });

  await check('a simulated phone scans it with one click, and the link screen follows to connected', async () => {
    await second.goto('/simulated-phones');
    await second.getByRole('button', { name: 'Buat dua ponsel contoh' }).click();
    await second.locator('[data-phone][aria-pressed=true]', { hasText: 'Toko' }).waitFor();
    await second.getByRole('button', { name: 'Kamera' }).click();
    const scan = second.getByRole('button', { name: `Pindai ${DEVICE}` });
    await scan.waitFor({ timeout: LINK_MS });
    await drawn(second.locator('.finder img'));
    await picture(second, 'scan');
    await scan.click();
    await page.locator('[data-step=connected]').waitFor({ timeout: LINK_MS });
    await page.locator('dialog [data-status=connected]').waitFor();
    await picture(page, 'linked');
  });

  const greeting = 'Halo Budi, pesanan bunga sudah siap. 🌹';
  await check('a text goes out from the browser', async () => {
    await page.goto('/send-message');
    await page.getByLabel('Ke nomor').fill('0813-1111-2222');
    await page.getByText('+62 813-1111-2222').waitFor();
    await page.getByLabel('Pesan', { exact: true }).fill(greeting);
    await page.getByRole('button', { name: 'Kirim', exact: true }).click();
    await page.locator('[aria-label="Pesan yang dikirim"] li').waitFor();
    await page.locator('[aria-label="Pesan yang dikirim"] [data-status=delivered]').waitFor();
  });

  await check('the phone shows it, once', async () => {
    await second.locator(`[data-phone="${CUSTOMER}"]`).click();
    await second.locator('.frame [data-chat]').first().click();
    await second.locator('.frame li[data-message]', { hasText: greeting }).waitFor();
    assert.equal(await second.locator('.frame li[data-message]', { hasText: greeting }).count(), 1);
  });

  const answer = 'Terima kasih, saya ambil jam empat.';
  await check('its answer turns up live in the chat, and ours is shown as read', async () => {
    await page.getByRole('link', { name: 'Buka chat' }).click();
    await page.locator('.bubble.mine', { hasText: greeting }).waitFor();
    await page.locator('.bubble.mine [data-status=read]').waitFor();
    await second.locator('.frame').getByPlaceholder('Ketik pesan').fill(answer);
    await second.locator('.frame').getByRole('button', { name: 'Kirim' }).click();
    await page.locator('.bubble:not(.mine)', { hasText: answer }).waitFor();
  });

  await check('a reply from the composer reaches the phone', async () => {
    const reply = 'Baik, kami tunggu.';
    await page.getByPlaceholder('Ketik pesan').fill(reply);
    await page.keyboard.press('Enter');
    await second.locator('.frame li[data-message]', { hasText: reply }).waitFor();
    await page.locator('.bubble.mine', { hasText: reply }).locator('[data-status=read]').waitFor();
    assert.equal(await page.locator('.bubble.mine', { hasText: reply }).count(), 1);
    await until('every bubble to have arrived', () =>
      page.locator('.bubble').evaluateAll((all) => all.every((bubble) => getComputedStyle(bubble).opacity === '1')),
    );
    await picture(page, 'chat');
    await picture(second, 'phone');
  });

  await check('a long history loads upwards without a jump', async () => {
    const shop = (await ask(context, kurir.base, 'GET', '/sandbox/phones')).find((phone) => phone.companions.length > 0);
    for (let number = 1; number <= 120; number += 1) {
      await ask(context, kurir.base, 'POST', `/sandbox/phones/${CUSTOMER}/messages`, { to: shop.phone, text: `Pesan ke-${number}` });
    }
    await page.locator('.bubble', { hasText: 'Pesan ke-120' }).waitFor();
    await page.reload();
    await page.locator('.bubble', { hasText: 'Pesan ke-120' }).waitFor();
    assert.ok((await page.locator('.bubble').count()) <= 60, 'only the newest page was loaded');
    const jump = await scrollToOlder(page);
    assert.ok(Math.abs(jump) <= 2, `what was read moved by ${jump} pixels`);
    await page.locator('.view').evaluate((view) => (view.scrollTop = 0));
    await page.locator('.bubble', { hasText: greeting }).waitFor();
  });

  await check('pasted numbers are checked and counted while typing', async () => {
    await page.goto('/chat-blast');
    const numbers = Array.from({ length: 8 }, (_, index) => `08129000111${index}, Pelanggan ${index + 1}`);
    const lines = [...numbers, '0812 9000 1110', '+1 415 555 2671', 'bukan nomor', '081290000000, Tidak Ada'];
    await page.getByLabel('Nomor penerima').fill(lines.join('\n'));
    await page.locator('[data-valid="9"]').waitFor();
    for (const text of ['1 ganda', '1 bukan nomor Indonesia', '1 bukan nomor']) {
      await page.getByText(text, { exact: true }).waitFor();
    }
    await page.getByLabel('Pesan', { exact: true }).fill('Halo {name}, toko buka sampai pukul delapan malam.');
    await page.getByText('Halo Pelanggan 1, toko buka').waitFor();
    await page.getByLabel('Jeda antarpesan').selectOption('1');
    await page.locator('[data-count="9"]', { hasText: 'kurang dari satu menit' }).waitFor();
    await picture(page, 'bulk');
  });

  await check('the bulk runs as a job whose bar moves', async () => {
    await page.getByRole('button', { name: 'Kirim 9 pesan' }).click();
    await page.waitForURL('**/jobs?job=*');
    const done = page.locator('dialog [data-done]');
    const seen = new Set();
    let pictured = false;
    await until('the job to end', async () => {
      if (await done.count()) seen.add(await done.getAttribute('data-done'));
      if (!pictured && seen.size >= 4) {
        await picture(page, 'job');
        pictured = true;
      }
      return page.locator('dialog [data-status=completed]').count();
    }, 90_000);
    assert.ok(seen.size >= 4, `the bar moved through ${[...seen].join(', ')}`);
    await page.locator('dialog').getByText('1 gagal').waitFor();
    await page.locator('dialog').getByText('+62 812-9000-0000').waitFor();
  });

  await check('Escape closes the panel, and the address is the list again', async () => {
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.waitForURL((url) => url.search === '');
  });

  await check('a second device links with a pairing code', async () => {
    await page.goto('/devices');
    await page.getByRole('button', { name: 'Buat perangkat' }).click();
    await page.getByLabel('Nama', { exact: true }).fill('Kasir');
    await page.getByRole('button', { name: 'Buat dan tautkan' }).click();
    await page.locator('img[data-qr]').waitFor({ timeout: LINK_MS });
    await page.getByLabel('Nomor WhatsApp di ponsel').fill('081311112222');
    await page.getByRole('button', { name: 'Minta kode' }).click();
    const code = await page.locator('[data-code]').getAttribute('data-code');
    assert.match(code, /^[A-Z0-9]{8}$/);
    await second.getByRole('button', { name: 'Layar utama' }).click();
    await second.getByRole('button', { name: 'Kamera' }).click();
    await second.getByLabel('Atau masukkan kode penautan').fill(`${code.slice(0, 4)}-${code.slice(4)}`);
    await second.getByRole('button', { name: 'Masukkan' }).click();
    await page.locator('[data-step=connected]').waitFor({ timeout: LINK_MS });
  });

  await check('a device is deleted only after its name was typed', async () => {
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await picture(page, 'devices');
    await page.getByRole('link', { name: 'Kasir' }).click();
    await page.getByRole('button', { name: 'Hapus perangkat' }).click();
    const confirm = page.locator('dialog').last();
    const action = confirm.getByRole('button', { name: 'Hapus perangkat' });
    assert.ok(await action.isDisabled());
    await confirm.getByRole('textbox').fill('Kasir');
    await action.click();
    await page.waitForURL('**/devices');
    await page.getByRole('link', { name: 'Kasir' }).waitFor({ state: 'detached' });
  });

  await check('an access token is shown once and can be revoked', async () => {
    await page.goto('/profile');
    await page.getByLabel('Nama token').fill('Toko daring');
    await page.getByRole('button', { name: 'Buat token' }).click();
    const token = await page.locator('code').innerText();
    const answer = await fetch(`${kurir.base}/api/auth/profile`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    await page.reload();
    await page.getByText('Toko daring').waitFor();
    assert.equal(await page.locator('code').count(), 0);
    await page.getByRole('button', { name: 'Cabut' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Cabut' }).click();
    await page.getByText('Belum ada token').waitFor();
  });

  await check('signing out leads to the sign-in, and signing in back to the page', async () => {
    await page.goto('/jobs');
    await page.getByRole('button', { name: 'Akun' }).click();
    // The other page would only learn of it from a refused call.
    await second.close();
    await page.getByRole('button', { name: 'Keluar' }).click();
    await page.waitForURL('**/auth/login*');
    await page.goto('/jobs?status=completed');
    await page.waitForURL('**/auth/login*');
    await page.getByLabel('Email atau nama pengguna').fill(OWNER.email);
    await page.getByLabel('Kata sandi', { exact: true }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Masuk' }).click();
    await page.waitForURL('**/jobs?status=completed');
    await page.locator('tr[data-job]').waitFor();
  });

  const storageState = await context.storageState();
  await lookAtPages(stage, await addresses(stage, storageState), storageState);
}

function drawn(image) {
  return until('the QR to be drawn', () => image.evaluate((image) => image.complete && image.naturalWidth > 0));
}

/** Scrolls up until older messages have come, and returns by how many pixels the message on top has moved. */
function scrollToOlder(page) {
  return page.locator('.view').evaluate(async (view) => {
    const bubbles = () => [...view.querySelectorAll('.bubble')];
    const before = bubbles();
    view.scrollTop = 150;
    const watched = before.find((bubble) => bubble.getBoundingClientRect().top > view.getBoundingClientRect().top);
    const top = watched.getBoundingClientRect().top;
    const deadline = performance.now() + 10_000;
    while (bubbles().length === before.length && performance.now() < deadline) await new Promise(requestAnimationFrame);
    if (bubbles().length === before.length) throw new Error('no older messages came');
    await new Promise(requestAnimationFrame);
    return watched.getBoundingClientRect().top - top;
  });
}

async function fillClaim(page) {
  await page.getByLabel('Nama Anda').fill(OWNER.name);
  await page.getByLabel('Nama pengguna').fill(OWNER.username);
  await page.getByLabel('Email').fill(OWNER.email);
  await page.getByLabel('Kata sandi', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Jadikan milik saya' }).click();
}

/** Name, address, and what shows that the page is full. */
async function addresses({ kurir, browser, troubles }, storageState) {
  const context = await profile(browser, kurir.base, troubles, { storageState });
  const answer = await ask(context, kurir.base, 'GET', '/api/whatsapp-multi-device/devices');
  const jobs = await ask(context, kurir.base, 'GET', '/api/whatsapp-multi-device/jobs');
  await context.close();
  const device = answer.data.devices[0].deviceId;
  return [
    ['overview', '/dashboard', '.tiles'],
    ['devices', '/devices', 'table'],
    ['device', `/devices/${device}`, 'dialog dl'],
    ['chats', `/devices/${device}/chat`, '[data-chat]'],
    ['conversation', `/devices/${device}/chat?with=${CUSTOMER}%40s.whatsapp.net`, '.bubble'],
    ['send', '/send-message', 'form'],
    ['bulk', '/chat-blast', 'form'],
    ['jobs', '/jobs', 'tr[data-job]'],
    ['job', `/jobs?job=${encodeURIComponent(jobs.data.jobs[0].jobId)}`, 'dialog [data-done]'],
    ['profile', '/profile', 'form'],
    ['phones', '/simulated-phones', '.frame'],
  ];
}
