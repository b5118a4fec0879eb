import type { SentBatch } from "../index";
import type { Choice } from "./consent";

/** What every key of ours starts with. */
export const PREFIX = "footfall.";
const CHOICE = PREFIX + "choice";
export const SENT = PREFIX + "sent";
export const TYPED = PREFIX + "typed";

/** Reading `localStorage` alone may throw; then this page's memory has to do. */
let chosen: Choice;

export function choice(): Choice {
  return attempt(() => localStorage.getItem(CHOICE) as Choice) || chosen;
}

export function choose(value: Choice): void {
  const stored = attempt(() => (localStorage.setItem(CHOICE, value!), true));
  chosen = stored ? undefined : value;
}

/** Calls back when another tab has chosen, or may have while this page was away. */
export function onChoice(changed: () => void): void {
  const listener = (event: { key?: unknown; persisted?: boolean }) => {
    (event.key === CHOICE || event.persisted) && changed();
  };
  addEventListener("storage", listener);
  addEventListener("pageshow", listener);
}

export function read(name: string): string | undefined {
  return attempt(() => localStorage.getItem(PREFIX + name)) ?? undefined;
}

export function write(name: string, value: string): boolean | undefined {
  return attempt(() => (localStorage.setItem(PREFIX + name, value), true));
}

export function remove(name: string): boolean | undefined {
  return attempt(() => (localStorage.removeItem(PREFIX + name), true));
}

/** The names that start so. */
export function names(start: string): string[] {
  const keys = attempt(() => Object.keys(localStorage)) ?? [];
  return keys.filter((key) => key.startsWith(PREFIX + start)).map((key) => key.slice(PREFIX.length));
}

/** Removes all that we have stored, but for the visitor's choice. */
export function wipe(): void {
  const remove = (names: string[], how: (name: string) => void) =>
    names.filter((name) => name.startsWith(PREFIX) && name !== CHOICE).forEach(how);
  attempt(() => remove(document.cookie.split("; "), (cookie) => setCookie(cookie.split("=")[0]!, "", 0)));
  for (const kind of ["localStorage", "sessionStorage"] as const) {
    attempt(() => remove(Object.keys(window[kind]), (name) => window[kind].removeItem(name)));
  }
}

export function setCookie(name: string, value: string, seconds: number): void {
  attempt(() => (document.cookie = `${name}=${value};path=/;samesite=lax;max-age=${seconds}`));
}

/** The batches that this tab has sent lately, oldest first. */
export function sent(): SentBatch[] {
  return attempt(() => JSON.parse(sessionStorage.getItem(SENT)!)) || [];
}

/** Names of fields that people of this tab have typed into. */
export function typed(): string[] {
  return attempt(() => JSON.parse(sessionStorage.getItem(TYPED)!)) ?? [];
}

export function attempt<T>(risky: () => T): T | undefined {
  try {
    return risky();
  } catch {
    return undefined;
  }
}
