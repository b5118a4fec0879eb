use footfall_protocol::batch::MAX_EVENTS;

/// The most records in a flight, so that a place in one fits into a token.
pub(crate) const MAX_RECORDS: usize = 512;
const _: () = assert!(MAX_EVENTS <= MAX_RECORDS);

/// Names a record on its way; it travels through librdkafka in a pointer's place, so it costs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(usize);

impl Token {
    pub(crate) fn new(flight: usize, index: usize) -> Self {
        Self(flight * MAX_RECORDS + index)
    }

    pub(crate) fn pack(self) -> usize {
        self.0
    }

    pub(crate) fn unpack(packed: usize) -> Self {
        Self(packed)
    }

    pub(super) fn flight(self) -> usize {
        self.0 / MAX_RECORDS
    }

    pub(super) fn index(self) -> usize {
        self.0 % MAX_RECORDS
    }
}
