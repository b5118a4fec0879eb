/** A UUID of version 7 (RFC 9562): it sorts by time. */
export function uuid(now: number, random: Uint8Array<ArrayBuffer>): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const bits = Array.from(random, (byte) => hex(byte, 2)).join("");
  const variant = hex(8 + (random[8]! & 3), 1);
  const time = hex(now, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${bits.slice(0, 3)}-${variant}${bits.slice(3, 6)}-${bits.slice(6, 18)}`;
}

export function newId(): string {
  return uuid(Date.now(), crypto.getRandomValues(new Uint8Array(9)));
}
