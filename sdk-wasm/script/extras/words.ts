import type { Status } from "../../index";
import { attempt } from "../store";
import { Word } from "../word";

type Level = "info" | "warn";

/** What is told of each word besides what it is about. */
const TEXTS: Record<Exclude<Word, Word.Recorded | Word.Stored>, [Level, string]> = {
  [Word.Filtered]: ["info", "refused by beforeSend"],
  [Word.Sending]: ["info", "sending"],
  [Word.Answered]: ["info", "answered"],
  [Word.Left]: ["info", "sent on leaving"],
  [Word.Dropped]: ["info", "lost, and not told yet"],
  [Word.NotANumber]: ["warn", "not understood, give a number or one like 3s or 16KB; the default holds:"],
  [Word.NotAName]: ["warn", "ignored, the first argument must be a text of 1 to 128 bytes:"],
  [Word.NotProperties]: ["warn", "properties left out, they must be an object that JSON can carry, not"],
  [Word.NoVitals]: ["warn", "no vitals:"],
};

/** Tells the developer what goes on, or what is wrong and what would be right. */
export function tell(word: Word, about: unknown[]): void {
  attempt(() => {
    const [level, ...words] = told(word, about);
    console[level]("footfall:", ...words);
  });
}

function told(word: Word, about: unknown[]): [Level, ...unknown[]] {
  switch (word) {
    case Word.Recorded:
      return ["info", ...recorded(...(about as Parameters<typeof recorded>))];
    case Word.Stored:
      return stored(...(about as Parameters<typeof stored>));
    default:
      return [...TEXTS[word], ...about];
  }
}

/** What became of an event, by the core's status after it. */
function recorded(event: string, ask: () => string | undefined): string[] {
  const { recording, reason = "stopped", queued } = JSON.parse(ask() ?? "{}") as Partial<Status>;
  return [recording ? `recorded, and queued with ${queued} in all:` : `not recorded (${reason}):`, event];
}

/** How many events storage has now, as the queue's text. */
function stored(text: string, isDone: boolean): [Level, string] {
  const count = text.split("\n{").length - 1;
  return isDone
    ? ["info", `in storage until the server has them: ${count}`]
    : ["warn", `storage takes nothing; only this page's memory has what waits: ${count}`];
}
