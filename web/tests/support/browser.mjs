// The browser, and what must never happen in it: console errors, uncaught errors, refused resources.
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'pictures');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Long enough for a machine that is busy with other things; a page that is right needs a fraction of it. */
const WAIT_MS = 30_000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A microphone that beeps; pages still have to be allowed to use it.
  '--use-fake-device-for-media-stream',
];

export async function launch() {
  mkdirSync(PICTURES, { recursive: true });
  const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(`${executablePath} is missing: apt-get install chromium, or set CHROMIUM_BIN`);
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** Opens a browser profile whose troubles are collected in `troubles`. */
export async function profile(browser, base, troubles, options = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width: 1280, height: 900 },
    locale: 'id-ID',
    timezoneId: 'Asia/Jakarta',
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`CSP refused ${event.blockedURI} (${event.violatedDirective}) ${event.sample}`),
    );
  });
  context.on('console', (message) => {
    if (message.type() !== 'error' || isExpected(message)) return;
    troubles.push(`${message.page()?.url()}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => troubles.push(`uncaught: ${error.error().stack ?? error.error()}`));
  return context;
}

/** The browser itself reports refused calls; those that the pages are made for are no trouble. */
function isExpected(message) {
  const { url } = message.location();
  const text = message.text();
  // Between two QRs there is none.
  if (/\/qr(-image\?.*)?$/.test(url) && text.includes('404')) return true;
  // A chat nobody has written in.
  return /\/chat-history\//.test(url) && text.includes('404');
}

/** Waits until `probe` gives something true, and gives it back. */
export async function until(what, probe, timeoutMs = WAIT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Waits until the page follows the events; what happens before that is not shown as it happens. */
export function live(page) {
  return page.locator('[data-feed=live]').waitFor();
}

/** Takes a picture; a page behind another one is not drawn, so it comes to the front first. */
export async function picture(page, name) {
  await page.bringToFront();
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' });
}

/** Returns what is wrong with a page as it stands: too wide, too small to touch, or an accessibility fault. */
export async function inspect(page) {
  const faults = await page.evaluate(measure, page.viewportSize().width < 700);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }),
  );
  for (const { id, nodes } of violations) {
    for (const node of nodes.slice(0, 3)) faults.push(`${id}: ${node.target.join(' ')}: ${node.failureSummary}`);
  }
  return faults;
}

/** Runs inside the page. */
function measure(isPhone) {
  const faults = [];
  const excess = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (excess > 0) faults.push(`the page is ${excess} pixels too wide`);
  if (!isPhone) return faults;
  const TARGET_PX = 44;
  const modal = document.querySelector('dialog:modal');
  for (const element of (modal ?? document).querySelectorAll('a[href], button, select, textarea, input, summary')) {
    if (!element.checkVisibility() || element.tabIndex < 0) continue;
    // A link inside of a sentence is as high as its line.
    if (getComputedStyle(element).display === 'inline' && element.closest('p')) continue;
    // A choice is touched through its label; a row through the link that covers it.
    const isChoice = element.type === 'radio' || element.type === 'checkbox';
    const touched = isChoice ? element.closest('label') : element;
    const covers = getComputedStyle(element, '::after').position === 'absolute';
    const height = touched.getBoundingClientRect().height;
    if (height < TARGET_PX - 0.5 && height > 1 && !covers) {
      faults.push(`touch target of ${height} px: ${element.outerHTML.slice(0, 120)}`);
    }
  }
  return faults;
}
