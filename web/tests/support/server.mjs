// Starts the real program with its simulated network on free ports and a data directory of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WEB = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const START_MS = 60_000;
/** The program promises to stop within ten seconds. */
const STOP_MS = 12_000;

/** Returns `{ base, claimToken, stop }` once the program listens. */
export async function startKurir() {
  const binary = resolve(process.env.KURIR_BIN ?? join(WEB, '..', 'target', 'debug', 'kurir'));
  if (!existsSync(binary)) {
    throw new Error(`${binary} is missing: cargo build --features sandbox, or set KURIR_BIN`);
  }
  const data = mkdtempSync(join(tmpdir(), 'kurir-browser-'));
  const child = spawn(
    binary,
    ['sandbox', '--data-dir', data, '--listen', '127.0.0.1:0', '--sandbox-listen', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } },
  );
  const exited = new Promise((done) => child.once('exit', done));
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const tail = () => log.slice(-30).join('\n');

  const { base, claimToken } = await new Promise((ready, fail) => {
    const timer = setTimeout(() => fail(new Error(`kurir was not ready in time\n${tail()}`)), START_MS);
    child.once('exit', (code) => fail(new Error(`kurir ended with ${code} before it was ready\n${tail()}`)));
    const found = {};
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      found.claimToken ??= /\/claim\?token=([^\s"&]+)/.exec(line)?.[1];
      found.base ??= /^listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (!found.base || !found.claimToken) return;
      clearTimeout(timer);
      ready(found);
    });
  });

  async function stop() {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
    rmSync(data, { recursive: true, force: true });
  }
  return { base, claimToken: decodeURIComponent(claimToken), stop, tail };
}
