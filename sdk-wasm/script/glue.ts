// The wire between JavaScript and the wasm: numbers as they are, texts as UTF-8 in the wasm's memory. It is what
// wasm-bindgen makes of `src/browser.rs` and `src/browser/host.rs`, without what it makes for every other kind of value.

import type { Call } from "./code";
import { ask, tell } from "./host";
import { utf8 } from "./utf8";

/** What the wasm, or its twin, exports. */
interface Wasm {
  memory: WebAssembly.Memory;
  malloc(bytes: number, alignment: number): number;
  call(what: Call, now: number, ...textThenNumbers: number[]): void;
}

let wasm: Wasm;

/** What the wasm imports. A text that it asks for it finds where `to` points: its address, or 0, and its length. */
export const imports = {
  a: {
    ask(to: number, what: number, at: number, length: number) {
      const text = ask(what, read(at, length));
      const placed = text === undefined ? [0, 0] : place(text);
      new Int32Array(wasm.memory.buffer).set(placed, to / 4);
    },
    tell: (what: number, value: number, at: number, length: number, at2: number, length2: number) =>
      tell(what, read(at, length), read(at2, length2), value),
  },
};

export function connect(exports: WebAssembly.Exports): void {
  wasm = exports as unknown as Wasm;
}

export function call(what: Call, text: string, numbers: number[]): void {
  wasm.call(what, Date.now(), ...place(text), ...numbers);
}

/** Gives the wasm a text, which is its own from now on. */
function place(text: string): [at: number, length: number] {
  const bytes = utf8(text);
  const at = wasm.malloc(bytes.length, 1);
  // The memory may just have grown, and what was made of its buffer before is empty then.
  new Uint8Array(wasm.memory.buffer).set(bytes, at);
  return [at, bytes.length];
}

function read(at: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, at, length));
}
