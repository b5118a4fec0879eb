// What the shop wants to know of its forms: that they were sent, and never what is in them.

import { basketTotal } from "./basket-page.ts";
import { track } from "./footfall.ts";

export function trackForms(page: Document): void {
  page.querySelector("form[data-order]")?.addEventListener("submit", () => {
    track("order_placed", { amount: basketTotal(page) });
  });
  const signUp = page.querySelector<HTMLFormElement>("form[data-sign-up]");
  signUp?.addEventListener("submit", () => {
    track("signed_up", { pattern: new FormData(signUp).has("pattern") });
  });
}
