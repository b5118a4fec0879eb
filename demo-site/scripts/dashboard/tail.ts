// The newest events, each once.

import type { Event } from "./streams.ts";

/** How many events are kept. */
export const MOST_EVENTS = 100;

/** How many delays the usual one is taken from. */
const MOST_DELAYS = 21;

export class Tail {
  #events: Event[] = [];
  #delays: number[] = [];

  /** The newest first. */
  get events(): readonly Event[] {
    return this.#events;
  }

  /** Takes an event; false when it is there already, as after a connection that was made again. */
  add(event: Event): boolean {
    if (this.#events.some(({ id }) => id === event.id)) {
      return false;
    }
    const place = this.#events.findIndex(({ time }) => time <= event.time);
    this.#events.splice(place < 0 ? this.#events.length : place, 0, event);
    this.#events.length = Math.min(this.#events.length, MOST_EVENTS);
    return true;
  }

  /** Takes how long an event was under way, in milliseconds. */
  measure(delay: number): void {
    this.#delays = [...this.#delays, Math.max(delay, 0)].slice(-MOST_DELAYS);
  }

  /** The usual delay of late: the median, in milliseconds; nothing before the first one. */
  get delay(): number | undefined {
    const sorted = [...this.#delays].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}
