import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, add, count, format, parse, put, total } from "./basket.ts";

test("a basket survives being kept", () => {
  const basket = add(add(parse(null), "gull-delta", 2), "ash-winder", 1);
  assert.deepEqual(parse(format(basket)), basket);
  assert.equal(count(basket), 3);
});

test("an empty basket is not kept at all", () => {
  assert.equal(format(put(add(parse(null), "gull-delta", 1), "gull-delta", 0)), null);
});

test("what is not a basket is an empty one", () => {
  for (const text of ["", "null", "[1", "7", '{"gull-delta":"many"}', '{"gull-delta":-1}', '{"gull-delta":1.5}']) {
    assert.equal(count(parse(text)), 0, text);
  }
});

test("no more of one product than the most goes in", () => {
  const basket = add(add(parse(null), "gull-delta", MOST), "gull-delta", 1);
  assert.equal(basket.get("gull-delta"), MOST);
});

test("the total leaves out what is no longer sold", () => {
  const basket = add(add(parse(null), "gull-delta", 2), "gone", 4);
  assert.equal(total(basket, new Map([["gull-delta", 54]])), 108);
});
