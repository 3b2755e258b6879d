// The part of a long history that stands in the page. All that was loaded is kept, oldest first; the page holds a
// stretch of it that moves with the reader, so that a chat of years stays light.

/** Most items in the page at once. */
const MOST = 200;
/** How many come and go at a time. */
const STEP = 50;

export class Stretch<T> {
  all = $state<T[]>([]);
  start = $state(0);
  end = $state(0);
  shown = $derived(this.all.slice(this.start, this.end));
  atNewest = $derived(this.end === this.all.length);

  /** Puts an item in its place; one behind the newest that is shown is shown, too. */
  insert(index: number, item: T): void {
    const wasNewest = this.end === this.all.length;
    this.all.splice(index, 0, item);
    if (index < this.start) this.start += 1;
    if (index < this.end || (index === this.end && wasNewest)) this.end += 1;
  }

  /** Puts older items in front of all others and shows them. */
  prepend(items: T[]): void {
    this.all.unshift(...items);
    this.end = Math.min(this.end + items.length, this.start + MOST);
  }

  /** Shows older items that are loaded already. */
  older(): void {
    this.start = Math.max(0, this.start - STEP);
    this.end = Math.min(this.end, this.start + MOST);
  }

  newer(): void {
    this.end = Math.min(this.all.length, this.end + STEP);
    this.start = Math.max(this.start, this.end - MOST);
  }

  newest(): void {
    this.end = this.all.length;
    this.start = Math.max(0, this.end - STEP);
  }

  /** Lets go of the oldest ones while the reader is at the end. */
  trim(): void {
    if (this.end - this.start > MOST) this.start = this.end - MOST / 2;
  }

  around(index: number): void {
    this.start = Math.max(0, index - STEP);
    this.end = Math.min(this.all.length, index + STEP);
  }
}
