import type { Properties } from "../index";
import { extras } from "./extras";
import { captures } from "./settings";

/** The campaign that the address names, if there is one. */
export function campaign(query = location.search): Properties | undefined {
  const wanted = (captures("click-ids") && extras?.CLICK_IDS) || /^utm_\w+$/;
  const found = [...new URLSearchParams(query)].filter(([name, value]) => value && wanted.test(name));
  return found[0] && Object.fromEntries(found);
}
