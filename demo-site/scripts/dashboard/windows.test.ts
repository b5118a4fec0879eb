import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE, TOP_PAGES } from "./streams.ts";
import { Windows, liveliest } from "./windows.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

test("the liveliest window ends soonest after now", () => {
  assert.equal(liveliest(NOON + 30_000, TOP_PAGES), NOON - 4 * MINUTE);
  assert.equal(liveliest(NOON + 59_999, TOP_PAGES), NOON - 4 * MINUTE);
  assert.equal(liveliest(NOON + 60_000, TOP_PAGES), NOON - 3 * MINUTE);
});

test("a window does not cover its own end", () => {
  const start = liveliest(NOON, TOP_PAGES);
  assert.equal(start + TOP_PAGES.size, NOON + MINUTE);
});

test("the greatest counts come first and ties do not jump", () => {
  const windows = new Windows();
  for (const [key, count] of [["b", 3], ["a", 3], ["c", 7], ["d", 1]] as const) {
    windows.add({ key, start: 0, count });
  }
  assert.deepEqual(windows.top(0, 3), [
    { key: "c", count: 7 },
    { key: "a", count: 3 },
    { key: "b", count: 3 },
  ]);
});

test("an answer that is older than what came live changes nothing", () => {
  const windows = new Windows();
  windows.add({ key: "a", start: 0, count: 5 });
  windows.add({ key: "a", start: 0, count: 4 });
  assert.equal(windows.total(0), 5);
});

test("windows do not mix, and old ones are forgotten", () => {
  const windows = new Windows();
  windows.add({ key: "a", start: 1_000, count: 2 });
  windows.add({ key: "a", start: 2_000, count: 3 });
  windows.forget(2_000);
  assert.equal(windows.total(1_000), 0);
  assert.equal(windows.total(2_000), 3);
});

test("a flood of keys keeps the greatest", () => {
  const windows = new Windows();
  windows.add({ key: "great", start: 0, count: 100 });
  for (let n = 0; n < 2_000; n++) {
    windows.add({ key: `key-${n}`, start: 0, count: 1 });
  }
  assert.equal(windows.top(0, 10_000).length, 500);
  assert.equal(windows.top(0, 1)[0]?.key, "great");
});
