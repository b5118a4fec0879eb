import { clean } from "./address";
import { readable } from "./readable";
import { attempt } from "./store";

/** The longest path that is told. */
const LONGEST_PATH = 512;

/** A text is not read from these, nor from what holds one: people type into them. */
const TYPED = "input,select,textarea,output,[contenteditable],[role=textbox],[role=searchbox]";

/** What suggests, or shows, what was typed. */
const ECHO = "[role=option],[role=listbox],[role=combobox]";

const FILES =
  /\.(7z|avi|csv|dmg|docx?|epub|exe|gz|iso|key|mov|mp[34]|mpeg|pdf|pkg|pptx?|rar|rtf|tar|tgz|wav|wmv|xlsx?|zip)$/i;

/** The elements around an event's target, the innermost first, out of open shadow roots too. */
export function around(event: Pick<globalThis.Event, "composedPath">): Element[] {
  return event.composedPath().filter((node): node is Element => node instanceof Element);
}

/** A form's fields hide its properties and methods when they have the same names. */
export function is(element: Element, selectors: string): boolean {
  return Element.prototype.matches.call(element, selectors);
}

export function attribute(element: Element, name: string): string | undefined {
  return Element.prototype.getAttribute.call(element, name) || undefined;
}

/** What is told of every element. `path` are the element itself and what is around it. */
export function describe(path: Element[]): Record<string, string | undefined> {
  const [element] = path as [Element];
  return {
    tag: element.localName,
    id: attribute(element, "id"),
    name: attribute(element, "name"),
    path: pathOf(path),
  };
}

/** The words on an element, never what was typed. */
export function words(path: Element[]): string | undefined {
  const [element] = path as [Element];
  if (path.some((outer) => is(outer, ECHO))) {
    return undefined;
  }
  let text = "";
  if (is(element, "[type=button],[type=submit],[type=reset]")) {
    text = attribute(element, "value") ?? "";
  }
  if (!is(element, TYPED) && !element.querySelector(TYPED)) {
    text = element.textContent!.slice(0, 4096);
  }
  return readable(text) || readable(attribute(element, "aria-label") ?? "") || undefined;
}

/** Where a link leads and what kind it is. */
export function destination(href: string, isDownload: boolean): { href?: string; kind?: string } {
  const to = attempt(() => new URL(href));
  if (!to) {
    return {};
  }
  const isOutbound = to.host && to.host !== location.host;
  const kind = isDownload || FILES.test(to.pathname) ? "download" : isOutbound ? "outbound" : undefined;
  return { href: clean(href), ...(kind && { kind }) };
}

/** `main>form>button#buy` */
function pathOf(path: Element[]): string | undefined {
  let text = "";
  for (const element of path) {
    const id = attribute(element, "id");
    const longer = element.localName + (id ? "#" + id : "") + (text && ">" + text);
    if (is(element, "body,html") || longer.length > LONGEST_PATH) {
      break;
    }
    text = longer;
  }
  return text || undefined;
}
