// The newest events as lines, and the button that holds them still.

import { path, what } from "./describe.ts";
import { element } from "../element.ts";
import type { Event } from "./streams.ts";

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

export class TailView {
  readonly #lines = new Map<string, HTMLElement>();
  #held = false;
  #waiting = 0;

  constructor(
    readonly list: HTMLElement,
    readonly hold: HTMLButtonElement,
    readonly latest: () => readonly Event[],
  ) {
    hold.addEventListener("click", () => {
      this.#held = !this.#held;
      this.#waiting = 0;
      hold.ariaPressed = String(this.#held);
      this.show(0);
    });
  }

  /** Shows the latest events, `fresh` of which were not there before. */
  show(fresh: number): void {
    this.#waiting += this.#held ? fresh : 0;
    this.hold.textContent = this.#held ? `Go on${this.#waiting ? ` (${this.#waiting} new)` : ""}` : "Hold still";
    if (this.#held) {
      return;
    }
    const events = this.latest();
    const shown = new Set(events.map(({ id }) => id));
    for (const [id, line] of this.#lines) {
      if (!shown.has(id)) {
        line.remove();
        this.#lines.delete(id);
      }
    }
    events.forEach((event, index) => {
      const line = this.#lines.get(event.id) ?? draw(event);
      this.#lines.set(event.id, line);
      if (this.list.children[index] !== line) {
        this.list.insertBefore(line, this.list.children[index] ?? null);
      }
    });
  }
}

function draw(event: Event): HTMLElement {
  const time = element("time", { datetime: new Date(event.time).toISOString() }, TIME.format(event.time));
  const type = element("span", { class: "type" }, event.type.replaceAll("_", " "));
  const about = element("span", { class: "what" }, what(event));
  const page = element("span", { class: "path", title: event.page.url }, path(event.page.url));
  return element("li", { class: "event", "data-type": event.type }, time, type, about, page);
}
