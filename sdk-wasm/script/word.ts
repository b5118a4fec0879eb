/** What a developer can be told; `extras/words.ts` has the texts. */
export const enum Word {
  Recorded,
  Stored,
  Filtered,
  Sending,
  Answered,
  Left,
  Dropped,
  NotANumber,
  NotAName,
  NotProperties,
  NoVitals,
}
