// Numbers as people paste them from a table or a chat: one per line, a name may follow the number. A first line of
// headings names further columns, which then fill the variables of the message.
import { isIndonesian, normalise } from '../../lib/text/phone';
import { fill } from '../../lib/text/template';

/** The server takes at most this many messages in one job. */
export const BULK_MAX = 10_000;

export interface Recipient {
  phone: string;
  name: string;
  /** What the other columns of the recipient's line say, by the names of the columns. */
  values: Record<string, string>;
}

export type Flaw = 'malformed' | 'foreign' | 'duplicate';

export interface Recipients {
  valid: Recipient[];
  flawed: { line: number; text: string; flaw: Flaw }[];
  /** Names of the columns, when the first line gives them. */
  columns: string[];
}

/** Which numbers count: those the sending routes take, or those of every country. */
export type NumberRule = 'indonesian' | 'any';

/** Sorts pasted lines into numbers that will be sent to and lines that will be left out, with the reason. */
export function parseRecipients(pasted: string, rule: NumberRule = 'indonesian'): Recipients {
  const lines = pasted.split('\n');
  const columns = headings(lines[0] ?? '');
  const seen = new Set<string>();
  const result: Recipients = { valid: [], flawed: [], columns };
  for (const [index, raw] of lines.entries()) {
    if (index === 0 && columns.length > 0) continue;
    for (const text of columns.length > 0 ? [raw.trim()].filter(Boolean) : splitLine(raw)) {
      const read = columns.length > 0 ? readColumns(text, columns) : splitName(text);
      const digits = normalise(read.phone);
      const flaw = flawOf(digits, seen, rule);
      if (flaw !== null || digits === null) {
        result.flawed.push({ line: index + 1, text, flaw: flaw ?? 'malformed' });
        continue;
      }
      seen.add(digits);
      result.valid.push({ ...read, phone: digits });
    }
  }
  return result;
}

const CELL = /[,;\t]/;
const PHONE_HEADING = /^(phone|nomor|no|number|telepon|telp|hp|wa|whatsapp)/;
const NAME_HEADING = /^(name|nama)/;

/** The names of the columns, if a line holds headings: several cells, none of them with a number to send to. */
function headings(line: string): string[] {
  const cells = line.split(CELL).map((cell) => cell.trim().toLowerCase().replace(/\W+/g, '_').replace(/^_|_$/g, ''));
  const named = cells.length > 1 && cells.every((cell) => /^[a-z]\w*$/.test(cell));
  return named ? cells : [];
}

function readColumns(line: string, columns: string[]): Recipient {
  const cells = line.split(CELL).map((cell) => cell.trim());
  const values = Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  const phone = Math.max(0, columns.findIndex((column) => PHONE_HEADING.test(column)));
  const name = columns.findIndex((column) => NAME_HEADING.test(column));
  return { phone: cells[phone] ?? '', name: name < 0 ? '' : (cells[name] ?? ''), values };
}

/** A line of numbers only, parted by commas or semicolons, counts as several; otherwise the rest is a name. */
function splitLine(raw: string): string[] {
  const line = raw.trim();
  if (line === '') return [];
  const parts = line.split(CELL).map((part) => part.trim()).filter((part) => part !== '');
  return parts.every((part) => normalise(part) !== null) ? parts : [line];
}

function splitName(text: string): Recipient {
  const [phone = '', ...rest] = text.split(CELL);
  return { phone: phone.trim(), name: rest.join(' ').trim(), values: {} };
}

function flawOf(digits: string | null, seen: Set<string>, rule: NumberRule): Flaw | null {
  if (digits === null) return 'malformed';
  if (rule === 'indonesian' && !isIndonesian(digits)) return 'foreign';
  return seen.has(digits) ? 'duplicate' : null;
}

/** The variables that every recipient has a value for, besides the pasted columns. */
export const OWN_VARIABLES = ['name', 'nama', 'phone', 'nomor'];

/** Fills the variables of a message for one recipient; `shared` are the values that all recipients get. */
export function render(message: string, recipient: Recipient, shared: Record<string, string> = {}): string {
  const { phone, name, values } = recipient;
  return fill(message, { ...shared, name, nama: name, phone, nomor: phone, ...values });
}

export const usesName = (message: string): boolean => /\{\s*(?:name|nama)\s*\}/.test(message);
