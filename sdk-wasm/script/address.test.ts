import assert from "node:assert/strict";
import test from "node:test";
import type { Options } from "../index";
import { clean, hide, readAddressOptions } from "./address";
import { set } from "./settings";

function given(options: Record<string, unknown>): void {
  set(options as unknown as Options);
  readAddressOptions();
}

test("denied parameters go and the rest stays as it is", () => {
  given({});
  const url = "https://shop.example/find?a=1&Q=red%20kite&&b=%7e&EMAIL=x@y.example&c";
  assert.equal(clean(url), "https://shop.example/find?a=1&&b=%7e&c");
  assert.equal(clean("https://shop.example/?"), "https://shop.example/?");
  assert.equal(clean("https://shop.example/?q=x"), "https://shop.example/");
});

test("a name that is written in escapes is denied too", () => {
  given({});
  assert.equal(clean("https://a.example/?%74oken=1&x=2&%=3"), "https://a.example/?x=2&%=3");
});

test("parameters can be denied and kept", () => {
  given({ denyQuery: ["ref"], keepQuery: "Q search" });
  const url = "https://a.example/?q=1&search=2&REF=3&token=4";
  assert.equal(clean(url), "https://a.example/?q=1&search=2");
});

test("what was typed into is denied from then on", () => {
  given({ keepQuery: "q" });
  hide(["Wish", "q"]);
  assert.equal(clean("https://a.example/?wish=1&q=2"), "https://a.example/?q=2");
});

test("fragment, user and password go", () => {
  given({});
  const url = "https://me:pw@a.example/x@y#access_token=1";
  assert.equal(clean(url), "https://a.example/x@y");
});

test("where pages differ by their fragment it stays, without what is denied", () => {
  given({ capture: "hash" });
  const url = "https://a.example/?x=1#/find?q=kite&by=price";
  assert.equal(clean(url), "https://a.example/?x=1#/find?by=price");
  assert.equal(clean("https://a.example/#token=1"), "https://a.example/");
  assert.equal(clean("https://a.example/#/cart"), "https://a.example/#/cart");
});

test("of an address that leads to no page only the scheme stays", () => {
  given({});
  assert.equal(clean("mailto:someone@example.org?subject=x"), "mailto:");
  assert.equal(clean("about"), "");
});

test("an address is no longer than a gateway takes", () => {
  given({});
  assert.equal(clean("https://a.example/?x=" + "é".repeat(4096)).length, 4096);
});
