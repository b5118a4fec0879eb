import type { Reason } from "../index";

/** What the visitor has chosen on this site. */
export type Choice = "in" | "out" | undefined;

/** What the browser says for its user, on every site. */
export interface Signals {
  globalPrivacyControl?: unknown;
  doNotTrack?: unknown;
}

/** Whether events may be recorded. The visitor's own choice is the strongest, the site's mode the weakest. */
export function decide(choice: Choice, sources: Signals[], mode: string | undefined): Reason {
  if (choice) {
    return choice === "in" ? "recording" : "opted_out";
  }
  if (sources.some((source) => source.globalPrivacyControl)) {
    return "gpc";
  }
  if (sources.some(({ doNotTrack }) => doNotTrack === "1" || doNotTrack === "yes")) {
    return "dnt";
  }
  // A mode that we do not know is one that asks for more.
  return (mode ?? "implied") === "implied" ? "recording" : "consent_required";
}
