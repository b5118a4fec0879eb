/** What a site can set; the tag has the same as `data-…` attributes. */
export interface Options {
  /** Names the site: 1 to 64 of `A-Z a-z 0-9 - _`. */
  writeKey: string;
  /** Base URL of the gateway; `/v1/events` is appended. */
  endpoint: string;
  /** `required`: nothing before `optIn()`. Default: `implied`. */
  consent?: "implied" | "required";
  /** In `required` mode: calls before the decision wait in memory. A "no" drops them. Default: false. */
  hold?: boolean;
  /** `cookie`: visitor and session are cookies; `memory`: nothing is kept between pages. Default: `local`. */
  storage?: "local" | "cookie" | "memory";
  /** No visitor and no session. Default: false. */
  cookieless?: boolean;
  /** The share of sessions that is recorded, 0 to 1. Default: 1. */
  sample?: number;
  /** What is recorded without being called for. Default: `page-views clicks forms engagement`. */
  capture?: Capture[];
  /** Goes with every event, as after a call of `properties`. As an attribute, JSON. Default: none. */
  properties?: Properties;
  /** The most events of a batch, 1 to 500. Default: 20. */
  batchCount?: number;
  /** The most bytes of a batch: a number, or with a unit. Default: `16KB`. */
  batchBytes?: number | string;
  /** How long an event may wait: milliseconds, or with a unit. Default: `3s`. */
  batchAge?: number | string;
  /** The most bytes of events that wait, over all tabs. Default: `256KB`. */
  queueBytes?: number | string;
  /** How long an event may wait before it is given up: milliseconds, or with a unit. Default: `7d`. */
  maxAge?: number | string;
  /** More query parameters to remove from every URL. Default: none. */
  denyQuery?: string[];
  /** Query parameters to keep although they are removed by default. Default: none. */
  keepQuery?: string[];
  /** How many sent batches `inspect()` remembers, over the pages of this tab. Default: 0. */
  inspect?: number;
  /** What records where WebAssembly is refused: `() => import("@footfall/sdk/twin")`. Default: none. */
  twin?: () => Promise<TwinModule>;
  /** What measures for `vitals`: `() => import("@footfall/sdk/vitals")`. Default: none. */
  vitals?: () => Promise<VitalsModule>;
  /** Says on the console what is recorded, queued, sent and dropped, and why. Default: false. */
  debug?: boolean;
}

/** What `@footfall/sdk/twin` exports for `twin`. */
export interface TwinModule {
  load(options: Options): Promise<unknown>;
}

/** What `@footfall/sdk/vitals` exports for `vitals`. */
export interface VitalsModule {
  measure(report: (name: string, value: number, rating: string) => unknown): void;
}

/** What can be recorded without being called for. */
export type Capture =
  | "page-views"
  | "clicks"
  | "all-clicks"
  | "forms"
  | "engagement"
  | "vitals"
  | "errors"
  | "click-ids"
  | "hash";

/** Values that JSON can carry. */
export type Properties = Record<string, unknown>;

/** Why events are recorded, or why not. */
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
  visitor?: string;
  session?: string;
  /** Events that wait or are on their way. */
  queued: number;
  /** Events of this load that were recorded and will not be delivered. */
  lost: number;
}

/** A batch that was sent. */
export interface SentBatch {
  /** Milliseconds since the Unix epoch. */
  sentAt: number;
  url: string;
  /** Exactly as sent. */
  body: string;
  /** The answer's HTTP status; 0 if there was none; null while, or because, nobody waits for it. */
  status: number | null;
}

/** An event as it will be sent. */
export type Event = Record<string, unknown>;

export interface Footfall {
  /** Starts to record. The first configuration wins. */
  init(options: Options): Footfall;
  /** Records an event of the site's own. */
  track(name: string, properties?: Properties): void;
  /** Records a page view, for pages that the SDK cannot tell apart. */
  page(properties?: Properties): void;
  /** Names the user from now on. */
  identify(user: string, traits?: Properties): void;
  /** Goes with every event from now on, besides what was set before; `reset` clears it. */
  properties(properties: Properties): void;
  /** Forgets user, visitor and session, as on signing out. */
  reset(): void;
  /** The visitor agrees; stronger than Global Privacy Control and Do Not Track. */
  optIn(): void;
  /** The visitor refuses: all is wiped but this wish. */
  optOut(): void;
  /** Sends all that waits, now. */
  flush(): Promise<void>;
  /** Changes every event before it gets its `id` and `seq`, or refuses it by returning null. */
  beforeSend(filter: (event: Event) => Event | null): void;
  status(): Status;
  /** The last batches, oldest first. */
  inspect(): SentBatch[];
}

/** Starts to record; the same as `footfall.init`. */
export function init(options: Options): Footfall;

declare const footfall: Footfall;
export default footfall;
