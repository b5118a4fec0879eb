// What the shop uses of the SDK. It is there in its own time, or not at all: the shop must not care.

import type {} from "@footfall/sdk/script";

export type { Footfall, SentBatch as Batch, Status } from "@footfall/sdk";

export function track(name: string, properties: Record<string, unknown>): void {
  window.footfall?.track(name, properties);
}
