import type { SentBatch } from "../../index";
import { attempt, SENT, sent } from "../store";

/** Keeps so many sent batches for `inspect()`; call the result with the answer's status. */
export function remember(count: number, url: string, body: string): (status: number) => void {
  const batch: SentBatch = { sentAt: Date.now(), url, body, status: null };
  const keep = (batches: SentBatch[]) =>
    attempt(() => sessionStorage.setItem(SENT, JSON.stringify(batches.slice(-count))));
  if (count > 0) {
    keep([...sent(), batch]);
  }
  return (status) => {
    const isThis = (kept: SentBatch) => kept.sentAt === batch.sentAt && kept.body === body;
    const batches = sent();
    // A visitor who has said no meanwhile has none.
    if (batches.some(isThis)) {
      keep(batches.map((kept) => (isThis(kept) ? { ...kept, status } : kept)));
    }
  };
}
