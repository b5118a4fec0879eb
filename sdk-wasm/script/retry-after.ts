/** How long a server asks to be left alone, by seconds or by a date; not a number when it does not. */
export function askedMs(header: string | null, now: number): number {
  return Math.max(/^\d+$/.test(header!) ? Number(header) * 1000 : Date.parse(header!) - now, 0);
}
