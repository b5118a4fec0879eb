import { attribute, around, describe, destination, is, words } from "./element";
import { record } from "./events";
import { captures } from "./settings";

const LINK = ":is(a,area)[href]";

const MEANINGFUL =
  LINK +
  ",button,select,summary,[data-track],input:is([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio])," +
  "button,link,tab,menuitem,option,checkbox,radio,switch".replace(/\w+/g, "[role=$&]");

/** Nothing within is recorded. */
export const PRIVATE = "[data-no-track]";

/** What is asked of a click, also of one that is over. */
export type Click = Pick<MouseEvent, "button" | "composedPath">;

/** Records a click on the nearest element that it is meant for. */
export function clicked(event: Click, time?: number): void {
  const all = captures("all-clicks");
  // The middle button opens links; the others open menus.
  const wanted = [MEANINGFUL, LINK][event.button];
  const path = around(event);
  if (
    !wanted ||
    !(all || captures("clicks")) ||
    path.some((outer) => is(outer, PRIVATE) || (outer as HTMLElement).isContentEditable)
  ) {
    return;
  }
  let at = path.findIndex((outer) => is(outer, wanted));
  if (at < 0 && all && !event.button) {
    at = 0;
  }
  const element = path[at];
  if (element) {
    const inner = path.slice(at);
    const { href } = element as HTMLAnchorElement;
    const details = {
      element: {
        ...describe(inner),
        role: attribute(element, "role"),
        text: words(inner),
        // Of a link in SVG it is an object.
        ...(typeof href === "string" && destination(href, element.hasAttribute("download"))),
      },
      properties: tracked(element),
    };
    record("click", details, time);
  }
}

/** The `data-track-…` attributes of an element. */
function tracked(element: Element): Record<string, string> | undefined {
  const own = Array.from(element.attributes, ({ name, value }) => [name, value] as const)
    .filter(([name]) => name.startsWith("data-track-"))
    .map(([name, value]) => [name.slice(11), value] as const);
  return own[0] && Object.fromEntries(own);
}
