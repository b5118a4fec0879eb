let broken = false;
let busy = false;
let mourn = () => {};
const later: Array<() => unknown> = [];

/**
 * The one way into the wasm: never twice at a time, and never again after a trap, for then its
 * memory is as the trap left it. Nothing is thrown into the page.
 */
export function enter<T>(call: () => T): T | undefined {
  if (broken) {
    return undefined;
  }
  if (busy) {
    // A call from within a call, as from a `fetch` of the page's own. Its own task, lest it never ends.
    later.push(call);
    globalThis.setTimeout(() => later.splice(0).forEach(enter));
    return undefined;
  }
  busy = true;
  try {
    return call();
  } catch {
    broken = true;
    mourn();
    return undefined;
  } finally {
    busy = false;
  }
}

/** Calls back when the wasm has trapped. */
export function onBroken(callback: () => void): void {
  mourn = callback;
}

export function isBroken(): boolean {
  return broken;
}

/** What the glue calls, in place of the global: timers enter the wasm as well. */
export function setTimeout(run: () => void, ms: number): number {
  return globalThis.setTimeout(() => enter(run), ms) as unknown as number;
}
