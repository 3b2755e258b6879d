// Where the words of a search stand in a text, as the server looks for them: case and accents do not matter, and the
// last word may be the beginning of one.

export interface Stretch {
  text: string;
  found: boolean;
}

/** Letters before the first found word that are shown with it. */
const BEFORE = 40;

/** Cuts a text into what was found and what was not. A long text begins shortly before the first found word. */
export function marked(text: string, search: string): Stretch[] {
  const words = new Set(pieces(search).map(({ plain }) => plain));
  const last = pieces(search).at(-1)?.plain ?? '';
  const hits = pieces(text).filter(({ plain }) => words.has(plain) || (last !== '' && plain.startsWith(last)));
  const first = hits[0]?.at ?? 0;
  let end = first > BEFORE ? first - BEFORE : 0;
  const stretches: Stretch[] = end > 0 ? [{ text: '…', found: false }] : [];
  for (const { at, word } of hits) {
    if (at > end) stretches.push({ text: text.slice(end, at), found: false });
    stretches.push({ text: word, found: true });
    end = at + word.length;
  }
  if (end < text.length) stretches.push({ text: text.slice(end), found: false });
  return stretches;
}

function pieces(text: string): { word: string; plain: string; at: number }[] {
  return Array.from(text.matchAll(/[\p{L}\p{N}\p{M}]+/gu), ({ 0: word, index }) => ({
    word,
    plain: word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase(),
    at: index,
  }));
}
