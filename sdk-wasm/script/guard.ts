import type { Call } from "./code";
import { call } from "./glue";
import { answered } from "./host";

let broken = false;
let busy = false;
let mourn = () => {};
const later: Array<Parameters<typeof enter>> = [];

/**
 * The one way into the wasm: never twice at a time, and never again after a trap, for then its
 * memory is as the trap left it. Nothing is thrown into the page. Returns the answer, if there is one.
 */
export function enter(what: Call, text = "", ...numbers: number[]): string | undefined {
  if (broken) {
    return undefined;
  }
  if (busy) {
    // A call from within a call, as from a `fetch` of the page's own. Its own task, lest it never ends.
    later.push([what, text, ...numbers]);
    setTimeout(() => later.splice(0).forEach((call) => enter(...call)));
    return undefined;
  }
  busy = true;
  try {
    call(what, text, numbers);
    return answered();
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
