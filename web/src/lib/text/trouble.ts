// Why a device is not connected, in words for its owner. What is not listed here, the server says in a sentence of its own.
import type { Device } from '../api/types';
import { t, type Key } from '../i18n/index.svelte';
import { epoch, inDays } from './time';

export interface Trouble {
  /** Two or three words for a list. */
  name: Key;
  /** What has happened. */
  what: Key;
  /** What to do, or to wait for. */
  next: Key;
  /** Whether pressing Connect is what helps. */
  connects?: boolean;
  /** A page where something can be done about it. */
  place?: { href: string; name: Key };
}

const TROUBLES: Record<string, Trouble> = {
  logged_out: { name: 'trouble.logged_out', what: 'trouble.logged_out_what', next: 'trouble.logged_out_next', connects: true },
  replaced: { name: 'trouble.replaced', what: 'trouble.replaced_what', next: 'trouble.replaced_next', connects: true },
  banned: {
    name: 'trouble.banned',
    what: 'trouble.banned_what',
    next: 'trouble.banned_next',
    place: { href: '/jobs', name: 'trouble.banned_place' },
  },
  outdated: { name: 'trouble.outdated', what: 'trouble.outdated_what', next: 'trouble.outdated_next' },
};

/** Returns the trouble of a device that is not connected, or null when there are no words for it here. */
export function troubleOf(device: Pick<Device, 'isConnected' | 'reason'>): Trouble | null {
  return device.isConnected ? null : (TROUBLES[device.reason ?? ''] ?? null);
}

/** Says what has happened, and until when if that is known. */
export function whatHappened(trouble: Trouble, device: Pick<Device, 'bannedUntil'>, now: number): string {
  const until = epoch(device.bannedUntil);
  return until === null ? t(trouble.what) : t('trouble.banned_until', { until: inDays(until, now) });
}
