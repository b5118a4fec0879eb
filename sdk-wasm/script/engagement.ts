import { record } from "./events";

/** The view that is left next, and how much of it was seen. */
let url: string | undefined;
let visibleMs = 0;
let visibleSince: number | undefined;
let deepest = 0;

/** A view starts here, or nowhere. */
export function arrive(at?: string): void {
  url = at;
  visibleMs = 0;
  visibleSince = undefined;
  watchEyes();
  deepest = scrollY;
}

/** The page was shown or hidden. */
export function watchEyes(): void {
  const now = performance.now();
  visibleMs += now - (visibleSince ?? now);
  visibleSince = document.visibilityState === "visible" ? now : undefined;
}

export function scrolled(): void {
  deepest = Math.max(deepest, scrollY);
}

/** Records how the view was, once. */
export function leave(): void {
  if (url !== undefined) {
    watchEyes();
    const { scrollHeight } = document.documentElement;
    const share = deepest / (scrollHeight - innerHeight);
    const scroll_percent = share >= 0 && share < 1 ? Math.round(share * 100) : 100;
    const properties = { visible_ms: Math.round(visibleMs), scroll_percent };
    record("page_leave", { page: { url }, properties });
    url = undefined;
  }
}
