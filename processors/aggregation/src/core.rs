//! What a record is to a stream that is declared in TOML. Pure: no Kafka, no clock.

mod calendar;
mod cel;
mod condition;
mod converter;
mod edit;
mod expression;
mod join;
mod json;
mod pointer;
mod pointers;
mod reader;
#[cfg(test)]
mod sample;

pub use calendar::{Unit, ZonedCalendar};
pub use condition::Condition;
pub use converter::Converter;
pub use edit::Edits;
pub use expression::aggregate;
pub use join::JsonJoin;
pub use pointer::Pointer;
pub use pointers::{Found, Pointers};
pub use reader::{Field, JsonReader, NullValues, Time, Wanted};
