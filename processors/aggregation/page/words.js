// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** Nothing to say. */
export const NONE = "–";

export function count(number) {
  return number === undefined ? NONE : whole.format(number);
}

/** A length of time in milliseconds: `0 s`, `0.3 s`, `14 s`, `3 min 5 s`, `2 h 3 min`, `5 d 2 h`. */
export function span(ms) {
  if (ms === undefined) return NONE;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${short.format(seconds)} s`;
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ];
  const first = parts.findIndex(([number]) => number > 0);
  const said = parts.slice(first, first + 2).filter(([number]) => number > 0);
  return said.map(([number, unit]) => `${number} ${unit}`).join(" ");
}

export function bytes(number) {
  if (number === undefined) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = number < 1 ? 0 : Math.min(Math.floor(Math.log2(number) / 10), units.length - 1);
  return `${short.format(number / 1_024 ** step)} ${units[step]}`;
}

/** How often in a second; `undefined` is not known yet. */
export function rate(perSecond) {
  if (perSecond === undefined) return NONE;
  const number = perSecond < 10 ? short.format(perSecond) : whole.format(Math.round(perSecond));
  return `${number}/s`;
}

/** An instant by its milliseconds since 1970, in this browser's time zone. */
export function instant(ms) {
  return ms === undefined ? NONE : clock.format(ms);
}

/** How far behind, in words. */
export function lag(records, ms) {
  if (records === undefined) return "not measured yet";
  if (records === 0) return "caught up";
  return ms === undefined ? `${count(records)} behind` : `${count(records)} behind · ${span(ms)}`;
}

export function total(numbers) {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0);
}

export function greatest(numbers) {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
