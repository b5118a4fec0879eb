import type { Footfall, Reason } from "../../index";
import { decide } from "../consent";
import { choice, choose, wipe } from "../store";

/** Those for which nothing is recorded on any page of the site. */
const REFUSED: Reason[] = ["opted_out", "gpc", "dnt", "consent_required"];

/** The page's SDK, if it has one and it has started. */
function sdk(): Footfall | undefined {
  const { footfall } = window as { footfall?: Partial<Footfall> };
  const reason = footfall?.status?.().reason ?? "not_started";
  return reason === "not_started" ? undefined : (footfall as Footfall);
}

/** Why visits are recorded, or why not. A page without the SDK knows the choice and the signals. */
export function reason(mode: string | null): Reason {
  const started = sdk();
  if (started) {
    return started.status().reason;
  }
  const decided = decide(choice(), [navigator, window] as object[], mode ?? undefined);
  return decided === "recording" ? "not_started" : decided;
}

export function allows(reason: Reason): boolean {
  return !REFUSED.includes(reason);
}

/** Makes the visitor's choice, here and in other tabs. */
export function set(allowed: boolean): void {
  const started = sdk();
  if (started) {
    allowed ? started.optIn() : started.optOut();
    return;
  }
  choose(allowed ? "in" : "out");
  if (!allowed) {
    wipe();
  }
}
