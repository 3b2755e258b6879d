// Every text of the interface in Indonesian, the language it is written for first. The keys are the list that
// English must match. `{name}` is filled in; `one|many` is chosen by `count`.
import { base } from './id/base';
import { insight } from './id/insight';
import { people } from './id/people';
import { talk } from './id/talk';
import { work } from './id/work';

export const id = { ...base, ...work, ...people, ...talk, ...insight } as const;
