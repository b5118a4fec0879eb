// What the figures of a topology come to: for each stream, and for all of them.

import { greatest, total } from "./words.js";

/** A partition this far behind is drawn as one that needs a look. */
const FAR_BEHIND_MS = 10_000;

/** Streams and routes as one list. */
export function steps(topology) {
  const streams = topology.streams.map((stream) => ({ ...stream, from: [stream.from], to: [stream.to], kind: "stream" }));
  const routes = topology.routes.map((route) => ({ ...route, kind: "route" }));
  return [...streams, ...routes];
}

export function summary(step) {
  const rows = step.partitions;
  const missing = rows.filter((row) => row.state === "restoring" || row.state === "unknown").length;
  const lagMs = greatest(rows.map((row) => row.lag_ms));
  let health = "well";
  if (missing > 0 || lagMs > FAR_BEHIND_MS) health = "behind";
  return {
    records: total(rows.map((row) => row.lag_records)),
    lagMs,
    outputs: total(rows.map((row) => row.outputs)),
    late: total(rows.map((row) => row.late)),
    missing,
    health,
  };
}

/** Over all streams; a partition that several of them read is behind once. */
export function overall(topology) {
  const rows = steps(topology).flatMap((step) => step.partitions);
  const places = new Map(rows.map((row) => [`${row.topic} ${row.partition}`, row]));
  const distinct = [...places.values()];
  return {
    records: total(distinct.map((row) => row.lag_records)),
    lagMs: greatest(distinct.map((row) => row.lag_ms)),
    outputs: total(rows.map((row) => row.outputs)),
    late: total(rows.map((row) => row.late)),
    entries: total(rows.map((row) => row.entries)),
    bytes: total(rows.map((row) => row.bytes)),
  };
}

/** How fast numbers that only grow do so, by name. */
export class Rates {
  #known = new Map();

  /** The rate since about four seconds ago; `undefined` until there is one. */
  of(name, number, now) {
    const known = this.#known.get(name) ?? [];
    this.#known.set(name, known);
    // It has begun anew, or counts other partitions now.
    if (known.length > 0 && number < known.at(-1).number) known.length = 0;
    known.push({ number, now });
    while (known.length > 2 && now - known[1].now > 4_000) known.shift();
    const [first] = known;
    return now > first.now ? ((number - first.number) * 1_000) / (now - first.now) : undefined;
  }
}
