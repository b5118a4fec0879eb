import assert from "node:assert/strict";
import { test } from "node:test";
import { lastSteps, path, what } from "./describe.ts";
import { Labels } from "./labels.ts";
import { type Event, readCounts, readEvent } from "./streams.ts";
import { MOST_EVENTS, Tail } from "./tail.ts";

const click = (offset: number, timestamp: number): Event =>
  readEvent({
    topic: "footfall.events.v1",
    partition: 3,
    offset,
    timestamp,
    key: "demo/visitor",
    value: {
      type: "click",
      page: { url: "http://shop.example/cart?x=1" },
      element: { tag: "button", text: "Buy", path: "main>form>button#buy" },
    },
  })!;

test("the newest event is on top, whatever partition was read first", () => {
  const tail = new Tail();
  for (const event of [click(1, 1_000), click(7, 3_000), click(2, 2_000)]) {
    assert.equal(tail.add(event), true);
  }
  assert.deepEqual(tail.events.map(({ time }) => time), [3_000, 2_000, 1_000]);
});

test("a record that comes again after a reconnect is there once", () => {
  const tail = new Tail();
  tail.add(click(1, 1_000));
  assert.equal(tail.add(click(1, 1_000)), false);
  assert.equal(tail.events.length, 1);
});

test("the tail does not grow without end", () => {
  const tail = new Tail();
  for (let offset = 0; offset < 3 * MOST_EVENTS; offset++) {
    tail.add(click(offset, offset));
  }
  assert.equal(tail.events.length, MOST_EVENTS);
  assert.equal(tail.events[0]?.time, 3 * MOST_EVENTS - 1);
});

test("the usual delay is the median", () => {
  const tail = new Tail();
  assert.equal(tail.delay, undefined);
  [900, 500, 30_000].forEach((delay) => tail.measure(delay));
  assert.equal(tail.delay, 900);
});

test("an element is named by the text that was seen on it", () => {
  const labels = new Labels();
  labels.learn(click(1, 1_000));
  assert.equal(labels.text("main>form>button#buy"), "Buy");
  assert.equal(labels.text("main>a"), "");
});

test("events are told in words", () => {
  const event = (value: object) => readEvent({ timestamp: 0, value })!;
  assert.equal(path("http://shop.example/cart?x=1"), "/cart?x=1");
  assert.equal(lastSteps("body>main>form>button#buy", 2), "…>form>button#buy");
  assert.equal(lastSteps("form>button#buy", 2), "form>button#buy");
  assert.equal(what(click(1, 1_000)), "Buy");
  assert.equal(what(event({ type: "click", element: { path: "main>form>button#buy" } })), "button#buy");
  assert.equal(what(event({ type: "custom", name: "order_placed", properties: { amount: 38 } })), "order_placed · amount 38");
  assert.equal(
    what(event({ type: "page_leave", properties: { visible_ms: 12_340, scroll_percent: 80 } })),
    "looked at for 12.3 s, scrolled 80 %",
  );
});

test("what is not an event or a window is left out", () => {
  for (const data of [null, 7, "text", {}, { value: null }, { value: { page: {} } }, { timestamp: 9e15, value: { type: "click" } }]) {
    assert.equal(readEvent(data), undefined);
  }
  assert.deepEqual(readCounts({ windows: [{ key: "a", start: 0, end: 5, count: 2, final: false }, { key: "b" }, null] }), [
    { key: "a", start: 0, count: 2 },
  ]);
  assert.deepEqual(readCounts({}), []);
});
