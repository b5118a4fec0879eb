// `@footfall/sdk`: one file with the wasm in it.

import type { Options } from "../../index";
import wasm from "footfall-wasm";
import { load } from "../core";
import { create } from "../footfall";
import { compiled } from "../wasm";
import { orTwin } from "./or-twin";

const footfall = /* @__PURE__ */ create((options) =>
  orTwin(load(compiled(decode(wasm)), options), options),
);

/** Not at import: servers import this too, and a visitor may say no. */
async function decode(base64: string): Promise<BufferSource> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

export default footfall;

export function init(options: Options) {
  return footfall.init(options);
}
