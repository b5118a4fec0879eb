// The live dashboard: three streams and the tail, from the aggregation processor's own HTTP interface.

import { Chart } from "./dashboard/chart.ts";
import { Connection, type State, together } from "./dashboard/connection.ts";
import { lastStep, lastSteps, path } from "./dashboard/describe.ts";
import { showState, text } from "./dashboard/frame.ts";
import { Labels } from "./dashboard/labels.ts";
import { LiveWindows } from "./dashboard/live-windows.ts";
import { points } from "./dashboard/minutes.ts";
import { whileLookedAt } from "./dashboard/presence.ts";
import { RankingView } from "./dashboard/ranking-view.ts";
import { MINUTE, PAGE_VIEWS, type Stream, TOP_CLICKS, TOP_PAGES, readEvent } from "./dashboard/streams.ts";
import { Tail } from "./dashboard/tail.ts";
import { TailView } from "./dashboard/tail-view.ts";
import { liveliest } from "./dashboard/windows.ts";

/** How much time the chart shows. */
const SPAN = 15 * MINUTE;
/** How many rows a ranking has. */
const ROWS = 7;
/** The first events after connecting happened before it, so how long they took says nothing. */
const SETTLED_MS = 500;
/** A hidden page lets go of its connections after this: a browser allows six for a site, over all its pages. */
const HIDDEN_MS = 5 * MINUTE;
/** How often what changed is drawn, and how often the chart moves on when nothing did. */
const DRAW_MS = 50;
const MOVE_MS = 1_000;

const base = document.querySelector<HTMLMetaElement>("meta[name=aggregation]")!.content;
const part = <E extends HTMLElement>(name: string): E => document.querySelector<E>(`[data-part=${name}]`)!;

const labels = new Labels();
const tail = new Tail();
const states = new Map<string, State>();
let changed = true;
let fresh = 0;
let seen = 0;
let settledAt = Infinity;
let drawnAt = 0;

function report(name: string, state: State, why: string): void {
  states.set(name, state);
  showState(part("state"), together(states.values()), why);
}

function live(stream: Stream, span: number, top?: number): LiveWindows {
  return new LiveWindows(base, stream, span, top, {
    change,
    state: (state, why) => report(stream.name, state, why),
  });
}

const views = live(PAGE_VIEWS, SPAN);
const pages = live(TOP_PAGES, 0, 50);
const clicks = live(TOP_CLICKS, 0, 50);

const tailed = new Connection(`${base}/v1/streams/${PAGE_VIEWS.name}/tail`, "record", {
  open: async () => void (settledAt = Date.now() + SETTLED_MS),
  message: (data) => {
    const event = readEvent(data);
    if (!event || !tail.add(event)) {
      return;
    }
    labels.learn(event);
    fresh += 1;
    if (Date.now() > settledAt) {
      seen += 1;
      tail.measure(Date.now() - event.time);
    }
    change();
  },
  // The tail may be switched off, which says so in its own place; the figures are as live without it.
  state: (state, why) => {
    report("tail", why ? "live" : state, "");
    text(part("tail-none"), why || "No events yet.");
  },
});

const chart = new Chart(part("chart"), SPAN / 1_000);
const pagesView = new RankingView(part("pages"), (url) => ({ main: path(url), beside: labels.title(url) }));
const clicksView = new RankingView(part("clicks"), (steps) => ({
  main: labels.text(steps) || lastStep(steps),
  beside: lastSteps(steps, 4),
}));
const tailView = new TailView(part("tail"), part<HTMLButtonElement>("hold"), () => tail.events);

/** Draws everything as it was at `now`. */
function show(now: number): void {
  const minutes = points(views.windows, PAGE_VIEWS, now, SPAN);
  chart.show(minutes);
  text(part("per-minute"), String(minutes[1].at(-1)));
  text(part("busiest"), String(Math.max(...minutes[1])));
  text(part("seen"), seen.toLocaleString("en"));
  text(part("delay"), tail.delay === undefined ? "–" : `${(tail.delay / 1_000).toFixed(1)} s`);
  showRanking(pages, TOP_PAGES, pagesView, "pages", now);
  showRanking(clicks, TOP_CLICKS, clicksView, "clicks", now);
  part("welcome").hidden = tail.events.length > 0 || minutes[1].some((count) => count > 0);
}

function showTail(): void {
  tailView.show(fresh);
  fresh = 0;
  part("tail-none").hidden = tail.events.length > 0;
}

function showRanking({ windows }: LiveWindows, stream: Stream, view: RankingView, name: string, now: number): void {
  const start = liveliest(now, stream);
  windows.forget(start);
  const ranked = windows.top(start, ROWS);
  view.show(ranked);
  part(`${name}-none`).hidden = ranked.length > 0;
}

const connections = [views.connection, pages.connection, clicks.connection, tailed];
whileLookedAt(HIDDEN_MS, {
  come: () => connections.forEach((connection) => connection.start()),
  leave: () => connections.forEach((connection) => connection.stop()),
});

// Without a connection the figures stand still: what would be drawn as a quiet time is only an unknown one.
function draw(): void {
  const now = Date.now();
  const isLive = together(states.values()) === "live";
  document.body.dataset.figures = isLive ? "live" : drawnAt ? "old" : "none";
  if (isLive && (changed || now - drawnAt >= MOVE_MS)) {
    drawnAt = now;
    views.windows.forget(now - SPAN - 2 * MINUTE);
    show(now);
  }
  if (changed) {
    changed = false;
    showTail();
  }
}
setInterval(draw, DRAW_MS);

// Bursts are drawn together, by the timer. That of a page in the background comes once a second only, so there
// what arrives draws itself.
function change(): void {
  changed = true;
  if (document.hidden && Date.now() - drawnAt >= DRAW_MS) {
    draw();
  }
}
