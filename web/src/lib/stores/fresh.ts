// Reading what live events move. An answer may be older than an event that arrived while it was on its way.

/** A stream that never rests must not keep a reader waiting; the next event mends what is then still old. */
const MOST_READINGS = 4;

export class Fresh {
  private events = 0;

  /** Notes that an event has changed what is being read. */
  changed(): void {
    this.events += 1;
  }

  /** Reads until no event came in between. */
  async read<T>(ask: () => Promise<T>): Promise<T> {
    for (let readings = 1; ; readings += 1) {
      const before = this.events;
      const answer = await ask();
      if (before === this.events || readings === MOST_READINGS) return answer;
    }
  }
}
