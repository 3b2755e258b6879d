// Small choices of this browser (theme, language, last device). Never a token, never message text. Storage
// may be refused by the browser; a choice then lasts as long as the page.

type Name = 'theme' | 'language' | 'device' | 'phone' | 'signed-in';

export function recall(name: Name): string | null {
  try {
    return localStorage.getItem(`kurir.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: Name, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`kurir.${name}`);
    else localStorage.setItem(`kurir.${name}`, value);
  } catch {
    // Without storage the choice is simply not remembered.
  }
}
