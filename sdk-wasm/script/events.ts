import type { Event, Properties } from "../index";
import { clean } from "./address";
import { Call } from "./code";
import { say } from "./extras";
import { enter } from "./guard";
import { readable } from "./readable";
import { keepSoon } from "./shelf";
import { attempt } from "./store";
import { utf8 } from "./utf8";
import { Word } from "./word";

export type Filter = (event: Event) => Event | null;

/** What of an event differs from one type to another. */
export interface Details {
  name?: string | undefined;
  page?: { url: string; title?: string | undefined; referrer?: string | undefined };
  element?: object;
  properties?: Properties | undefined;
}

/** Pages set their title a little after their address. */
const TITLE_MS = 100;

/** Longer names and users, in bytes, no gateway takes. */
const LONGEST_NAME = 128;

let filter: Filter | undefined;
/** What the site says about all of its events. */
let common: Properties = {};
/** What happened, in this order, and is recorded in a task of its own: no handler of the page waits for that. */
const happened: Array<() => void> = [];
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether events are being recorded. */
let busy = false;

export function setFilter(wanted: Filter | undefined): void {
  filter = wanted;
}

/** Goes with every event from now on, besides what was set before. */
export function setCommon(properties: Properties): void {
  common = { ...common, ...properties };
}

export function clearCommon(): void {
  common = {};
}

/**
 * Records that something happened, now or a little ago. What takes time to tell is told by a function, in a later task;
 * it may find that nothing is to be told.
 */
export function record(
  type: string,
  told: Details | (() => Details | undefined),
  time = Date.now(),
): void {
  const href = document.URL;
  const shared = type === "identify" ? {} : common;
  happened.push(() => {
    const details = typeof told === "function" ? told() : told;
    if (details) {
      const event: Event = { time, type, page: { url: clean(href) }, ...details };
      if (Object.keys(shared)[0]) {
        event.properties = { ...shared, ...details.properties };
      }
      judge(event);
    }
  });
  timer ??= setTimeout(release);
}

/** Records a view whose title may come a little later, and all that happens until then after it. */
export function hold(view: () => Details): void {
  release();
  timer = setTimeout(release, TITLE_MS);
  record("page_view", view);
}

/** Records what has happened until now. */
export function release(): void {
  // What is recorded from within the filter has its own turn, lest this never ends.
  if (!busy) {
    busy = true;
    forget().forEach(attempt);
    busy = false;
  }
}

/** Takes out what is not recorded yet. */
export function forget(): Array<() => void> {
  clearTimeout(timer);
  timer = undefined;
  return happened.splice(0);
}

/** How many events are not recorded yet. */
export function waiting(): number {
  return happened.length;
}

/** The page's address, as it may be told. */
export function here(): string {
  return clean(location.href);
}

export function title(): string | undefined {
  return readable(document.title) || undefined;
}

/** Whether a gateway takes it as a name or as a user. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && !!name && utf8(name).length <= LONGEST_NAME;
}

/** Records an event as the site wants it: what its own filter cannot judge is not sent. */
function judge(event: Event): void {
  const { time, type } = event;
  const judged = filter ? attempt(() => filter!(event)) : event;
  if (!judged || judged.type !== type || (type === "custom" && !isName(judged.name))) {
    say(Word.Filtered, event);
    return;
  }
  // The core gives the id and the number.
  const fit: Event = { ...judged, time, id: undefined, seq: undefined };
  for (const name of ["page", "element", "properties"]) {
    if (Object(fit[name]) !== fit[name] || Array.isArray(fit[name])) {
      delete fit[name];
    }
  }
  const json = attempt(() => JSON.stringify(fit));
  if (json) {
    enter(Call.Record, json);
    say(Word.Recorded, json, () => enter(Call.Status));
    keepSoon();
  }
}
