// Measures web vitals; loaded only where the site asks for them.

import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";

/** Takes a measure when it is final. */
export type Report = (name: string, value: number, rating: string) => unknown;

export function measure(report: Report): void {
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    on(({ name, value, rating }) => report(name, value, rating));
  }
}
