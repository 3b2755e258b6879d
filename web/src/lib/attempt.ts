// Sending once although the answer got lost: whoever presses the button again with the same content repeats the same call.
import { ApiError } from './api/client';
import { randomKey } from './random';

export class Attempt {
  private content = '';
  private key = '';

  /** Runs a call under a key that stays the same until the server has answered for this content. */
  async run<T>(content: unknown, call: (key: string) => Promise<T>): Promise<T> {
    const text = JSON.stringify(content);
    if (text !== this.content) {
      this.content = text;
      this.key = randomKey();
    }
    try {
      const answer = await call(this.key);
      this.content = '';
      return answer;
    } catch (error) {
      if (!isUnclear(error)) this.content = '';
      throw error;
    }
  }
}

/** After a refusal nothing was sent; without an answer, or after a fault of the server, nobody knows. */
const isUnclear = (error: unknown): boolean => error instanceof ApiError && (error.status === 0 || error.status >= 500);
