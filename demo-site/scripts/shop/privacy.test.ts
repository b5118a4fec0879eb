import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "./footfall.ts";
import { body, rows, size } from "./privacy.ts";

const batch = (text: string): Batch => ({ sentAt: 1764000000123, url: "http://gateway/v1/events", body: text, status: 202 });

test("a body is shown as it was sent, to the byte", () => {
  const sent = '{ "events":[],"n":1.0e3 }';
  assert.equal(body(batch(sent), false), sent);
});

test("a body that is not JSON is shown as it is, even when asked for pretty", () => {
  assert.equal(body(batch("not json"), true), "not json");
  assert.equal(body(batch('{"a":1}'), true), '{\n  "a": 1\n}');
});

test("a batch is counted in events and in bytes of UTF-8", () => {
  assert.equal(size(batch('{"events":[{"name":"é"}]}')), "1 event, 26 bytes");
  assert.equal(size(batch("é")), "2 bytes");
});

test("a visitor without numbers has none", () => {
  const status = { recording: false, reason: "gpc" as const, queued: 0, lost: 0 };
  assert.deepEqual(rows(status).slice(2, 4), [
    ["This browser's number", "none"],
    ["This visit's number", "none"],
  ]);
});
