// What the wasm calls: `src/browser/host.rs` declares it.

import { Ask, Tell } from "./code";
import { beacon, post, wake } from "./sender";
import { number, say, share, text } from "./settings";
import { read as readLocal, readCookie, write as writeLocal, writeCookie } from "./store";
import { newId } from "./uuid";

/** What the call that runs has answered. */
let answer: string | undefined;

export function ask(what: Ask, name: string): string | undefined {
  return what === Ask.Text ? text(name) : what === Ask.Id ? newId() : (isId(name) ? readCookie : readLocal)(name);
}

export function tell(what: Tell, first: string, second: string, value: number): unknown {
  switch (what) {
    case Tell.Number:
      return number(first, value);
    case Tell.Share:
      return share(first);
    case Tell.Write:
      return (isId(first) ? writeCookie : writeLocal)(first, second);
    case Tell.Wake:
      return wake(value);
    case Tell.Post:
      return post(first);
    case Tell.Beacon:
      return beacon(first);
    case Tell.Dropped:
      return say("lost, and not told yet", first);
    case Tell.Answer:
      answer = first;
  }
}

/** Takes what the last call has answered, if it has. */
export function answered(): string | undefined {
  const text = answer;
  answer = undefined;
  return text;
}

/** Events are too long for a cookie, and no server needs them there. */
function isId(name: string): boolean {
  return text("storage") === "cookie" && /^(visitor|session)$/.test(name);
}
