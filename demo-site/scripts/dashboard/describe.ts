// Events, addresses and elements in words.

import type { Event } from "./streams.ts";

/** A page's address without its site, as people say it. */
export function path(url: string): string {
  try {
    const { pathname, search, hash } = new URL(url);
    return pathname + search + hash;
  } catch {
    return url;
  }
}

/** What an event is about, besides its page; empty when there is nothing to say. */
export function what({ type, name, page, element, properties }: Event): string {
  switch (type) {
    case "page_view":
      return page.title;
    case "click":
    case "form_submit":
      return element.text || lastStep(element.path) || element.tag;
    case "page_leave":
      return left(properties);
    default:
      return [name, listed(properties)].filter(Boolean).join(" · ");
  }
}

/** The last steps of an element's path, which say more than its first: `…>form>button#buy`. */
export function lastSteps(path: string, length: number): string {
  const steps = path.split(">");
  return (steps.length > length ? "…>" : "") + steps.slice(-length).join(">");
}

/** The element itself: `button#buy` of `main>form>button#buy`. */
export function lastStep(path: string): string {
  return path.slice(path.lastIndexOf(">") + 1);
}

function left({ visible_ms, scroll_percent }: Record<string, unknown>): string {
  const seconds = typeof visible_ms === "number" ? `looked at for ${(visible_ms / 1_000).toFixed(1)} s` : "";
  const scrolled = typeof scroll_percent === "number" ? `scrolled ${Math.round(scroll_percent)} %` : "";
  return [seconds, scrolled].filter(Boolean).join(", ");
}

function listed(properties: Record<string, unknown>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}
