// Numbers as people paste them from a table or a chat: one per line, a name may follow the number.
import { isIndonesian, normalise } from '../../lib/text/phone';

/** The server takes at most this many messages in one job. */
export const BULK_MAX = 10_000;

export interface Recipient {
  phone: string;
  name: string;
}

export type Flaw = 'malformed' | 'foreign' | 'duplicate';

export interface Recipients {
  valid: Recipient[];
  flawed: { line: number; text: string; flaw: Flaw }[];
}

/** Sorts pasted lines into numbers that will be sent to and lines that will be left out, with the reason. */
export function parseRecipients(pasted: string): Recipients {
  const seen = new Set<string>();
  const result: Recipients = { valid: [], flawed: [] };
  for (const [index, raw] of pasted.split('\n').entries()) {
    for (const text of splitLine(raw)) {
      const { phone, name } = splitName(text);
      const digits = normalise(phone);
      const flaw = flawOf(digits, seen);
      if (flaw !== null || digits === null) {
        result.flawed.push({ line: index + 1, text, flaw: flaw ?? 'malformed' });
        continue;
      }
      seen.add(digits);
      result.valid.push({ phone: digits, name });
    }
  }
  return result;
}

/** A line of numbers only, parted by commas or semicolons, counts as several; otherwise the rest is a name. */
function splitLine(raw: string): string[] {
  const line = raw.trim();
  if (line === '') return [];
  const parts = line.split(/[,;\t]/).map((part) => part.trim()).filter((part) => part !== '');
  return parts.every((part) => normalise(part) !== null) ? parts : [line];
}

function splitName(text: string): Recipient {
  const [phone = '', ...rest] = text.split(/[,;\t]/);
  return { phone: phone.trim(), name: rest.join(' ').trim() };
}

function flawOf(digits: string | null, seen: Set<string>): Flaw | null {
  if (digits === null) return 'malformed';
  if (!isIndonesian(digits)) return 'foreign';
  return seen.has(digits) ? 'duplicate' : null;
}

/** Fills `{name}` (or `{nama}`) of a message for one recipient. */
export const render = (message: string, recipient: Recipient): string =>
  message.replace(/\{(?:name|nama)\}/gi, recipient.name);

export const usesName = (message: string): boolean => /\{(?:name|nama)\}/i.test(message);
