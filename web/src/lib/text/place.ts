// Places as people type or paste them: two numbers, or the address of a map that holds them.

export interface Point {
  latitude: number;
  longitude: number;
}

const DOTTED = /(?<![\d.])(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)(?!\d)/;
/** With decimal commas a semicolon or a space stands between the two. */
const COMMAED = /^(-?\d{1,2},\d+)\s*[;\s]\s*(-?\d{1,3},\d+)$/;

/** Returns null when there is no place on the globe in it. */
export function pointOf(typed: string): Point | null {
  const text = typed.trim().replaceAll('\u2212', '-');
  const found = COMMAED.exec(text) ?? DOTTED.exec(text);
  if (!found) return null;
  const [latitude = NaN, longitude = NaN] = found.slice(1).map((number) => Number(number.replace(',', '.')));
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}
