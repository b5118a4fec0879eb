// What the privacy page says, as pure functions.

import type { Batch, Status } from "./footfall.ts";

/** The state as rows of a name and a value. */
export function rows(status: Status): [name: string, value: string][] {
  return [
    ["Recording", status.recording ? "yes" : "no"],
    ["Reason", status.reason],
    ["This browser's number", status.visitor || "none"],
    ["This visit's number", status.session || "none"],
    ["Waiting to be sent", String(status.queued)],
    ["Lost", typeof status.lost === "object" ? JSON.stringify(status.lost) : String(status.lost)],
  ];
}

/** A batch's body, exactly as sent, or laid out over lines. */
export function body(batch: Batch, pretty: boolean): string {
  if (!pretty) {
    return batch.body;
  }
  try {
    return JSON.stringify(JSON.parse(batch.body), null, 2);
  } catch {
    return batch.body;
  }
}

/** How many events a batch has, in words. */
export function size(batch: Batch): string {
  const bytes = new TextEncoder().encode(batch.body).length.toLocaleString("en");
  try {
    const { events } = JSON.parse(batch.body) as { events: unknown[] };
    return `${events.length} ${events.length === 1 ? "event" : "events"}, ${bytes} bytes`;
  } catch {
    return `${bytes} bytes`;
  }
}
