import type { Options } from "../index";
import wasm from "footfall-wasm";
import { load } from "./core";
import { create } from "./footfall";
import { compiled } from "./wasm";

const footfall = create(() => load(compiled(decode(wasm))));

/** Not at import: servers import this too, and a visitor may say no. */
async function decode(base64: string): Promise<BufferSource> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

export default /* @__PURE__ */ footfall;

export function init(options: Options) {
  return footfall.init(options);
}
