import type { Reason } from "../../index";

/** What the element says; an attribute of the same name says it in other words. */
export type Text = "label" | `text-${Reason}`;

const TEXTS: Record<Text, string> = {
  label: "Record my visits",
  "text-recording": "Your visits to this site are recorded. Switch it off and it stops at once.",
  "text-opted_out": "Your visits are not recorded. Nothing is sent, and nothing is stored but this choice.",
  "text-gpc":
    "Your browser sends Global Privacy Control, so nothing is recorded. Switch it on to allow this site only.",
  "text-dnt":
    "Your browser sends Do Not Track, so nothing is recorded. Switch it on to allow this site only.",
  "text-consent_required": "Nothing is recorded until you switch it on.",
  "text-sampled_out": "Visits may be recorded, but this one is not among those that are.",
  "text-stopped": "Visits may be recorded, but on this page recording has stopped.",
  "text-not_started": "Visits may be recorded, but this page does not do so.",
};

export function text(element: Element, name: Text): string {
  return element.getAttribute(name) ?? TEXTS[name];
}
