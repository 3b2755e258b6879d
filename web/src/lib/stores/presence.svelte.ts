// Who is there and who writes in one open chat. It is told live only and kept nowhere.
import { ApiError } from '../api/client';
import { follow, unfollow } from '../api/presence';
import type { LiveEvent } from '../api/types';
import { epoch } from '../text/time';
import { feed } from './feed.svelte';

/** People who stop writing often say nothing; after this long they count as having stopped. */
const FORGET_MS = 10_000;

export class Presence {
  /** Who writes or speaks at this moment, in groups one of them. */
  writer = $state.raw<{ from: string; speaks: boolean } | null>(null);
  online = $state(false);
  /** Epoch ms; null when they let nobody know. */
  lastSeen = $state<number | null>(null);
  private follows = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stops: (() => void)[];

  constructor(
    private readonly deviceId: string,
    private readonly jid: string,
  ) {
    this.stops = [feed.listen((event) => this.apply(event)), feed.onGap(() => void (this.follows && this.follow()))];
  }

  private get isPerson(): boolean {
    return !this.jid.endsWith('@g.us');
  }

  /** Asks to be told about the person. Without that the chat works just as well. */
  async follow(): Promise<void> {
    if (!this.isPerson) return;
    this.follows = true;
    await follow(this.deviceId, this.jid).catch(quiet);
  }

  close(): void {
    clearTimeout(this.timer);
    this.stops.forEach((stop) => stop());
    if (this.follows) void unfollow(this.deviceId, this.jid).catch(quiet);
  }

  private apply(event: LiveEvent): void {
    if (!('deviceId' in event) || event.deviceId !== this.deviceId) return;
    if (event.type === 'contact.presence' && (event.jid === this.jid || event.lid === this.jid)) {
      this.online = event.presence === 'available';
      this.lastSeen = epoch(event.lastSeen);
    }
    if (event.type === 'message.received' && event.chatJid === this.jid) this.stopped();
    if (event.type !== 'chat.presence' || (event.chatJid !== this.jid && event.chatLid !== this.jid)) return;
    clearTimeout(this.timer);
    if (event.state === 'paused') return this.stopped();
    this.writer = { from: event.from, speaks: event.state === 'recording' };
    this.timer = setTimeout(() => this.stopped(), FORGET_MS);
  }

  private stopped(): void {
    clearTimeout(this.timer);
    this.writer = null;
  }
}

function quiet(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
}
