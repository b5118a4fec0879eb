// A ranking as rows with bars. A row stays the same element while its key is in the list, so that its bar can grow.

import { element } from "../element.ts";
import type { Ranked } from "./windows.ts";

/** How a key is told to people. */
export interface Label {
  main: string;
  beside: string;
}

export class RankingView {
  readonly #rows = new Map<string, Row>();

  constructor(
    readonly list: HTMLElement,
    readonly label: (key: string) => Label,
  ) {}

  show(ranked: readonly Ranked[]): void {
    const most = ranked[0]?.count ?? 1;
    const shown = new Set(ranked.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (!shown.has(key)) {
        row.item.remove();
        this.#rows.delete(key);
      }
    }
    ranked.forEach(({ key, count }, index) => {
      const row = this.#rows.get(key) ?? new Row(key);
      this.#rows.set(key, row);
      row.show(this.label(key), count, count / most);
      if (this.list.children[index] !== row.item) {
        this.list.insertBefore(row.item, this.list.children[index] ?? null);
      }
    });
  }
}

class Row {
  readonly #main = element("span", { class: "rank-main" });
  readonly #beside = element("span", { class: "rank-beside" });
  readonly #count = element("span", { class: "rank-count" });
  readonly #bar = element("span", { class: "rank-bar", "aria-hidden": "true" });
  readonly item: HTMLElement;

  constructor(key: string) {
    const words = element("span", { class: "rank-words" }, this.#main, this.#beside);
    this.item = element("li", { class: "rank", title: key }, this.#bar, words, this.#count);
  }

  show({ main, beside }: Label, count: number, share: number): void {
    this.#main.textContent = main;
    this.#beside.textContent = beside;
    this.#count.textContent = count.toLocaleString("en");
    this.#bar.style.setProperty("--share", share.toFixed(4));
  }
}
