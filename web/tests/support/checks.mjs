// Runs checks one after the other and tells how they ended; a check fails, too, when something went wrong in the browser.
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';
import { startKurir } from './server.mjs';

/** Starts the program and a browser, walks, stops both, and ends the process with what came of it. */
export async function run(walk) {
  const failures = [];
  const troubles = [];
  let passed = 0;

  /** Runs one check; `essential` ones end the run, because nothing after them can work. */
  async function check(name, steps, essential = true) {
    const started = Date.now();
    try {
      await steps();
      assert.deepEqual(troubles.splice(0), [], 'nothing went wrong in the browser');
      passed += 1;
      console.log(`ok      ${name} (${Date.now() - started} ms)`);
    } catch (error) {
      failures.push(name);
      troubles.splice(0);
      console.log(`FAILED  ${name}\n${error.stack}`);
      if (essential) throw error;
    }
  }

  const kurir = await startKurir();
  const browser = await launch();
  try {
    await walk({ kurir, browser, troubles, check });
  } catch (error) {
    if (failures.length === 0) failures.push(String(error.stack));
    console.log(`log of kurir:\n${kurir.tail()}`);
  } finally {
    await browser.close();
    await kurir.stop();
  }
  if (failures.length > 0) failures.forEach((failure) => console.log(`failed: ${failure.split('\n')[0]}`));
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length === 0 ? 0 : 1);
}

/** Calls the API as the page does, with its cookies. */
export async function ask(context, base, method, path, data) {
  const answer = await context.request.fetch(path, { method, data, headers: { Origin: base } });
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}
