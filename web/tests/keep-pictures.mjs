// Copies the pictures that the README shows from the last browser test to docs/pictures.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const KEPT = join(HERE, '..', '..', 'docs', 'pictures');
const CHOSEN = {
  chat: 'chat',
  devices: 'devices',
  link: 'link',
  phone: 'phone',
  'jobs-phone': 'jobs-id-dark-360',
};

mkdirSync(KEPT, { recursive: true });
for (const [name, taken] of Object.entries(CHOSEN)) {
  copyFileSync(join(HERE, 'pictures', `${taken}.png`), join(KEPT, `${name}.png`));
}
