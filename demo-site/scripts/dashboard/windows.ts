// The windows of one stream: which one to show, and what is in it.

import type { Count, Stream } from "./streams.ts";

/** How many keys of one window are kept: more than any list shows, and a bound for what visitors make up. */
const MOST_KEYS = 500;

/**
 * The start of the window that covers `now` and ends soonest after it: of all that cover it, the one that
 * holds most of what happened.
 */
export function liveliest(now: number, { size, advance }: Stream): number {
  return (Math.floor((now - size) / advance) + 1) * advance;
}

/** One key and its count. */
export interface Ranked {
  key: string;
  count: number;
}

/** The counts of a stream's windows as far as they are known. */
export class Windows {
  readonly #counts = new Map<number, Map<string, number>>();

  /**
   * Takes a count. Within one run of the processor counts only grow, so the greater one is the newer one,
   * whether it came by query or live.
   */
  add({ start, key, count }: Count): void {
    const window = this.#counts.get(start) ?? new Map<string, number>();
    this.#counts.set(start, window);
    window.set(key, Math.max(count, window.get(key) ?? 0));
    if (window.size > MOST_KEYS) {
      window.delete(least(window));
    }
  }

  /** Forgets the windows that start before a time. */
  forget(before: number): void {
    for (const start of this.#counts.keys()) {
      if (start < before) {
        this.#counts.delete(start);
      }
    }
  }

  /** The greatest counts of a window, the greatest first; ties by key, so that rows do not jump. */
  top(start: number, length: number): Ranked[] {
    const all = [...(this.#counts.get(start) ?? [])].map(([key, count]) => ({ key, count }));
    return all.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, length);
  }

  /** The sum of a window over all keys; a window that nobody heard of is empty. */
  total(start: number): number {
    return [...(this.#counts.get(start)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }
}

function least(window: ReadonlyMap<string, number>): string {
  return [...window].reduce((least, entry) => (entry[1] < least[1] ? entry : least))[0];
}
