import type { Options, Properties } from "../index";
import { say } from "./extras";
import { attempt } from "./store";
import { Word } from "./word";

/** In milliseconds and in bytes. */
const UNITS: Record<string, number> = {
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
  d: 864e5,
  KB: 1024,
  KiB: 1024,
  MB: 1048576,
  MiB: 1048576,
};

const DEFAULTS: Record<string, string> = { storage: "local", capture: "page-views clicks forms engagement" };

/** The most that a number may be, so that timers and lengths can hold it. */
const MOST = 2 ** 31 - 1;

let options: Partial<Record<string, unknown>> = {};
let captured: string[] = [];

export function set(chosen: Options): void {
  options = chosen as unknown as typeof options;
  captured = text("capture").split(/[\s,]+/);
}

/** As text: lists have commas, and an attribute without a value says yes. */
export function text(name: string): string {
  const value = String(options[name] ?? DEFAULTS[name] ?? "");
  return value === "" && isSet(name) && name !== "capture" ? "true" : value;
}

/** Whether something is recorded without being called for. */
export function captures(what: string): boolean {
  return captured.includes(what);
}

/** Whether anything may be kept between pages. */
export function stores(): boolean {
  return text("storage") !== "memory";
}

/** An object, or as an attribute its JSON. */
export function object(name: string): Properties {
  const value = options[name];
  return Object((typeof value === "string" && attempt(() => JSON.parse(value))) || value);
}

/** `500`, `500ms`, `3s` or `16KB`; the default where it is anything else. */
export function number(name: string, normal: number): number {
  const [, digits, unit] = /^(\d+) ?(\w*)$/.exec(text(name)) ?? [];
  const size = unit ? UNITS[unit] : 1;
  if (!digits || !size) {
    if (isSet(name)) {
      say(Word.NotANumber, name, normal);
    }
    return normal;
  }
  return Math.min(Number(digits) * size, MOST);
}

/** Whether the site asks for what few sites ask for. */
export function wantsExtras(): boolean {
  return (
    debugs() ||
    ["errors", "vitals", "click-ids"].some(captures) ||
    text("storage") === "cookie" ||
    number("inspect", 0) > 0
  );
}

/** Whether a developer wants to be told what goes on. */
export function debugs(): boolean {
  return text("debug") === "true";
}

/** A number from 0 to 1; 1 where it is anything else. */
export function share(name: string): number {
  const value = Number(text(name) || 1);
  return value >= 0 && value < 1 ? value : 1;
}

function isSet(name: string): boolean {
  return options[name] != null;
}
