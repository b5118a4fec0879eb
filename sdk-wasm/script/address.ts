import { captures, stores, text } from "./settings";
import { attempt, TYPED, typed } from "./store";
import { isTyped } from "./typed";

/** Query parameters that are never sent, in any case. */
const DENIED =
  "token code password pass secret key auth session sid email mail phone tel name address q query search s";

/** The most bytes of an address that a gateway takes. What the browser has parsed is ASCII. */
const LONGEST = 4096;

let denied = new Set<string>();
let kept = new Set<string>();
let byHash = false;
/** Whether the names of fields that people have typed into are denied already. */
let knowsTyped = false;

/** Reads what the site denies and keeps. */
export function readAddressOptions(): void {
  denied = new Set(words(DENIED + " " + text("denyQuery")));
  kept = new Set(words(text("keepQuery")));
  byHash = captures("hash");
  knowsTyped = false;
}

/** Removes these parameters too, for as long as this tab lives, unless the site keeps them. */
export function hide(names: string[]): void {
  deny(names);
  if (stores()) {
    attempt(() => sessionStorage.setItem(TYPED, JSON.stringify([...typed(), ...names])));
  }
}

/**
 * The URL without the parameters that are denied or tell what was typed, without user and password, and, unless pages
 * differ by it, without its fragment. The rest stays byte for byte. Of a URL that leads to no page
 * (`mailto:`, `tel:`, `data:`) only the scheme stays, and of other text nothing.
 */
export function clean(url: string): string {
  const to = attempt(() => new URL(url));
  if (!to?.host) {
    return to?.protocol ?? "";
  }
  to.username = to.password = "";
  const query = without(to.search.slice(1));
  if (query !== to.search.slice(1)) {
    to.search = query;
  }
  to.hash = byHash ? to.hash.replace(/[^?#]*=[^?]*$/, without) : "";
  return to.href.replace(/#$/, "").slice(0, LONGEST);
}

/** A query without what is denied. */
function without(query: string): string {
  // Most pages have no query, and the first look into this storage takes its time.
  if (query && !knowsTyped) {
    knowsTyped = true;
    deny(typed());
  }
  const isTold = (parameter: string) => {
    // As the server will read it.
    const [name = "", value = ""] = [...new URLSearchParams(parameter.toLowerCase())][0] ?? [];
    const isKept = kept.has(name);
    if (!isKept && !denied.has(name) && isTyped(value)) {
      hide([name]);
    }
    return isKept || !denied.has(name);
  };
  return query.split("&").filter(isTold).join("&");
}

function deny(names: string[]): void {
  names.forEach((name) => denied.add(name.toLowerCase()));
}

function words(list: string): string[] {
  return list.toLowerCase().split(/[\s,]+/);
}
