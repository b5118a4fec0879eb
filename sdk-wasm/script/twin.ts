// The core as JavaScript, for pages on which WebAssembly is not allowed.

import { instantiate } from "footfall-twin";
import { load as start, type Core } from "./core";

export function load(): Promise<Core> {
  return start(instantiate);
}
