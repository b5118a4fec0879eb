import * as glue from "footfall-glue";
import { enter } from "./guard";

/** What is said about the browser with every batch. */
export function context(timezone?: string): string {
  return JSON.stringify({
    locale: navigator.language,
    timezone,
    screen: screen.width + "x" + screen.height,
    viewport: innerWidth + "x" + innerHeight,
    automated: navigator.webdriver || undefined,
  });
}

let asked = false;

/** Asking for the time zone takes up to 29 ms: not before something was sent, nor while anything else is to do. */
export function learnTimezone(): void {
  if (!asked) {
    asked = true;
    const idle = window.requestIdleCallback ?? setTimeout;
    idle(() => {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      enter(() => glue.describe(context(timeZone)));
    });
  }
}
