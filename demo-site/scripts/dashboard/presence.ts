// Whether somebody looks at the page.

export interface Presence {
  come(): void;
  leave(): void;
}

/** Calls `come` now and whenever the page is looked at again, `leave` once it was hidden for `patience` milliseconds. */
export function whileLookedAt(patience: number, { come, leave }: Presence): void {
  let timer = 0;
  let away = false;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = window.setTimeout(() => {
        away = true;
        leave();
      }, patience);
    } else if (away) {
      away = false;
      come();
    }
  });
  come();
}
