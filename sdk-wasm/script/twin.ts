// The core as JavaScript, for pages on which WebAssembly is not allowed.

import type { Options } from "../index";
import { instantiate } from "footfall-twin";
import { load as start, type Core } from "./core";

export function load(options: Options): Promise<Core> {
  return start(instantiate, options);
}
