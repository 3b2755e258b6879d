// Rules for message texts, as the server applies them.

/** Longest text of one message, in characters (code points). */
export const MESSAGE_MAX = 4096;

export const lengthOf = (text: string): number => [...text].length;
