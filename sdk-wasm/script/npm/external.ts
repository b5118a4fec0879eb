// `@footfall/sdk/external`: the site says where the wasm is.

import type { Options, WasmSource } from "../../external";
import { load } from "../core";
import { create } from "../footfall";
import { compiled } from "../wasm";
import { orTwin } from "./or-twin";

const footfall = /* @__PURE__ */ create((options) =>
  orTwin(load(compiled(bytes((options as Options).wasm)), options), options),
);

async function bytes(source: WasmSource | Promise<WasmSource>): Promise<BufferSource> {
  const given = await source;
  if (typeof given === "string" || given instanceof URL) {
    return (await fetch(given)).arrayBuffer();
  }
  return given instanceof Response ? given.arrayBuffer() : given;
}

export default footfall;

export function init(options: Options) {
  return footfall.init(options);
}
