import { clean } from "./address";
import { attempt } from "./store";

/** The longest path that is told. */
const LONGEST_PATH = 512;

/** A text is not read from these, nor from what holds one: people type into them. */
const TYPED = "input,select,textarea,output,[contenteditable],[role=textbox],[role=searchbox]";

/** What suggests, or shows, what was typed. */
export const ECHO = "[role=option],[role=listbox],[role=combobox]";

const FILES =
  /\.(7z|avi|csv|dmg|docx?|epub|exe|gz|iso|key|mov|mp[34]|mpeg|pdf|pkg|pptx?|rar|rtf|tar|tgz|wav|wmv|xlsx?|zip)$/i;

/** The elements of an event's path, the innermost first, out of open shadow roots too. */
export function elements(path: EventTarget[]): Element[] {
  return path.filter((node): node is Element => node instanceof Element);
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

/** The words on an element, never what was typed: the first that are fit to be read are its text. */
export function words(element: Element): Array<string | undefined> {
  const isTyped = is(element, TYPED) || element.querySelector(TYPED);
  return [
    !isTyped
      ? element.textContent!.slice(0, 4096)
      : is(element, "[type=button],[type=submit],[type=reset]")
        ? attribute(element, "value")
        : "",
    attribute(element, "aria-label"),
  ];
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
    if (/^(body|html)$/.test(element.localName) || longer.length > LONGEST_PATH) {
      break;
    }
    text = longer;
  }
  return text || undefined;
}
