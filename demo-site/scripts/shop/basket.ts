// The basket as a value: how many of each product. Nothing here touches the page.

export type Basket = ReadonlyMap<string, number>;

/** How many of one product a basket takes. */
export const MOST = 9;

/** Reads what was kept; what is not a basket is an empty one. */
export function parse(text: string | null): Basket {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    const lines = Object.entries(kept as Record<string, unknown>);
    return new Map(lines.flatMap(([slug, quantity]) => (isQuantity(quantity) ? [[slug, quantity]] : [])));
  } catch {
    return new Map();
  }
}

/** What to keep, or nothing for an empty basket. */
export function format(basket: Basket): string | null {
  return basket.size === 0 ? null : JSON.stringify(Object.fromEntries(basket));
}

/** Sets how many of a product there are; none takes it out. */
export function put(basket: Basket, slug: string, quantity: number): Basket {
  const changed = new Map(basket);
  if (quantity >= 1) {
    changed.set(slug, Math.min(Math.floor(quantity), MOST));
  } else {
    changed.delete(slug);
  }
  return changed;
}

/** Adds to what is there. */
export function add(basket: Basket, slug: string, quantity: number): Basket {
  return put(basket, slug, (basket.get(slug) ?? 0) + quantity);
}

export function count(basket: Basket): number {
  return [...basket.values()].reduce((sum, quantity) => sum + quantity, 0);
}

/** What it costs, in the prices' unit. Products without a price are no longer sold and cost nothing. */
export function total(basket: Basket, prices: ReadonlyMap<string, number>): number {
  return [...basket].reduce((sum, [slug, quantity]) => sum + quantity * (prices.get(slug) ?? 0), 0);
}

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
}
