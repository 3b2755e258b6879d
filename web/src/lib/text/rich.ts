// WhatsApp's marks in texts: *bold*, _italic_, ~struck~, ```code```, web addresses and mentions.

export type Piece =
  | { kind: 'text' | 'bold' | 'italic' | 'strike' | 'code'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; user: string };

const MARKS =
  /```([\s\S]+?)```|(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])|(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])|(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])|(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])|@(\d{5,20})\b/g;

/** Cuts a text into pieces. What is inside a mark is taken as it stands. */
export function rich(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(MARKS)) {
    const [whole, code, bold, italic, strike, link, user] = found;
    if (found.index > end) pieces.push({ kind: 'text', text: text.slice(end, found.index) });
    end = found.index + whole.length;
    if (code !== undefined) pieces.push({ kind: 'code', text: code });
    else if (bold !== undefined) pieces.push({ kind: 'bold', text: bold });
    else if (italic !== undefined) pieces.push({ kind: 'italic', text: italic });
    else if (strike !== undefined) pieces.push({ kind: 'strike', text: strike });
    else if (link !== undefined) pieces.push({ kind: 'link', text: link, href: link });
    else pieces.push({ kind: 'mention', text: whole, user: user ?? '' });
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}
