import type { Event, Properties } from "../index";
import { clean } from "./address";
import { Call } from "./code";
import { say } from "./extras";
import { enter } from "./guard";
import { readable } from "./readable";
import { keepSoon } from "./shelf";
import { attempt } from "./store";
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
/** A view that waits for its title, and what happened since: recorded in this order. */
let held: Event[] = [];
let timer: ReturnType<typeof setTimeout>;
/** Whether the filter runs. */
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

/** Records that something happened, now or a little ago. */
export function record(type: string, details: Details, time = Date.now()): void {
  const event = complete(time, type, details);
  held[0] ? held.push(event) : judge(event);
}

/** Records a view whose title may come a little later. */
export function hold(details: Details): void {
  release();
  held = [complete(Date.now(), "page_view", details)];
  timer = setTimeout(release, TITLE_MS);
}

/** Records what waits for a view's title, with the title as it is now. */
export function release(): void {
  const [view, ...later] = forget();
  if (view) {
    judge({ ...view, page: { ...(view.page as object), title: title() } });
    later.forEach(judge);
  }
}

/** Takes out what waits. */
export function forget(): Event[] {
  clearTimeout(timer);
  return held.splice(0);
}

/** How many events wait for a title. */
export function waiting(): number {
  return held.length;
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
  return typeof name === "string" && !!name && new TextEncoder().encode(name).length <= LONGEST_NAME;
}

function complete(time: number, type: string, details: Details): Event {
  const event: Event = { time, type, page: { url: here() }, ...details };
  if (type !== "identify" && Object.keys(common)[0]) {
    event.properties = { ...common, ...details.properties };
  }
  return event;
}

/** Records an event as the site wants it: what its own filter cannot judge is not sent. */
function judge(event: Event): void {
  if (busy) {
    // Recorded from within the filter: in its own task, lest it never ends.
    setTimeout(judge, 0, event);
    return;
  }
  const { time, type } = event;
  busy = true;
  const judged = filter ? attempt(() => filter!(event)) : event;
  busy = false;
  if (!judged || judged.type !== type || (type === "custom" && !isName(judged.name))) {
    say(Word.Filtered, event);
    return;
  }
  // The core gives the id and the number.
  const fit: Event = { ...judged, time, id: undefined, seq: undefined };
  for (const name of ["page", "element", "properties"]) {
    if (!fit[name] || typeof fit[name] !== "object" || Array.isArray(fit[name])) {
      delete fit[name];
    }
  }
  const json = attempt(() => JSON.stringify(fit));
  if (json) {
    say(Word.Recorded, json);
    enter(Call.Record, json);
    keepSoon();
  }
}
