import assert from "node:assert/strict";
import test from "node:test";
import type { Options } from "../index";
import type { Core } from "./core";
import { create } from "./footfall";

const OPTIONS: Options = { writeKey: "demo", endpoint: "https://t.example" };

/** A page whose browser says `navigator`, and a core that only notes what is called. */
function page(navigator: object, already: object = {}) {
  const stored = new Map<string, string>();
  const called: string[] = [];
  const localStorage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  };
  const window = { localStorage, sessionStorage: {}, ...already } as { footfall?: unknown };
  const document = { addEventListener: () => {}, removeEventListener: () => {} };
  const globals = { navigator, localStorage, window, document, addEventListener: () => {} };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const note = (name: string) => (...args: unknown[]) => void called.push([name, ...args].join(" "));
  const core = {
    start: (_options: Options, granted: boolean) => note("start")(granted),
    grant: note("grant"),
    stop: note("stop"),
    call: (_time: number, call: unknown[]) => note("call")(...call),
    flush: async () => note("flush")(),
    status: () => undefined,
  } as Core;
  const load = async () => {
    note("load")();
    return core;
  };
  const footfall = create(load);
  return { footfall, called, stored, window, another: () => create(load) };
}

test("calls that were made while the core loads are not lost", async () => {
  const { footfall, called } = page({});
  footfall.init(OPTIONS).identify("u", { plan: 1 });
  await footfall.flush();
  assert.deepEqual(called, ["load", "start false", "call identify u [object Object]", "flush"]);
});

test("where the browser says no, nothing is loaded and nothing stored", async () => {
  const { footfall, called, stored } = page({ globalPrivacyControl: true });
  footfall.init(OPTIONS).track("order");
  await footfall.flush();
  assert.deepEqual(called, []);
  assert.equal(stored.size, 0);
  assert.deepEqual(footfall.status(), { recording: false, reason: "gpc", queued: 0, lost: 0 });
});

test("an opt-in starts what the browser's signal has stopped, and an opt-out ends it", async () => {
  const { footfall, called, stored } = page({ doNotTrack: "1" });
  footfall.init(OPTIONS).optIn();
  await footfall.flush();
  footfall.optOut();
  assert.deepEqual(called, ["load", "start true", "flush", "stop"]);
  assert.deepEqual([...stored.values()], ["out"]);
  assert.equal(footfall.status().reason, "opted_out");
});

test("an opt-out while the core loads is obeyed", async () => {
  const { footfall, called } = page({});
  footfall.init(OPTIONS).optOut();
  await footfall.flush();
  assert.deepEqual(called, ["load"]);
});

test("the first configuration wins, and one without a key starts nothing", async () => {
  const { footfall, called } = page({});
  footfall.init({} as Options);
  assert.equal(footfall.status().reason, "not_started");
  footfall.init(OPTIONS).init({ ...OPTIONS, consent: "required" });
  await footfall.flush();
  assert.deepEqual(called, ["load", "start false", "flush"]);
});

test("a second one joins the first, with the filter that it was given", async () => {
  const { footfall, called, another, window } = page({});
  footfall.init(OPTIONS);
  const second = another();
  second.beforeSend(() => null);
  second.init({ ...OPTIONS, writeKey: "other" }).track("order");
  await second.flush();
  assert.deepEqual(called, ["load", "start false", "call track order ", "flush"]);
  assert.equal(window.footfall, footfall);
  assert.equal(second.track, footfall.track);
});

test("calls that a snippet has queued are made, and it is replaced", async () => {
  const { footfall, called, window } = page({}, { footfall: { q: [["track", "early"]] } });
  footfall.init(OPTIONS);
  await footfall.flush();
  assert.deepEqual(called, ["load", "start false", "call track early ", "flush"]);
  assert.equal(window.footfall, footfall);
});
