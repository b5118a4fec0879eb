// Imports everything as a server does that renders pages, and touches nothing.

import assert from "node:assert/strict";

const before = Object.getOwnPropertyNames(globalThis).sort();
const watched = ["window", "document", "navigator", "localStorage", "crypto", "WebAssembly"];
for (const name of watched) {
  const get = () => assert.fail(`${name} is touched`);
  Object.defineProperty(globalThis, name, { get, configurable: true });
}
const entries = ["", "/external", "/twin", "/vitals", "/privacy"];
const modules = await Promise.all(entries.map((entry) => import(`@footfall/sdk${entry}`)));
for (const name of watched) {
  delete globalThis[name];
}
const [{ default: footfall, init }] = modules;
init({ writeKey: "demo", endpoint: "http://127.0.0.1:9" }).track("order_placed", { amount: 12.5 });
await footfall.flush();
assert.deepEqual(footfall.status(), { recording: false, reason: "not_started", queued: 0, lost: 0 });
const known = new Set([...before, ...watched]);
const added = Object.getOwnPropertyNames(globalThis).filter((name) => !known.has(name));
assert.deepEqual(added, []);
console.log("imported", entries.length, "entries");
