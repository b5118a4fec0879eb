//! What a processor is to the shell that runs it: records in, effects out.
//!
//! A [`Processor`] has one [`Task`] for each partition of its source topics. A task is pure: it
//! reads no clock, knows no Kafka client, and says what should be written as [`Effects`]. The shell
//! writes them, and only then commits the offsets of the records they came from.

mod code;
mod digest;
mod effect;
mod id;
mod processor;
mod reader;
mod record;
mod table;
mod upstream;

pub use code::DeadLetterCode;
pub use digest::digest;
pub use effect::{Effects, Kind, Outgoing, Send};
pub use id::{Offset, Partition, Timestamp};
pub use processor::{Cleanup, Internal, Processor, RestoreError, Source, Task};
pub use reader::{Reader, Start};
pub use record::{Header, Record};
pub use table::{GlobalTable, TableFull, TableSize};
pub use upstream::Upstream;
