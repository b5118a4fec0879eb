// What the wasm calls: `src/browser/host.rs` declares it.

import { Ask, Tell } from "./code";
import { extras, say } from "./extras";
import { beacon, post, wake } from "./sender";
import { number, share, text } from "./settings";
import { read, write } from "./store";
import { newId } from "./uuid";
import { Word } from "./word";

/** What the call that runs has answered. */
let answer: string | undefined;

export function ask(what: Ask, name: string): string | undefined {
  return what === Ask.Text ? text(name) : what === Ask.Id ? newId() : stored(name);
}

export function tell(what: Tell, first: string, second: string, value: number): unknown {
  switch (what) {
    case Tell.Number:
      return number(first, value);
    case Tell.Share:
      return share(first);
    case Tell.Write:
      return isId(first) ? extras?.writeCookie(first, second) : write(first, second);
    case Tell.Wake:
      return wake(value);
    case Tell.Post:
      return post(first);
    case Tell.Beacon:
      return beacon(first);
    case Tell.Dropped:
      return say(Word.Dropped, first);
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

function stored(name: string): string | undefined {
  return isId(name) ? extras?.readCookie(name) : read(name);
}

/** Events are too long for a cookie, and no server needs them there. */
function isId(name: string): boolean {
  return text("storage") === "cookie" && /^(visitor|session)$/.test(name);
}
