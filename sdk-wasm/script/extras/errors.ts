import type { record } from "../events";
import type { readable } from "../readable";

/** An endless loop of errors is told so many times per load. */
const MOST = 20;

const told = new Set<string>();

/** Records an error that nobody has caught: each kind once. */
export function recordError(
  event: ErrorEvent | PromiseRejectionEvent,
  make: typeof record,
  fit: typeof readable,
): void {
  const thrown: unknown = "reason" in event ? event.reason : event.error;
  const { name, message, stack } = Object(thrown) as Partial<Error>;
  const text = message ?? ("message" in event ? event.message : String(thrown));
  const stack_hash = hash(String(stack ?? text));
  if (told.size < MOST && !told.has(stack_hash)) {
    told.add(stack_hash);
    const properties = { message: fit(String(text)), stack_hash };
    make("error", { name: String(name ?? "Error").slice(0, 32), properties });
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
