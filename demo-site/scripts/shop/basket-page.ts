// The basket on the pages: the count in the head, "add" on a product, the list in the basket.

import { type Basket, add, count, format, parse, put, total } from "./basket.ts";
import { track } from "./footfall.ts";

const KEPT_AS = "kittiwake-basket";

export function showBasket(page: Document): void {
  if (page.querySelector("[data-basket-clear]")) {
    keep(new Map());
  }
  showCount(page);
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-basket-add]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      addFrom(form, page);
    });
  }
  if (page.querySelector("[data-basket-lines]")) {
    showLines(page);
  }
  // Another tab, or this page brought back by the back button.
  window.addEventListener("storage", () => showCount(page));
  window.addEventListener("pageshow", () => showCount(page));
}

/** What the basket on this page costs; the page carries the prices. */
export function basketTotal(page: Document): number {
  return total(kept(), prices(page));
}

function addFrom(form: HTMLFormElement, page: Document): void {
  const slug = form.dataset.basketAdd ?? "";
  const quantity = form.querySelector<HTMLInputElement>("[name=quantity]")?.valueAsNumber ?? 1;
  keep(add(kept(), slug, quantity));
  showCount(page);
  const said = page.querySelector("[data-basket-said]");
  if (said) {
    const link = page.createElement("a");
    link.href = "/cart";
    link.textContent = "See the basket";
    said.replaceChildren("In the basket. ", link);
  }
}

function showLines(page: Document): void {
  const basket = kept();
  const lines = page.querySelector("[data-basket-lines]");
  lines?.replaceChildren(
    ...[...page.querySelectorAll<HTMLTemplateElement>("template[data-basket-product]")].flatMap((product) => {
      const quantity = basket.get(product.dataset.basketProduct ?? "");
      return quantity === undefined ? [] : [line(product, quantity, page)];
    }),
  );
  const empty = lines?.childElementCount === 0;
  page.querySelector<HTMLElement>("[data-basket-empty]")!.hidden = !empty;
  page.querySelector<HTMLElement>("[data-basket-full]")!.hidden = empty;
  page.querySelector("[data-basket-total]")!.textContent = euros(basketTotal(page));
}

function line(product: HTMLTemplateElement, quantity: number, page: Document): Node {
  const slug = product.dataset.basketProduct ?? "";
  const made = page.importNode(product.content, true);
  made.querySelector(".line-price")!.textContent = euros(Number(product.dataset.price) * quantity);
  const input = made.querySelector("input")!;
  input.value = String(quantity);
  input.addEventListener("change", () => {
    if (input.checkValidity()) {
      change(slug, input.valueAsNumber, page);
    }
  });
  made.querySelector("button")!.addEventListener("click", () => {
    change(slug, 0, page);
    page.querySelector<HTMLElement>("main")?.focus();
    track("basket_removed", { product: slug });
  });
  return made;
}

function change(slug: string, quantity: number, page: Document): void {
  keep(put(kept(), slug, quantity));
  showCount(page);
  if (quantity === 0) {
    showLines(page);
    return;
  }
  // The line itself stays, so that whoever is typing in it keeps the focus.
  const link = page.querySelector(`.line a[href="/products/${slug}"]`);
  const price = prices(page).get(slug) ?? 0;
  link?.closest(".line")?.querySelector(".line-price")?.replaceChildren(euros(price * quantity));
  page.querySelector("[data-basket-total]")!.textContent = euros(basketTotal(page));
}

function showCount(page: Document): void {
  const badge = page.querySelector<HTMLElement>("[data-basket-count]");
  if (badge) {
    const number = count(kept());
    badge.textContent = String(number);
    badge.hidden = number === 0;
  }
}

function prices(page: Document): Map<string, number> {
  const products = page.querySelectorAll<HTMLTemplateElement>("template[data-basket-product]");
  return new Map(
    [...products].map(({ dataset }) => [dataset.basketProduct ?? "", Number(dataset.price)]),
  );
}

function euros(amount: number): string {
  return `€${amount}`;
}

// A browser may refuse to keep anything: then the basket is simply empty on the next page.
function kept(): Basket {
  try {
    return parse(localStorage.getItem(KEPT_AS));
  } catch {
    return new Map();
  }
}

function keep(basket: Basket): void {
  const text = format(basket);
  try {
    if (text === null) {
      localStorage.removeItem(KEPT_AS);
    } else {
      localStorage.setItem(KEPT_AS, text);
    }
  } catch {
    // As above.
  }
}
