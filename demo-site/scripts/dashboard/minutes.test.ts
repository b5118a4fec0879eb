import assert from "node:assert/strict";
import { test } from "node:test";
import { points } from "./minutes.ts";
import { PAGE_VIEWS } from "./streams.ts";
import { Windows } from "./windows.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

test("a minute without a window is a minute without page views", () => {
  const windows = new Windows();
  windows.add({ key: "demo", start: NOON - 60_000, count: 4 });
  const [times, counts] = points(windows, PAGE_VIEWS, NOON + 2_000, 15_000);
  assert.deepEqual(counts, [0, 0, 4, 0]);
  assert.deepEqual(times, [-10, -5, 0, 2].map((second) => NOON / 1_000 + second));
});

test("the sites' counts are added up", () => {
  const windows = new Windows();
  windows.add({ key: "demo", start: NOON - 55_000, count: 4 });
  windows.add({ key: "other", start: NOON - 55_000, count: 3 });
  const [, counts] = points(windows, PAGE_VIEWS, NOON + 2_000, 0);
  assert.deepEqual(counts, [7]);
});
