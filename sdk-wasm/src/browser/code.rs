//! What the two sides call each other for, by number: `script/code.ts` has the same lists.

/// What the page calls the core for.
pub(super) mod call {
    pub(crate) const START: u32 = 0;
    pub(crate) const STOP: u32 = 1;
    pub(crate) const MASK: u32 = 2;
    pub(crate) const GRANT: u32 = 3;
    pub(crate) const RECORD: u32 = 4;
    pub(crate) const DESCRIBE: u32 = 5;
    pub(crate) const IDENTIFY: u32 = 6;
    pub(crate) const RESET: u32 = 7;
    pub(crate) const CAMPAIGN: u32 = 8;
    pub(crate) const SHOWN: u32 = 9;
    pub(crate) const MOVED: u32 = 10;
    pub(crate) const SETTLED: u32 = 11;
    pub(crate) const REFRESH: u32 = 12;
    pub(crate) const LEFT: u32 = 13;
    pub(crate) const SNAPSHOT: u32 = 14;
    pub(crate) const FLUSH: u32 = 15;
    pub(crate) const SEND: u32 = 16;
    pub(crate) const ANSWERED: u32 = 17;
    pub(crate) const UNSENT: u32 = 18;
    pub(crate) const ADOPT: u32 = 19;
    pub(crate) const FORGET: u32 = 20;
    pub(crate) const STATUS: u32 = 21;
}

/// What texts the core asks the page for.
pub(super) mod ask {
    pub(crate) const TEXT: u32 = 0;
    pub(crate) const ID: u32 = 1;
    pub(crate) const READ: u32 = 2;
}

/// What the core tells the page, or asks it a number for.
pub(super) mod tell {
    pub(crate) const NUMBER: u32 = 0;
    pub(crate) const SHARE: u32 = 1;
    pub(crate) const WRITE: u32 = 2;
    pub(crate) const WAKE: u32 = 3;
    pub(crate) const POST: u32 = 4;
    pub(crate) const BEACON: u32 = 5;
    pub(crate) const DROPPED: u32 = 6;
    pub(crate) const ANSWER: u32 = 7;
}
