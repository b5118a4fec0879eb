// Keeps in storage what has not arrived, and takes over what ended tabs have left there. A tab holds
// a lock for as long as it lives: who gets that lock may take what the tab has left. So only who holds
// it writes under its name. A page that may come back gives all away as it goes, and comes back as a new one.

import { Call } from "./code";
import { say } from "./extras";
import { enter } from "./guard";
import { arm } from "./sender";
import { number, stores, text } from "./settings";
import { names, read, remove, write } from "./store";
import { utf8 } from "./utf8";
import { Word } from "./word";

/** What the name of a load's events starts with; the load's id follows. */
const UNSENT = "unsent.";

/** How often events are written while they come one after the other. */
const PAUSE_MS = 100;

/** Without locks, a tab that has written nothing for so long has ended. */
const LONGEST_SILENCE_MS = 6e5;

/** After so long, what one page has stored is seen by all. */
const SEEN_MS = 2e3;

/** A page that gets a lock within this time of its start did not wait for another that took all there was. */
const AT_ONCE_MS = 99;

/** What a load leaves that cannot go on, as the ledger's line in `queue.rs`. */
const TRAPPED = "! 0 0 0 0 0 1\n";

/** What the names of our site's loads start with: another site's events carry another key. */
let ours: string;
/** Our own; empty while nothing may be kept. */
let own = "";
let written = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let last = 0;
/** Tabs whose end we wait for. */
let watched: Set<string>;
/** Gives up our lock, and waits for no other. */
let life = new AbortController();

/** Starts to keep events under a name that nobody has had before. */
export function open(id: string): void {
  life = new AbortController();
  watched = new Set();
  written = "";
  ours = UNSENT + text("writeKey") + ".";
  own = stores() ? ours + id : "";
  if (own) {
    lock(own, () => new Promise((free) => (life.signal.onabort = free)));
    look(Date.now());
  }
}

/** Keeps nothing more; others may take what is there. */
export function close(): void {
  own = "";
  clearTimeout(timer);
  timer = undefined;
  life.abort();
}

/** Tells the next load that this one could not go on. */
export function leaveTrapped(): void {
  if (own) {
    write(own, (read(own) ?? "0\n") + TRAPPED);
  }
  close();
}

/** Writes soon: at once after a pause, but never in the handler in which something happened. */
export function keepSoon(): void {
  const wait = last + PAUSE_MS - Date.now();
  timer ??= setTimeout(() => {
    last = Date.now();
    keep();
  }, wait);
}

/** Writes what has not arrived. */
export function keep(): void {
  save(false);
  arm();
}

/**
 * The page is gone, for good or into the back-forward cache: it gives away all that has not arrived, and sends none of
 * it any more, unless it comes back and takes it over as any other page may.
 */
export function rest(): void {
  const isKept = save(true);
  close();
  isKept && enter(Call.Forget);
}

/** Takes over what ended tabs have left, now or when they end; `start` says when this page starts, if it does. */
export function look(start = 0): void {
  for (const name of own ? names(ours) : []) {
    if (name !== own && !watched.has(name)) {
      watched.add(name);
      adopt(name, start);
    }
  }
}

function adopt(name: string, start: number): void {
  lock(name, async () => {
    const { locks } = navigator;
    let text = read(name);
    let before: string | undefined;
    let claim: string | undefined;
    // What a page of another process did last is seen here a moment after its lock is free; one that ended in order
    // has written a 0. Without locks, of all who claim what is left the last one takes it; the others claim it again
    // if that one is gone.
    while (
      text &&
      text !== claim &&
      (locks
        ? text !== before && (Date.now() - start > AT_ONCE_MS || parseInt(text))
        : Date.now() - parseInt(text) > LONGEST_SILENCE_MS)
    ) {
      if (text === before) {
        write(name, (text = claim = Math.random() + text.slice(text.indexOf("\n"))));
      }
      before = text;
      await new Promise((seen) => setTimeout(seen, SEEN_MS));
      text = read(name);
    }
    watched.delete(name);
    if (own && text && (locks || text === claim)) {
      remove(name);
      enter(Call.Adopt, text.slice(text.indexOf("\n") + 1));
      keep();
    }
  });
}

/** Runs something under a lock, unless the page ends before. */
function lock(name: string, run: () => unknown): void {
  const { locks } = navigator;
  locks ? locks.request("footfall." + name, { signal: life.signal }, run).catch(() => {}) : run();
}

function save(leaving: boolean): boolean | undefined {
  clearTimeout(timer);
  timer = undefined;
  if (!own) {
    return;
  }
  // All tabs share the room; what a tab cannot keep it still has in memory.
  let room = number("queueBytes", 1 << 18) - 64;
  for (const name of names(UNSENT)) {
    room -= name === own ? 0 : utf8(read(name)!).length;
  }
  const put = (room: number) => {
    const text = enter(Call.Unsent, "", room, +leaving) ?? written;
    // An ended tab is known by its time where there are no locks.
    const stamp = leaving ? 0 : Date.now();
    if (text === written && !leaving) {
      return true;
    }
    written = text;
    const isDone = text ? write(own, stamp + "\n" + text) : remove(own);
    say(Word.Stored, text, isDone);
    return isDone;
  };
  return put(Math.max(room, 1)) || (remove(own), put(0));
}
