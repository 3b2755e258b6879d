// Times from the server come as local text (Jakarta), ISO text or epoch milliseconds; people see them relative.
import { locale, t } from '../i18n/index.svelte';

export type Timestamp = string | number | null | undefined;

/** Epoch milliseconds, or null when there is no time or it cannot be read. */
export function epoch(value: Timestamp): number | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'number') return value < 1e11 ? value * 1000 : value;
  const local = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(value);
  const parsed = Date.parse(local ? `${local[1]}T${local[2]}+07:00` : value);
  return Number.isNaN(parsed) ? null : parsed;
}

/** The exact moment, for hover and screen readers. */
export const exact = (ms: number): string =>
  new Date(ms).toLocaleString(locale(), { dateStyle: 'full', timeStyle: 'medium' });

export const clock = (ms: number): string =>
  new Date(ms).toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "5 minutes ago"; days older than a week become a date. */
export function relative(ms: number, now: number): string {
  const past = now - ms;
  if (past < 45_000 && past > -45_000) return t('time.now');
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  const size = Math.abs(past);
  if (size < HOUR) return words.format(-Math.round(past / MINUTE), 'minute');
  if (size < DAY) return words.format(-Math.round(past / HOUR), 'hour');
  if (size < 7 * DAY) return words.format(-Math.round(past / DAY), 'day');
  return new Date(ms).toLocaleDateString(locale(), { day: 'numeric', month: 'short', year: 'numeric' });
}

/** The separator above a day's messages: today, yesterday, or the date. */
export function dayName(ms: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(ms)) / DAY);
  if (days === 0) return t('time.today');
  if (days === 1) return t('time.yesterday');
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return new Date(ms).toLocaleDateString(locale(), { weekday: 'long', day: 'numeric', month: 'long', year });
}

/** The time column of a chat list: a clock time today, else a day. */
export function shortTime(ms: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(ms)) / DAY);
  if (days === 0) return clock(ms);
  if (days === 1) return t('time.yesterday');
  return new Date(ms).toLocaleDateString(locale(), { day: 'numeric', month: 'numeric', year: '2-digit' });
}

/** A moment to come, as people say it: "14:30", "tomorrow at 14:30", else with the day. */
export function inDays(ms: number, now: number): string {
  const days = Math.round((startOfDay(ms) - startOfDay(now)) / DAY);
  if (days === 0) return t('time.at', { time: clock(ms) });
  if (days === 1) return t('time.tomorrow_at', { time: clock(ms) });
  const day = new Date(ms).toLocaleDateString(locale(), { day: 'numeric', month: 'long' });
  return t('time.day_at', { day, time: clock(ms) });
}

export const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** A length of sound or film, `1:05`. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A duration in words, rounded as people would say it. */
export function aboutDuration(seconds: number): string {
  if (seconds < 50) return t('time.under_minute');
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return t('time.about_minutes', { count: minutes });
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (rest === 0) return t('time.about_hours', { count: hours });
  return t('time.about_hours_minutes', { hours, minutes: rest });
}
