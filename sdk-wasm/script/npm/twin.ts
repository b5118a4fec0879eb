// `@footfall/sdk/twin`: the core as JavaScript.

import type { Options } from "../../index";
import { create } from "../footfall";
import { load } from "../twin";

const footfall = /* @__PURE__ */ create(load);

export { load };

export default footfall;

export function init(options: Options) {
  return footfall.init(options);
}
