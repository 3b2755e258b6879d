// Wall-clock times in a time zone, for planning: what somebody types stands for a moment that depends on the zone.
import { locale } from '../i18n/index.svelte';

/** The zones of the archipelago first; they are what most people here look for. */
const NEAR = ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'];

export const HOME_ZONE = 'Asia/Jakarta';

/** Every zone the browser knows, the near ones and the browser's own first. */
export function zones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set([...NEAR, own, ...Intl.supportedValuesOf('timeZone')])];
}

/** Epoch ms of a wall-clock time (`2025-01-31T09:30`) in a zone; null when it cannot be read. */
export function momentOf(wall: string, zone: string): number | null {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return null;
  // The offset at the guess may differ from the one at the result, across a daylight-saving change: look twice.
  const guess = asUtc - offset(asUtc, zone);
  return asUtc - offset(guess, zone);
}

/** The wall-clock time of a moment in a zone, as an input of type datetime-local wants it. */
export function wallOf(ms: number, zone: string): string {
  return new Date(ms + offset(ms, zone)).toISOString().slice(0, 16);
}

/** A moment as people of a zone say it, with the zone's short name. */
export const inZone = (ms: number, zone: string): string =>
  new Date(ms).toLocaleString(locale(), {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  });

/** Milliseconds that the clocks of a zone are ahead of UTC at a moment. */
function offset(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(ms / 1000) * 1000;
}
