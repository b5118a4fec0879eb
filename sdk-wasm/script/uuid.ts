/** A UUID of version 7 (RFC 9562), of 10 random bytes: it sorts by time. */
export function uuid(now: number, random: Uint8Array<ArrayBuffer>): string {
  random[0] = (random[0]! & 15) | 0x70;
  random[2] = (random[2]! & 63) | 0x80;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const bits = Array.from(random, (byte) => hex(byte, 2)).join("");
  return (hex(now, 12) + bits).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function newId(): string {
  return uuid(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
}
