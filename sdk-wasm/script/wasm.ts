import type { Instantiate } from "./core";

/** Compiles what a request or a decoder will have brought. */
export function compiled(bytes: Promise<BufferSource>): Instantiate {
  return async (imports) => (await WebAssembly.instantiate(await bytes, imports)).instance.exports;
}
