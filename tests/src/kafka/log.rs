//! A topic as the broker keeps it in its files.

use super::Kafka;
use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

/// What stands before the records of a batch.
const HEADER: usize = 61;
const FILE: &str = "00000000000000000000.log";

/// A batch of records, as it lies in the broker's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of its first record.
    pub offset: i64,
    /// How its records are compressed.
    pub codec: &'static str,
    /// Where they lie in the file.
    position: u64,
    /// They, compressed.
    payload: Vec<u8>,
}

impl Kafka {
    /// The batches of a partition whose log is a single file.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn batches(&self, topic: &str, partition: i32) -> Vec<Batch> {
        let bytes = fs::read(self.log(topic, partition)).expect("a log");
        let mut batches = Vec::new();
        let mut at = 0;
        while at + HEADER <= bytes.len() {
            let of = |from: usize, to: usize| &bytes[at + from..at + to];
            let offset = i64::from_be_bytes(of(0, 8).try_into().expect("eight bytes"));
            let length = i32::from_be_bytes(of(8, 12).try_into().expect("four bytes"));
            let end = at + 12 + usize::try_from(length).expect("a length");
            let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
            batches.push(Batch {
                offset,
                codec: codecs[usize::from(bytes[at + 22] & 7)],
                position: u64::try_from(at + HEADER).expect("a position"),
                payload: bytes[at + HEADER..end].to_vec(),
            });
            at = end;
        }
        batches
    }

    /// Makes the records of a batch unreadable, as a broken disk would.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn damage(&self, topic: &str, partition: i32, batch: &Batch) {
        self.write(topic, partition, batch, &vec![0xee; batch.payload.len()]);
    }

    /// Undoes that.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn mend(&self, topic: &str, partition: i32, batch: &Batch) {
        self.write(topic, partition, batch, &batch.payload);
    }

    fn write(&self, topic: &str, partition: i32, batch: &Batch, bytes: &[u8]) {
        let log = File::options().write(true).open(self.log(topic, partition));
        let written = log.and_then(|log| log.write_all_at(bytes, batch.position));
        written.expect("write the log");
    }

    fn log(&self, topic: &str, partition: i32) -> PathBuf {
        let folder = self.data.path().join("log");
        folder.join(format!("{topic}-{partition}")).join(FILE)
    }
}
