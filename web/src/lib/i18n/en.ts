// Every text of the interface in English, under the keys of the Indonesian catalogue.
import { base } from './en/base';
import { insight } from './en/insight';
import { people } from './en/people';
import { talk } from './en/talk';
import { work } from './en/work';
import type { Key } from './index.svelte';

export const en: Record<Key, string> = { ...base, ...work, ...people, ...talk, ...insight };
