// Sends batches, one at a time over all tabs. What is due when, the wasm decides.

import { Call } from "./code";
import { learnTimezone } from "./context";
import { extras, say } from "./extras";
import { enter } from "./guard";
import { askedMs } from "./retry-after";
import { number } from "./settings";
import { keep, look } from "./shelf";
import { attempt } from "./store";
import { utf8 } from "./utf8";
import { Word } from "./word";

/** What came back: the status or 0, how long to wait or not a number, and how many events were refused. */
type Answer = [status: number, askedMs: number, rejected: number];

/** All keepalive requests and beacons of a page share 64 KiB, whoever sends them: the rest is theirs. */
const MOST_KEEPALIVE = 48 << 10;

/** No server thinks longer. Who waits for another tab's turn waits a little longer than that. */
const LIMIT_MS = 3e4;

/** Where batches go. */
let url: string;
let timer: ReturnType<typeof setTimeout> | undefined;
let running: Promise<void> | undefined;
/** Whether something became due while batches were sent. */
let again = false;
let posted: Promise<Answer> | undefined;
/** Ends the request that is on its way. */
let request: AbortController | undefined;
/** A request that failed may have been one too many for keepalive. */
let failed = false;
/** How many bytes of ours the browser carries: keepalive requests until their answer is read, and beacons. */
let carried = 0;
/** Takes back what the browser would send at the page's end. */
let armed: AbortController | undefined;

export function connectTo(endpoint: string): void {
  url = endpoint.replace(/\/$/, "") + "/v1/events";
}

/** Sends what is due; resolves when nothing is on its way any more. */
export function pump(): Promise<void> {
  again = true;
  return (running ??= drain());
}

/** Sends no more, not even what is on its way. */
export function halt(): void {
  clearTimeout(timer);
  request?.abort();
  disarm();
}

export function wake(waitMs: number): void {
  clearTimeout(timer);
  if (waitMs >= 0) {
    timer = setTimeout(pump, Math.min(waitMs, 36e5));
  }
}

export function post(body: string): void {
  disarm();
  posted = ask(body);
}

export function beacon(body: string): boolean | undefined {
  const bytes = navigator.onLine === false ? 0 : fit(body);
  const taken = !!bytes && attempt(() => navigator.sendBeacon(url, body));
  if (taken) {
    carried += bytes;
    // Nobody is told of its end. If this is too soon, the browser takes no other.
    setTimeout(() => (carried -= bytes), 1e3);
    remember(body);
    say(Word.Left, body);
  }
  return taken;
}

/** The browser sends what was armed last when the page ends, even by a crash. */
export function arm(): void {
  disarm();
  const { fetchLater } = globalThis as { fetchLater?: typeof fetch };
  const body = fetchLater && enter(Call.Snapshot);
  if (body) {
    const { signal } = (armed = new AbortController());
    attempt(() => fetchLater(url, init(body, signal)));
  }
}

export function disarm(): void {
  armed?.abort();
}

async function drain(): Promise<void> {
  // Perhaps this is called from within the wasm, which nothing enters twice.
  await undefined;
  look();
  while (again) {
    again = false;
    while (await turn());
  }
  running = undefined;
}

/** Sends one batch when no other tab sends; without locks, and where one hangs, at once. */
function turn(): Promise<boolean> {
  const { locks } = navigator;
  const signal = AbortSignal.timeout?.(LIMIT_MS + 5e3);
  return locks ? locks.request("footfall", { signal }, step).catch(step) : step();
}

async function step(): Promise<boolean> {
  posted = undefined;
  if (navigator.onLine !== false) {
    enter(Call.Send);
  }
  // What the core does not post is not due.
  const answer = await (posted as Promise<Answer> | undefined);
  if (!answer) {
    return false;
  }
  failed = !answer[0];
  enter(Call.Answered, "", answer[0], answer[1], Math.random(), answer[2]);
  keep();
  learnTimezone();
  return true;
}

async function ask(body: string): Promise<Answer> {
  if (!globalThis.fetch) {
    // What else may send has no answer, and is believed.
    return [beacon(body) ? 202 : 0, NaN, 0];
  }
  const settle = remember(body);
  say(Word.Sending, body);
  const answer: Answer = [0, NaN, 0];
  request = new AbortController();
  const { signal } = request;
  const limit = setTimeout(() => request!.abort(), LIMIT_MS);
  const bytes = failed ? 0 : fit(body);
  carried += bytes;
  try {
    const response = await fetch(url, init(body, signal, bytes));
    answer[1] = askedMs(response.headers.get("Retry-After"), Date.now());
    answer[0] = response.status;
    // Until its answer is read, Chromium counts a keepalive request as being on its way.
    answer[2] = (await response.json()).rejected.length;
  } catch {
    // No answer, or one that refuses no single event.
  }
  carried -= bytes;
  clearTimeout(limit);
  settle?.(answer[0]);
  say(Word.Answered, answer[0], body);
  return answer;
}

/** How many bytes it has, if our share has room for them, or else 0. */
function fit(body: string): number {
  const { length } = utf8(body);
  return carried + length > MOST_KEEPALIVE ? 0 : length;
}

/** A text body is text/plain, which needs no preflight. */
function init(body: string, signal: AbortSignal, keepalive?: number): RequestInit {
  return { method: "POST", body, credentials: "omit", signal, keepalive: !!keepalive };
}

/** Keeps it for `inspect()`, if the site wants that. */
function remember(body: string): ((status: number) => void) | undefined {
  return extras?.remember(number("inspect", 0), url, body);
}
