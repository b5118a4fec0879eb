import type { VitalsModule } from "./index.js";

/** For `init({ vitals: () => import("@footfall/sdk/vitals") })`. */
export const measure: VitalsModule["measure"];
