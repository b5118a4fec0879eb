import type { Footfall } from "./index.js";

declare global {
  interface Window {
    /** Set by the tag, and by `init` of the package. */
    footfall?: Footfall;
  }
}

export {};
