// The streams and what the aggregation processor says about them, checked where it comes in.

/** One stream that the dashboard reads. Durations are in milliseconds. */
export interface Stream {
  name: string;
  size: number;
  advance: number;
}

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

// As declared in config/aggregation.toml.
export const PAGE_VIEWS: Stream = { name: "page-views-per-minute", size: MINUTE, advance: 5 * SECOND };
export const TOP_PAGES: Stream = { name: "top-pages", size: 5 * MINUTE, advance: MINUTE };
export const TOP_CLICKS: Stream = { name: "top-clicks", size: 5 * MINUTE, advance: MINUTE };

/** How many records of one key are in the window that starts at `start` (milliseconds since the Unix epoch). */
export interface Count {
  key: string;
  start: number;
  count: number;
}

/** An event as it lies on Kafka, as far as the dashboard shows it. */
export interface Event {
  /** Unique: where it lies, and its own id, because a broker that lost its memory counts from 0 again. */
  id: string;
  /** When it happened, in milliseconds since the Unix epoch. */
  time: number;
  type: string;
  name: string;
  page: { url: string; title: string };
  element: { tag: string; text: string; path: string };
  properties: Record<string, unknown>;
}

/** Reads one window of a stream; nothing, when it is none. */
export function readCount(data: unknown): Count | undefined {
  const { key, key_base64, start, count } = object(data);
  const name = typeof key === "string" ? key : key_base64;
  if (typeof name !== "string" || typeof start !== "number" || typeof count !== "number") {
    return undefined;
  }
  return { key: name, start, count };
}

/** Reads the answer to a query for windows. */
export function readCounts(data: unknown): Count[] {
  const { windows } = object(data);
  return (Array.isArray(windows) ? windows : []).flatMap((window) => readCount(window) ?? []);
}

/** Reads a record of the tail; nothing, when it is no event. */
export function readEvent(data: unknown): Event | undefined {
  const { topic, partition, offset, timestamp, value } = object(data);
  const event = object(value);
  const time = typeof timestamp === "number" ? timestamp : Number(event.time);
  if (typeof event.type !== "string" || Number.isNaN(new Date(time).getTime())) {
    return undefined;
  }
  const page = object(event.page);
  const element = object(event.element);
  return {
    id: `${topic}/${partition}/${offset}/${event.id}`,
    time,
    type: event.type,
    name: text(event.name),
    page: { url: text(page.url), title: text(page.title) },
    element: { tag: text(element.tag), text: text(element.text), path: text(element.path) },
    properties: object(event.properties),
  };
}

function object(data: unknown): Record<string, unknown> {
  return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
}

function text(data: unknown): string {
  return typeof data === "string" ? data : "";
}
