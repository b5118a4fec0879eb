import assert from "node:assert/strict";
import test from "node:test";
import type { Options } from "../index";
import { askedMs } from "./retry-after";
import { number, set, text } from "./settings";

function given(options: Record<string, unknown>): void {
  set(options as unknown as Options);
}

test("numbers have units, and milliseconds, bytes and pieces have none", () => {
  given({ a: "500", b: "500ms", c: "3s", d: "16KB", e: "1 MiB", f: 250 });
  const values = [..."abcdef"].map((name) => number(name, 0));
  assert.deepEqual(values, [500, 500, 3_000, 16_384, 1_048_576, 250]);
});

test("what is not understood has its default", () => {
  given({ a: "soon", b: "-1", c: "5 parsecs", d: "1.5s" });
  assert.deepEqual(
    [..."abcdx"].map((name) => number(name, 7)),
    [7, 7, 7, 7, 7],
  );
});

test("no number is longer than a timer can wait", () => {
  given({ a: "365d" });
  assert.equal(number("a", 0), 2_147_483_647);
});

test("lists, flags and defaults are text", () => {
  given({ capture: ["clicks", "hash"], debug: "", cookieless: true });
  assert.equal(text("capture"), "clicks,hash");
  assert.equal(text("debug"), "true");
  assert.equal(text("cookieless"), "true");
  assert.equal(text("storage"), "local");
  given({ capture: "" });
  assert.equal(text("capture"), "");
  given({});
  assert.equal(text("capture"), "page-views clicks forms engagement");
});

test("a server asks for time in seconds or by a date", () => {
  const now = Date.parse("2026-11-25T00:00:00Z");
  assert.equal(askedMs("120", now), 120_000);
  assert.equal(askedMs("Wed, 25 Nov 2026 00:00:30 GMT", now), 30_000);
  assert.equal(askedMs("Tue, 24 Nov 2026 00:00:00 GMT", now), 0);
  assert.equal(askedMs("soon", now), NaN);
  assert.equal(askedMs(null, now), NaN);
});
