import { deny } from "./address";
import { attribute, describe, destination, elements, is } from "./element";
import { record } from "./events";
import { PRIVATE } from "./clicks";
import { captures, stores } from "./settings";
import { attempt, TYPED, typed } from "./store";

/** Fields into which nobody types. */
const CHOSEN = "[type=hidden],[type=checkbox],[type=radio],[type=submit],[type=image],[type=button],[type=reset]";

/** Records a form by its name. Its values are never read. */
export function submitted(event: SubmitEvent): void {
  const path = elements(event.composedPath());
  const [form] = path;
  if (!form || path.some((outer) => is(outer, PRIVATE))) {
    return;
  }
  const own = (name: string) =>
    attribute(event.submitter ?? form, "form" + name) ?? attribute(form, name) ?? "";
  if (own("method").toLowerCase() !== "post") {
    hide(form);
  }
  if (captures("forms")) {
    const { href } = destination(new URL(own("action"), document.baseURI).href, false);
    record("form_submit", { element: { ...describe(path), href } });
  }
}

/** The next address says what was typed: from now on, without these parameters. */
function hide(form: Element): void {
  const fields = Element.prototype.querySelectorAll.call(form, `textarea,input:not(${CHOSEN})`);
  const names = Array.from(fields, (field) => attribute(field, "name") ?? "");
  deny(names);
  if (stores()) {
    attempt(() => sessionStorage.setItem(TYPED, JSON.stringify([...typed(), ...names])));
  }
}
