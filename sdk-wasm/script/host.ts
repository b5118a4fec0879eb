// What the wasm calls: `src/browser/host.rs` declares it.

import type { Event, Options, Status } from "../index";
import { say, set } from "./settings";
import { keepSoon } from "./shelf";
import { attempt } from "./store";

export { beacon, post, wake } from "./sender";
export { number, text } from "./settings";
export { read, write } from "./store";

type Filter = (event: Event) => Event | null;

/** A text is not read from an element that holds one of these. */
const FIELDS = "input,select,textarea,[contenteditable]";

let status: Status | undefined;
let filter: Filter = (event) => event;

export function connect(chosen: Options, approve: Filter): void {
  set(chosen);
  filter = approve;
}

export function context(): string {
  return JSON.stringify({
    locale: navigator.language,
    screen: screen.width + "x" + screen.height,
    viewport: innerWidth + "x" + innerHeight,
    automated: navigator.webdriver || undefined,
  });
}

export function address(): string {
  return location.href;
}

export function random(bytes: Uint8Array<ArrayBuffer>): void {
  crypto.getRandomValues(bytes);
}

export function words(element: Element): string {
  return element.querySelector(FIELDS) ? "" : element.textContent!.slice(0, 4096);
}

export function tracked(element: Element): string {
  const own: Record<string, string> = {};
  for (const { name, value } of element.attributes) {
    if (name.startsWith("data-track-")) {
      own[name.slice(11)] = value;
    }
  }
  return JSON.stringify(own);
}

export function tell(json: string): void {
  status = JSON.parse(json);
}

/** What was told last. */
export function told(): Status | undefined {
  return status;
}

export function dropped(counts: string): void {
  say("lost, and not told yet", counts);
}

export function approve(json: string): string | undefined {
  // An event that the site's own filter cannot judge is not sent.
  const approved = attempt(() => JSON.stringify(filter(JSON.parse(json))));
  const taken = approved?.startsWith("{") ? approved : undefined;
  keepSoon();
  say(taken ? "recorded" : "refused by beforeSend", taken ?? json);
  return taken;
}
