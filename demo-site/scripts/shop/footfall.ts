// What the shop uses of the SDK. The tag loads it in its own time, or not at all: the shop must not care.

export type Reason =
  | "recording"
  | "opted_out"
  | "gpc"
  | "dnt"
  | "consent_required"
  | "sampled_out"
  | "stopped"
  | "not_started";

export interface Status {
  recording: boolean;
  reason: Reason;
  visitor?: string | null;
  session?: string | null;
  queued: number;
  lost: unknown;
}

export interface Batch {
  /** Milliseconds since the Unix epoch. */
  sentAt: number;
  url: string;
  /** Exactly as sent. */
  body: string;
  /** The HTTP status of the answer, when the page could read one. */
  status?: number | null;
}

export interface Footfall {
  track(name: string, properties?: Record<string, unknown>): void;
  optIn(): void;
  optOut(): void;
  status(): Status;
  inspect(): Batch[];
}

declare global {
  interface Window {
    footfall?: Footfall;
  }
}

export function track(name: string, properties: Record<string, unknown>): void {
  window.footfall?.track(name, properties);
}
