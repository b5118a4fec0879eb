import assert from "node:assert/strict";
import test from "node:test";
import { newId, uuid } from "./uuid";

test("a UUID says its time, version and variant, and has all other bits at random", () => {
  const zeros = uuid(0x017f22e279b0, new Uint8Array(10));
  assert.equal(zeros, "017f22e2-79b0-7000-8000-000000000000");
  const ones = uuid(1, new Uint8Array(10).fill(255));
  assert.equal(ones, "00000000-0001-7fff-bfff-ffffffffffff");
});

test("no two are the same", () => {
  const ids = new Set(Array.from({ length: 1000 }, newId));
  assert.equal(ids.size, 1000);
  for (const id of ids) {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    assert.equal(form.test(id), true);
  }
});
