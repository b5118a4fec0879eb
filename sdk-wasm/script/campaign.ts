import type { Properties } from "../index";
import { captures } from "./settings";

/** What advertisers call a click; each names one person. */
const CLICK_IDS = /^(utm_\w+|[dg]clid|[gw]braid|fbclid|msclkid|ttclid|twclid|li_fat_id)$/;

/** The campaign that the address names, if there is one. */
export function campaign(query = location.search): Properties | undefined {
  const wanted = captures("click-ids") ? CLICK_IDS : /^utm_\w+$/;
  const found = [...new URLSearchParams(query)].filter(([name, value]) => value && wanted.test(name));
  return found[0] && Object.fromEntries(found);
}
