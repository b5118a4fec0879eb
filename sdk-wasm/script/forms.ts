import { hide } from "./address";
import { attribute, describe, destination, elements, is } from "./element";
import { record } from "./events";
import { PRIVATE } from "./clicks";
import { captures } from "./settings";

/** Fields into which nobody types. */
const CHOSEN = "[type=hidden],[type=checkbox],[type=radio],[type=submit],[type=image],[type=button],[type=reset]";

/** Records a form by its name. Its values are never read. */
export function submitted(event: SubmitEvent): void {
  const path = elements(event.composedPath());
  const [form] = path as [Element];
  const own = (name: string) =>
    attribute(event.submitter ?? form, "form" + name) ?? attribute(form, name) ?? "";
  if (own("method").toLowerCase() !== "post") {
    // The next address says what was typed.
    const fields = Element.prototype.querySelectorAll.call(form, `textarea,input:not(${CHOSEN})`);
    hide(Array.from(fields, (field) => attribute(field, "name") ?? ""));
  }
  if (captures("forms") && !path.some((outer) => is(outer, PRIVATE))) {
    const { href } = destination(new URL(own("action"), document.baseURI).href, false);
    record("form_submit", { element: { ...describe(path), href } });
  }
}
