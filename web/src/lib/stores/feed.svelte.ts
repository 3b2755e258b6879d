// The live event stream. Stores listen here; nothing polls where an event exists.
import { getProfile } from '../api/accounts';
import type { LiveEvent } from '../api/types';

type Listener = (event: LiveEvent) => void;

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

class Feed {
  state = $state<'off' | 'connecting' | 'live' | 'waiting'>('off');

  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = FIRST_RETRY_MS;
  private readonly listeners = new Set<Listener>();
  private readonly gapListeners = new Set<() => void>();

  /** Calls back for every event; returns the way to stop. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when the stream becomes live: what was read before that may have missed something. */
  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener);
    return () => this.gapListeners.delete(listener);
  }

  start(): void {
    if (this.source) return;
    if (this.state === 'off') this.state = 'connecting';
    const source = new EventSource('/api/events');
    this.source = source;
    source.onopen = () => this.opened();
    source.onmessage = (message) => this.receive(message.data);
    // The browser resumes a broken stream itself, with Last-Event-ID; only a refused one needs us.
    source.onerror = () => (source.readyState === EventSource.CLOSED ? this.refused() : (this.state = 'waiting'));
  }

  stop(): void {
    this.close();
    this.state = 'off';
  }

  private close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private opened(): void {
    this.state = 'live';
    this.retryMs = FIRST_RETRY_MS;
    this.gapListeners.forEach((tell) => tell());
  }

  private receive(text: string): void {
    const event = JSON.parse(text) as LiveEvent;
    if (event.type === 'token-expired') this.refused();
    else this.listeners.forEach((tell) => tell(event));
  }

  /** The session ran out or the server is restarting: renew, then try again with growing pauses. */
  private refused(): void {
    this.close();
    this.state = 'waiting';
    this.timer = setTimeout(() => void this.reopen(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private async reopen(): Promise<void> {
    // Any call renews the session on the way, and ends it for good when that is refused.
    await getProfile().catch(() => undefined);
    if (this.state === 'waiting') this.start();
  }
}

export const feed = new Feed();
