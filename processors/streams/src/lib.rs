//! Windows over streams of records, exact to the record, as a pure library: records in, effects out.
//!
//! What in Kafka Streams is `stream("original-topic").groupByKey().windowedBy(TimeWindows.of(5 min)
//! .advanceBy(1 min)).count().toStream().to("output-topic")` reads here:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use footfall_streams::{TestDriver, TimeWindows, minutes, stream};
//! let counts = stream("original-topic")
//!     .group_by_key()
//!     .windowed_by(TimeWindows::of(minutes(5)).advance_by(minutes(1)).grace(minutes(1))?)
//!     .count()
//!     .to("output-topic");
//! let mut driver = TestDriver::new(counts);
//! driver.pipe("original-topic", "alice", "{}", 59_000);
//! driver.commit();
//! let output = driver.read("output-topic");
//! assert_eq!(output[0].value, r#"{"key":"alice","start":0,"end":300000,"count":1,"final":false}"#);
//! # Ok(())
//! # }
//! ```
//!
//! Time is event time only. *Stream time* is the greatest event time that a partition has seen, or
//! the least that the source partitions behind it have reached; a window takes records while its end and its grace are after the stream time, and a record that a
//! window refuses is never dropped in silence.

mod aggregate;
mod builder;
mod changelog;
mod codec;
mod decimal;
mod definition;
mod driver;
mod filter;
mod join;
mod output;
mod plan;
mod read;
mod real;
mod reject;
mod repartition;
mod route;
mod seen;
mod shape;
mod state;
mod table;
mod task;
mod topology;
mod window;

pub use aggregate::{Accumulator, Function, Input, Reads, Share};
pub use builder::{Aggregated, Grouped, Stream, Windowed, stream};
pub use codec::Codec;
pub use decimal::Decimal;
pub use definition::{Aggregation, Definition, Emit};
pub use driver::{Read as DriverRecord, TestDriver};
pub use join::{Enrich, Join, Missing};
pub use output::value as output_value;
pub use read::{AsIs, Extract, Extracted, Unusable, own_key, own_time};
pub use real::Real;
pub use route::{Convert, Converted, Inlet, Route, Routing, route};
pub use shape::Shape;
pub use state::{ClosedBy, Size, State, WindowResult};
pub use table::{Table, table};
pub use task::StreamsTask;
pub use topology::Topology;
pub use window::{
    Calendar, CalendarWindows, Error as WindowError, SessionWindows, Span, TimeWindows, Window,
    Windows, hours, millis, minutes, seconds,
};
