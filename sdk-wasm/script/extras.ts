import type { Word } from "./word";

/** What few sites ask for: a file of its own beside the tag, and part of the package. */
type Extras = typeof import("./extras/all");

/** Once they are there; without them their features are, and nothing else. */
export let extras: Extras | undefined;

/** Whether a developer is told what goes on. */
let told = false;

/** Fetches the extras. */
export async function fetchExtras(debug: boolean): Promise<void> {
  told = debug;
  // Built for the tag this names a file of `dist/`.
  extras ??= await import("./extras/all").catch(() => undefined);
}

/** Tells the developer what goes on, if the site asks for it. */
export function say(word: Word, ...about: unknown[]): void {
  told && extras?.tell(word, about);
}
