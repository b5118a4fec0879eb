// What the two sides call each other for, by number: `src/browser/code.rs` has the same lists.

/** What the page calls the core for. */
export const enum Call {
  Start = 0,
  Stop = 1,
  Mask = 2,
  Grant = 3,
  Record = 4,
  Describe = 5,
  Identify = 6,
  Reset = 7,
  Campaign = 8,
  Shown = 9,
  Moved = 10,
  Settled = 11,
  Refresh = 12,
  Left = 13,
  Snapshot = 14,
  Flush = 15,
  Send = 16,
  Answered = 17,
  Unsent = 18,
  Adopt = 19,
  Forget = 20,
  Status = 21,
}

/** What texts the core asks the page for. */
export const enum Ask {
  Text = 0,
  Id = 1,
  Read = 2,
}

/** What the core tells the page, or asks it a number for. */
export const enum Tell {
  Number = 0,
  Share = 1,
  Write = 2,
  Wake = 3,
  Post = 4,
  Beacon = 5,
  Dropped = 6,
  Answer = 7,
}
