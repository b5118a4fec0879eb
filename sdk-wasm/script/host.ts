// What the wasm calls: `src/browser/host.rs` declares it.

import type { Event, Options, SentBatch, Status } from "../index";
import { number, say, set } from "./settings";
import { attempt, keepSent, sent } from "./store";

export { number, text } from "./settings";
export { read, take, write } from "./store";

type Filter = (event: Event) => Event | null;
type Answered = (status: number, askedMs: number) => void;

/** Longer than this is no batch of ours: one event alone. All keepalive requests share 64 KiB. */
const LONGEST_KEEPALIVE = 20_000;

/** A text is not read from an element that holds one of these. */
const FIELDS = "input,select,textarea,[contenteditable]";

let status: Status | undefined;
let filter: Filter = (event) => event;
let answered: Answered = () => {};

export function connect(chosen: Options, approve: Filter, whenAnswered: Answered): void {
  set(chosen);
  filter = approve;
  answered = whenAnswered;
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

export function post(url: string, body: string): void {
  const settle = remember(url, body);
  const done = (status: number, askedMs: number) => {
    settle(status);
    say("answered", status, body);
    answered(status, askedMs);
  };
  // A text body is text/plain, which needs no preflight.
  fetch(url, {
    method: "POST",
    body,
    credentials: "omit",
    keepalive: body.length < LONGEST_KEEPALIVE,
    signal: AbortSignal.timeout?.(30_000),
  }).then(
    async (answer) => {
      // Until its answer is read, Chromium counts a keepalive request as being on its way.
      await answer.text().catch(() => {});
      done(answer.status, askedMs(answer.headers.get("Retry-After"), Date.now()));
    },
    () => done(0, -1),
  );
}

export function beacon(url: string, body: string): boolean {
  const taken = attempt(() => navigator.sendBeacon(url, body)) ?? false;
  if (taken) {
    remember(url, body);
    say("sent on leaving", body);
  }
  return taken;
}

export function approve(json: string): string | undefined {
  // An event that the site's own filter cannot judge is not sent.
  const event = attempt(() => filter(JSON.parse(json)));
  const approved = event ? JSON.stringify(event) : undefined;
  say(approved ? "recorded" : "refused by beforeSend", approved ?? json);
  return approved;
}

/** How long a server asks to be left alone, by seconds or by a date; negative when it does not. */
export function askedMs(header: string | null, now: number): number {
  if (!header) {
    return -1;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? -1 : Math.max(ms, 0);
}

/** Keeps what is sent for `inspect()`; call the result with the answer's status. */
function remember(url: string, body: string): (status: number) => void {
  const count = number("inspect", 0);
  const batch: SentBatch = { sentAt: Date.now(), url, body, status: null };
  const keep = (batches: SentBatch[]) => keepSent(batches.slice(-count));
  if (count > 0) {
    keep([...sent(), batch]);
  }
  return (status) => {
    if (count > 0) {
      const isThis = (kept: SentBatch) => kept.sentAt === batch.sentAt && kept.body === body;
      keep(sent().map((kept) => (isThis(kept) ? { ...kept, status } : kept)));
    }
  };
}
