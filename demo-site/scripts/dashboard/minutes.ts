// Page views per minute as the chart's points.

import type { Stream } from "./streams.ts";
import { type Windows, liveliest } from "./windows.ts";

/** Seconds since the Unix epoch, and how many records came in the minute before. */
export type Points = [times: number[], counts: number[]];

/**
 * A point at the end of every window over the last `span` milliseconds. The last window is still filling;
 * its point stands at `now`.
 */
export function points(windows: Windows, stream: Stream, now: number, span: number): Points {
  const last = liveliest(now, stream);
  const length = Math.floor(span / stream.advance) + 1;
  const starts = Array.from({ length }, (_, index) => last - (length - 1 - index) * stream.advance);
  return [
    starts.map((start) => Math.min(start + stream.size, now) / 1_000),
    starts.map((start) => windows.total(start)),
  ];
}
