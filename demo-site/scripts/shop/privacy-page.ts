// The privacy page: the state, and what was sent. The switch is the SDK's own element.

import { element } from "../element.ts";
import type { Batch, Footfall } from "./footfall.ts";
import { body, rows, size } from "./privacy.ts";

const LOOK_AGAIN_MS = 500;

export function showPrivacy(page: Document): void {
  const root = page.querySelector<HTMLElement>("[data-privacy]");
  if (!root) {
    return;
  }
  const parts = {
    pretty: root.querySelector<HTMLButtonElement>("[data-privacy-pretty]")!,
    state: root.querySelector<HTMLElement>("[data-privacy-state]")!,
    none: root.querySelector<HTMLElement>("[data-privacy-none]")!,
    batches: root.querySelector<HTMLElement>("[data-privacy-batches]")!,
  };
  let shown = "";
  const refresh = (): void => {
    const footfall = window.footfall;
    showState(parts.state, footfall);
    const batches = footfall?.inspect() ?? [];
    const pretty = parts.pretty.ariaPressed === "true";
    // Only what changed is drawn again, so that text which somebody is selecting stays.
    const now = JSON.stringify([pretty, batches]);
    if (now !== shown) {
      shown = now;
      parts.none.hidden = batches.length > 0;
      parts.batches.replaceChildren(...newestFirst(batches).map((batch) => item(batch, pretty)));
    }
  };
  parts.pretty.addEventListener("click", () => {
    parts.pretty.ariaPressed = String(parts.pretty.ariaPressed !== "true");
    refresh();
  });
  refresh();
  setInterval(refresh, LOOK_AGAIN_MS);
}

function showState(state: HTMLElement, footfall: Footfall | undefined): void {
  const status = footfall?.status();
  const known = status ? rows(status) : [];
  const drawn = [...state.querySelectorAll("dd")];
  if (drawn.length === known.length) {
    known.forEach(([, value], index) => setText(drawn[index]!, value));
  } else if (known.length > 0) {
    state.replaceChildren(
      ...known.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    );
  }
}

function item(batch: Batch, pretty: boolean): HTMLElement {
  const sent = new Date(batch.sentAt);
  const time = element("time", { datetime: sent.toISOString() }, sent.toLocaleTimeString());
  const answer = batch.status ? `answered ${batch.status}` : "answer not read";
  const head = element("header", {}, element("strong", {}, time), size(batch), ` to ${batch.url}`, ` · ${answer}`);
  return element("li", { class: "batch" }, head, element("pre", { tabindex: "0" }, body(batch, pretty)));
}

function newestFirst(batches: Batch[]): Batch[] {
  return [...batches].sort((a, b) => b.sentAt - a.sentAt);
}

// Text that somebody is selecting stays, as long as it is the same.
function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
