import type { Properties } from "../index";
import { attribute, describe, destination, ECHO, elements, is, words } from "./element";
import { type Details, record } from "./events";
import { readable } from "./readable";
import { captures } from "./settings";

const LINK = ":is(a,area)[href]";

const MEANINGFUL =
  LINK +
  ",button,select,summary,[data-track],input:is([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio])," +
  "button,link,tab,menuitem,option,checkbox,radio,switch".replace(/\w+/g, "[role=$&]");

/** Nothing within is recorded. */
export const PRIVATE = "[data-no-track]";

/** People type into what is within, but for islands that are part of it all the same. */
const EDITED = ",[contenteditable]";

/** What is asked of a click, also of one that is over. */
export type Click = Pick<MouseEvent, "button" | "composedPath">;

/**
 * Records a click on the nearest element that it is meant for. The page waits for this, and may change the element
 * next: what it says is read now, and all else later.
 */
export function clicked(event: Click, time?: number): void {
  const all = captures("all-clicks");
  // The middle button opens links; the others open menus.
  const wanted = [MEANINGFUL, LINK][event.button];
  if (!wanted || !(all || captures("clicks"))) {
    return;
  }
  const path = event.composedPath();
  let at = path.findIndex((node) => node instanceof Element && is(node, wanted));
  if (at < 0 && all && !event.button) {
    at = 0;
  }
  const element = path[at];
  if (element instanceof Element) {
    const { href } = element as HTMLAnchorElement;
    const said = words(element);
    const properties = tracked(element);
    record("click", () => tell(path, at, said, href, properties), time);
  }
}

/** What is told of a click, unless it was where nothing is recorded. */
function tell(
  nodes: EventTarget[],
  at: number,
  said: Array<string | undefined>,
  href: unknown,
  properties: Properties | undefined,
): Details | undefined {
  const path = elements(nodes);
  // Where all of a page is edited, no attribute says so.
  if (path.some((outer) => is(outer, PRIVATE + EDITED)) || (path[0] as HTMLElement).isContentEditable) {
    return undefined;
  }
  const inner = elements(nodes.slice(at));
  const [element] = inner as [Element];
  return {
    element: {
      ...describe(inner),
      role: attribute(element, "role"),
      text: inner.some((outer) => is(outer, ECHO)) ? undefined : said.map(readable).find(Boolean),
      // Of a link in SVG it is an object.
      ...(typeof href === "string" && destination(href, element.hasAttribute("download"))),
    },
    properties,
  };
}

/** The `data-track-…` attributes of an element. */
function tracked(element: Element): Record<string, string> | undefined {
  const own = Element.prototype.getAttributeNames.call(element).filter((name) => name.startsWith("data-track-"));
  const pairs = own.map((name) => [name.slice(11), attribute(element, name) ?? ""]);
  return pairs[0] && Object.fromEntries(pairs);
}
