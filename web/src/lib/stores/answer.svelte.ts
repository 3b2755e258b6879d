// One answer of the server for a page that shows nothing else, with the state of asking for it.
import { ApiError } from '../api/client';
import type { Loading } from './loading';

export class Answer<T> {
  value = $state.raw<T | null>(null);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  private turn = 0;

  /** Asks; the answer to an older question that comes late is dropped. */
  async load(ask: () => Promise<T>): Promise<void> {
    const turn = ++this.turn;
    try {
      const value = await ask();
      if (turn !== this.turn) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.turn) return;
      this.value = null;
      this.error = error;
    }
    this.loading = 'done';
  }
}
