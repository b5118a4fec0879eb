import { attempt } from "../store";
import { Word } from "../word";

const TEXTS: Record<Word, [level: "info" | "warn", text: string]> = {
  [Word.Recorded]: ["info", "recorded"],
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
  const [level, text] = TEXTS[word];
  attempt(() => console[level]("footfall:", text, ...about));
}
