// Variables in texts, `{name}` or `{{name}}`, as the server reads them.

const VARIABLE = /\{\{\s*(\w{1,50})\s*\}\}|\{\s*(\w{1,50})\s*\}/g;

/** The names of the variables of a text, each once, in their order. */
export function variablesOf(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(VARIABLE), (found) => found[1] ?? found[2] ?? ''))];
}

/** Puts values into their places; variables without a value stay as they are written. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(VARIABLE, (whole, doubled: string | undefined, single: string | undefined) => {
    const name = doubled ?? single ?? '';
    return Object.hasOwn(values, name) ? (values[name] ?? '') : whole;
  });
}
