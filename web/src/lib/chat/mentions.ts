// Mentions while somebody writes: `@` and a beginning of a name is a question, `@Name` is an answer.

export interface Person {
  jid: string;
  label: string;
}

/** The beginning of a name behind an `@` right before the caret, or null when nobody is being looked for. */
export function askedFor(text: string, caret: number): string | null {
  return /(?:^|\s)@([\p{L}\p{N}_.\- +]{0,30})$/u.exec(text.slice(0, caret))?.[1] ?? null;
}

/** Puts a person in the place of what was typed of them; returns the text and where the caret goes. */
export function complete(text: string, caret: number, asked: string, person: Person): { text: string; caret: number } {
  const start = caret - asked.length - 1;
  const name = `@${person.label} `;
  return { text: text.slice(0, start) + name + text.slice(caret), caret: start + name.length };
}

/** The text with `{m1}`, `{m2}` … where people stand, as the server wants it, and who they are. */
export function placed(text: string, people: Person[]): { text: string; mentions: string[] } {
  const mentions: string[] = [];
  let rest = text;
  // Longer names first, so that "@Budi" does not take the beginning of "@Budi Santoso".
  for (const { jid, label } of [...people].sort((a, b) => b.label.length - a.label.length)) {
    if (!rest.includes(`@${label}`)) continue;
    mentions.push(jid);
    rest = rest.replaceAll(`@${label}`, `{m${mentions.length}}`);
  }
  return { text: rest, mentions };
}
