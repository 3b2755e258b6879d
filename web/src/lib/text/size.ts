import { locale } from '../i18n/index.svelte';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];

/** A size in bytes as people say it: `1,2 MB`. */
export function fileSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  const digits = size < 10 && unit > 0 ? 1 : 0;
  const words = { style: 'unit', unit: UNITS[unit], unitDisplay: 'short', maximumFractionDigits: digits } as const;
  return size.toLocaleString(locale(), words);
}
