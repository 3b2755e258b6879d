// Looks at pages in both languages, both themes, on a desk and on a phone.
import assert from 'node:assert/strict';
import { inspect, picture, profile } from './browser.mjs';
import { ask } from './checks.mjs';

/** `pages` are name, address, and what shows that the page is full. */
export async function lookAtPages({ kurir, browser, troubles, check }, pages, storageState) {
  for (const language of ['id', 'en']) {
    for (const theme of ['light', 'dark']) {
      for (const width of [1280, 360]) {
        const view = { language, theme, width, name: `${language}-${theme}-${width}` };
        const look = () => lookAt({ kurir, browser, troubles }, pages, storageState, view);
        await check(`every page is sound in ${view.name}`, look, false);
      }
    }
  }
}

async function lookAt({ kurir, browser, troubles }, pages, storageState, { language, theme, width, name: view }) {
  const viewport = { width, height: width < 700 ? 760 : 900 };
  // Without motion a picture never catches a thing halfway.
  const context = await profile(browser, kurir.base, troubles, { viewport, storageState, reducedMotion: 'reduce' });
  await ask(context, kurir.base, 'PUT', '/api/auth/profile', { language });
  await context.addInitScript(
    ([language, theme]) => {
      // The blank page before the first one has no storage.
      if (origin === 'null') return;
      localStorage.setItem('kurir.language', language);
      localStorage.setItem('kurir.theme', theme);
    },
    [language, theme],
  );
  const page = await context.newPage();
  const faults = [];
  for (const [name, address, ready] of pages) {
    await page.goto(address);
    await page.locator(ready).first().waitFor();
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    faults.push(...(await inspect(page)).map((fault) => `${name}: ${fault}`));
    await picture(page, `${name}-${view}`);
  }
  await context.close();
  assert.deepEqual(faults, []);
}
