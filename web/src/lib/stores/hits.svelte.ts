// What a search has found so far; more is asked for in steps.
import { ApiError } from '../api/client';
import { searchMessages, type SearchQuery } from '../api/history';
import type { Hit } from '../api/types';
import type { Loading } from './loading';

export interface Search extends SearchQuery {
  /** Empty for all own devices. */
  deviceId: string;
}

export class Hits {
  list = $state.raw<Hit[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  next = $state<string | null>(null);
  private asked: Search | null = null;

  /** Looks for something else. */
  async load(search: Search): Promise<void> {
    this.asked = search;
    this.list = [];
    this.next = null;
    this.loading = 'first';
    await this.fetch(search);
  }

  async more(): Promise<void> {
    if (!this.asked || !this.next || this.loading !== 'done') return;
    this.loading = 'again';
    await this.fetch(this.asked, this.next);
  }

  async retry(): Promise<void> {
    if (this.asked) await this.load(this.asked);
  }

  /** The answer to an older search that comes late is dropped. */
  private async fetch(search: Search, before?: string): Promise<void> {
    const { deviceId, ...query } = search;
    try {
      const page = await searchMessages(deviceId, { ...query, before });
      if (search !== this.asked) return;
      this.list = [...this.list, ...page.messages];
      this.next = page.hasMore ? page.nextBefore : null;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (search !== this.asked) return;
      this.error = error;
    }
    this.loading = 'done';
  }
}
