import type { TwinModule } from "./index.js";

export { init, default } from "./index.js";
export type {
  Event,
  Footfall,
  Options,
  Properties,
  Reason,
  SentBatch,
  Status,
} from "./index.js";

/** For `init({ twin: () => import("@footfall/sdk/twin") })`. */
export const load: TwinModule["load"];
