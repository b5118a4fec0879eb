use std::fmt;

/// Defines the codes once, so that no list of them can miss one.
macro_rules! codes {
    ($($(#[$meaning:meta])* $code:ident = $name:literal,)+) => {
        /// Why a record became a dead letter, for programs: in the header `footfall-error-code`,
        /// and as the label `code` of metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum DeadLetterCode {
            $($(#[$meaning])* $code,)+
        }

        impl DeadLetterCode {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// As it is written; a name never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

codes! {
    /// The record has no key to group it by.
    NullKey = "null_key",
    /// The record has no time that could place it in a window.
    NoTimestamp = "no_timestamp",
    /// The value is not what is read.
    Undecodable = "undecodable",
    /// A field that should be a number is none.
    NotANumber = "not_a_number",
    /// No row of a table belongs to the record.
    NoRow = "no_row",
}

impl fmt::Display for DeadLetterCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// As programs and tests know it.
impl PartialEq<&str> for DeadLetterCode {
    fn eq(&self, name: &&str) -> bool {
        self.name() == *name
    }
}
