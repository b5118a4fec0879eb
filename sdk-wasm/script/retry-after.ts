/** How long a server asks to be left alone, by seconds or by a date; negative when it does not. */
export function askedMs(header: string | null, now: number): number {
  if (!header) {
    return -1;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? -1 : Math.max(ms, 0);
}
