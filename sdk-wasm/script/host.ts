// What the wasm calls: `src/browser/host.rs` declares it.

import { say, text } from "./settings";
import { read as readLocal, readCookie, write as writeLocal, writeCookie } from "./store";

export { beacon, post, wake } from "./sender";
export { number, share, text } from "./settings";
export { newId as id } from "./uuid";

export function read(name: string): string | undefined {
  return (isId(name) ? readCookie : readLocal)(name);
}

export function write(name: string, value: string): boolean {
  return (isId(name) ? writeCookie : writeLocal)(name, value);
}

export function dropped(counts: string): void {
  say("lost, and not told yet", counts);
}

/** Events are too long for a cookie, and no server needs them there. */
function isId(name: string): boolean {
  return text("storage") === "cookie" && /^(visitor|session)$/.test(name);
}
