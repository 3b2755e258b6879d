// How much of the history that a phone hands over after the linking has come, per device, since this page was opened.
import type { LiveEvent } from '../api/types';
import { feed } from './feed.svelte';

export interface Synced {
  /** Percent of what is coming now; null when the phone did not say, or between two kinds. */
  progress: number | null;
  /** Messages that were not known before. */
  messages: number;
  done: boolean;
}

/** The kinds that carry messages. A transfer has the first one and one of the others, and they may arrive in any order. */
const FIRST = 'initial';
const LAST = ['recent', 'full'];

class Sync {
  private kinds = $state<Record<string, Record<string, number | null>>>({});
  private messages = $state<Record<string, number>>({});

  /** Returns null when there is nothing to tell. */
  of(deviceId: string): Synced | null {
    const kinds = this.kinds[deviceId];
    if (!kinds) return null;
    const open = Object.values(kinds).filter((progress) => progress !== 100);
    const messages = this.messages[deviceId] ?? 0;
    if (open.length === 0 && messages === 0) return null;
    const done = open.length === 0 && FIRST in kinds && LAST.some((kind) => kind in kinds);
    return { progress: open[0] ?? null, messages, done };
  }

  apply(event: LiveEvent): void {
    if (event.type === 'qr-code' || event.type === 'pairing-code') this.forget(event.deviceId);
    // What somebody asked for in a chat shows there.
    if (event.type !== 'history.progress' || (event.kind !== FIRST && !LAST.includes(event.kind))) return;
    const { deviceId: id, kind, progress } = event;
    const before = this.kinds[id]?.[kind] ?? 0;
    // Parts are worked on side by side, so that the last one need not come last.
    this.kinds[id] = { ...this.kinds[id], [kind]: progress === null ? null : Math.max(before, progress) };
    this.messages[id] = (this.messages[id] ?? 0) + event.messages;
  }

  private forget(id: string): void {
    delete this.kinds[id];
    delete this.messages[id];
  }
}

export const sync = new Sync();

feed.listen((event) => sync.apply(event));
