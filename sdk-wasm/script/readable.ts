import { Call } from "./code";
import { enter } from "./guard";

/** The most bytes of a title or of an element's text. */
const ROOM = 512;

/** What a person reads on a page, fit to be sent: short, on one line, without personal numbers. */
export function readable(raw = ""): string {
  // As short as it will be, but for a number that the end would cut in two.
  const line = raw.replace(/\s+/g, " ").trim().slice(0, 2 * ROOM);
  const text = /\d{3}/.test(line) ? (enter(Call.Mask, line) ?? "") : line;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(ROOM));
  return text.slice(0, read);
}
