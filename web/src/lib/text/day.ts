// Days as the server counts them: `YYYY-MM-DD` on the clocks of Asia/Jakarta.
import { locale } from '../i18n/index.svelte';
import { HOME_ZONE, wallOf } from './zone';

const DAY_MS = 86_400_000;

export const dayOf = (ms: number): string => wallOf(ms, HOME_ZONE).slice(0, 10);

/** The day that lies some days before another. */
export const daysBefore = (day: string, count: number): string =>
  new Date(Date.parse(day) - count * DAY_MS).toISOString().slice(0, 10);

/** Whether a text is a day that exists. */
export const isDay = (text: string): boolean => {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
};

export const shortDay = (day: string): string =>
  new Date(Date.parse(day)).toLocaleDateString(locale(), { timeZone: 'UTC', day: 'numeric', month: 'short' });

export const longDay = (day: string): string =>
  new Date(Date.parse(day)).toLocaleDateString(locale(), { timeZone: 'UTC', dateStyle: 'full' });
