import { Call } from "./code";
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

/** What browsers since 2025 have, and TypeScript does not know yet. */
interface WithTemporal {
  Temporal?: { Now: { timeZoneId(): string } };
}

let asked = false;

/**
 * The time zone is asked for once something was sent, and nothing else is to do: without `Temporal` the first answer
 * takes 12 to 50 ms.
 */
export function learnTimezone(): void {
  if (!asked) {
    asked = true;
    const idle = window.requestIdleCallback ?? setTimeout;
    idle(() => {
      const now = (globalThis as WithTemporal).Temporal?.Now;
      const zone = now?.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
      enter(Call.Describe, context(zone));
    });
  }
}
