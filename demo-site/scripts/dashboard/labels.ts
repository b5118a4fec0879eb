// What the tail teaches about keys: an element's text by its path, a page's title by its address.

import type { Event } from "./streams.ts";

/** How many of each are remembered; the longest unused are forgotten first. */
const MOST = 1_000;

export class Labels {
  readonly #texts = new Map<string, string>();
  readonly #titles = new Map<string, string>();

  learn({ page, element }: Event): void {
    remember(this.#titles, page.url, page.title);
    remember(this.#texts, element.path, element.text);
  }

  /** The text last seen on an element; empty when none was. */
  text(path: string): string {
    return this.#texts.get(path) ?? "";
  }

  /** The title last seen on a page; empty when none was. */
  title(url: string): string {
    return this.#titles.get(url) ?? "";
  }
}

function remember(labels: Map<string, string>, key: string, label: string): void {
  if (key === "" || label === "") {
    return;
  }
  labels.delete(key);
  labels.set(key, label);
  const oldest = labels.keys().next();
  if (labels.size > MOST && !oldest.done) {
    labels.delete(oldest.value);
  }
}
