import type { Footfall, Options as Common } from "./index.js";

export type {
  Event,
  Footfall,
  Properties,
  Reason,
  SentBatch,
  Status,
} from "./index.js";

/** Where the wasm is, or the wasm itself. */
export type WasmSource = string | URL | Response | BufferSource;

export interface Options extends Common {
  /** `footfall.wasm` of this package, as your bundler or your server hands it out. */
  wasm: WasmSource | Promise<WasmSource>;
}

/** Starts to record; the same as `footfall.init`. */
export function init(options: Options): Footfall;

declare const footfall: Omit<Footfall, "init"> & { init(options: Options): Footfall };
export default footfall;
