import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, together } from "./connection.ts";

test("together they are live only when each is, and lost when one is", () => {
  assert.equal(together(["live", "live"]), "live");
  assert.equal(together(["live", "connecting"]), "connecting");
  assert.equal(together(["connecting", "lost", "live"]), "lost");
});

test("tries come after half a second, then more slowly, and never stop", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 50].map(backoff), [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});
