// What stands around the figures.

import type { State } from "./connection.ts";

const SAYS: Record<State, string> = {
  connecting: "Connecting …",
  live: "Live",
  lost: "Connection lost, trying again",
};

/** Says how the connection is, and why where the server said it. */
export function showState(place: HTMLElement, state: State, why: string): void {
  place.dataset.state = state;
  text(place, why ? `${SAYS[state]}: ${why}` : SAYS[state]);
}

/** Changes a text only where it differs, so that nothing is read out twice. */
export function text(place: HTMLElement, value: string): void {
  if (place.textContent !== value) {
    place.textContent = value;
  }
}
