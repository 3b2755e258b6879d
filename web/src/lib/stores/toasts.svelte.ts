// Short notes at the edge of the screen, read aloud by screen readers.
import { problemText } from '../text/problem';

export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
}

const STAYS_MS = 6_000;

class Toasts {
  list = $state<Toast[]>([]);
  private last = 0;

  good(text: string): void {
    this.show(text, 'good');
  }

  bad(text: string): void {
    this.show(text, 'bad');
  }

  /** Says what went wrong with a call; anything but a refused call is a defect and is thrown on. */
  problem(error: unknown): void {
    this.show(problemText(error), 'bad');
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  private show(text: string, kind: Toast['kind']): void {
    const id = ++this.last;
    this.list.push({ id, text, kind });
    setTimeout(() => this.dismiss(id), STAYS_MS);
  }
}

export const toasts = new Toasts();
