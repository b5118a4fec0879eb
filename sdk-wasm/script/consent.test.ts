import assert from "node:assert/strict";
import test from "node:test";
import { decide } from "./consent";

const gpc = { globalPrivacyControl: true };
const dnt = { doNotTrack: "1" };

test("an opt-out is stronger than everything", () => {
  assert.equal(decide("out", [], "implied"), "opted_out");
});

test("an opt-in is stronger than the browser's signals and the site's mode", () => {
  assert.equal(decide("in", [gpc, dnt], "required"), "recording");
});

test("the browser's signals are stronger than the site's mode", () => {
  assert.equal(decide(undefined, [gpc, dnt], "implied"), "gpc");
  assert.equal(decide(undefined, [dnt], "required"), "dnt");
  assert.equal(decide(undefined, [{}, { doNotTrack: "yes" }], undefined), "dnt");
});

test("a browser that says nothing, or no, is no signal", () => {
  const silent = [null, undefined, "0", "unspecified"].map((doNotTrack) => ({ doNotTrack }));
  assert.equal(decide(undefined, [...silent, { globalPrivacyControl: false }], "implied"), "recording");
});

test("a mode that is not known asks first", () => {
  assert.equal(decide(undefined, [], undefined), "recording");
  assert.equal(decide(undefined, [], "required"), "consent_required");
  assert.equal(decide(undefined, [], "Implied"), "consent_required");
});
