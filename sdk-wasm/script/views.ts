import type { Properties } from "../index";
import { clean } from "./address";
import { campaign } from "./campaign";
import { Call } from "./code";
import { arrive, leave } from "./engagement";
import { here, hold, record, release, title } from "./events";
import { enter } from "./guard";
import { captures } from "./settings";
import { attempt } from "./store";

let settling: ReturnType<typeof setTimeout> | undefined;

/** The page is shown, for the first time or as it was left. */
export function shown(): void {
  enter(Call.Shown, location.href);
  start(document.referrer);
}

/** The site says that this is a view. */
export function viewed(time: number, properties: Properties | undefined): void {
  enter(Call.Shown, location.href);
  const url = here();
  leave();
  record("page_view", { page: { url, title: title() }, properties }, time);
  begin(url);
}

/** The address changed, perhaps not for the last time in this task. */
function moved(replaced: boolean): void {
  enter(Call.Moved, "", +replaced);
  settling ??= setTimeout(settle);
}

/** The task in which the address changed is over. */
export function settle(): void {
  if (settling !== undefined) {
    clearTimeout(settling);
    settling = undefined;
    const before = enter(Call.Settled, location.href);
    if (before !== undefined) {
      start(before);
    }
  }
}

/** Follows the page's address. */
export function watch(isRunning: () => boolean): void {
  const note = (replaced: boolean) => isRunning() && moved(replaced);
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation && "oncurrententrychange" in navigation) {
    // The next page cannot know what was typed on this one.
    navigation.addEventListener("navigate", (event) => {
      isRunning() && clean((event as globalThis.Event & { destination: { url: string } }).destination.url);
    });
    navigation.addEventListener("currententrychange", (event) => {
      const { navigationType } = event as globalThis.Event & { navigationType: string | null };
      note(navigationType === "replace" || !navigationType);
    });
    return;
  }
  for (const kind of ["popstate", "hashchange"]) {
    addEventListener(kind, () => note(false));
  }
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    const watched = function (this: History, ...args: Parameters<History["pushState"]>) {
      original.apply(this, args);
      note(name === "replaceState");
    };
    // Some pages freeze it.
    attempt(() => (history[name] = watched));
  }
}

function start(referrer: string): void {
  leave();
  release();
  const url = here();
  if (captures("page-views")) {
    const found = campaign();
    if (found) {
      enter(Call.Campaign, JSON.stringify(found));
    }
    hold(() => ({ page: { url, title: title(), referrer: clean(referrer) || undefined }, properties: found }));
  }
  begin(url);
}

function begin(url: string): void {
  if (captures("engagement")) {
    arrive(url);
  }
}
