import { attempt, PREFIX, setCookie } from "../store";

export function readCookie(name: string): string | undefined {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(PREFIX + name + "="));
  return attempt(() => decodeURIComponent(found!.slice(PREFIX.length + name.length + 1)));
}

/** Whether the browser has taken it. Browsers keep no cookie for longer than 400 days. */
export function writeCookie(name: string, value: string): boolean {
  setCookie(PREFIX + name, encodeURIComponent(value), 34_560_000);
  return readCookie(name) === value;
}
