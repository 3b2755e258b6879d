// The language of the interface. Indonesian is the source catalogue; English must have the same keys.
import { remember, recall } from '../storage';
import type { Language } from '../api/types';
import { en } from './en';
import { id } from './id';

export type Key = keyof typeof id;
export type Words = Record<string, string | number>;

const catalogues: Record<Language, Record<Key, string>> = { id, en };

class LanguageChoice {
  current = $state<Language>(recall('language') === 'en' ? 'en' : 'id');

  set(language: Language): void {
    this.current = language;
    remember('language', language);
    document.documentElement.lang = language;
  }
}

export const language = new LanguageChoice();

/** Locale for dates and numbers of the chosen language. */
export const locale = (): string => (language.current === 'id' ? 'id-ID' : 'en-GB');

/**
 * Returns the text of a key with `{names}` filled in. A text of two forms parted by `|` is chosen by
 * `count`: the first for one, the second for all others.
 */
export function t(key: Key, words: Words = {}): string {
  const text = catalogues[language.current][key];
  const forms = text.split('|');
  const form = forms.length === 2 && words.count !== 1 ? forms[1]! : forms[0]!;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const word = words[name];
    return word === undefined ? whole : typeof word === 'number' ? word.toLocaleString(locale()) : word;
  });
}
