//! How results are written to their topic.

use crate::{
    ClosedBy, Definition, Window, WindowResult,
    output::{self, whole},
    state::Retraction,
};
use bytes::{BufMut as _, Bytes, BytesMut};
use footfall_task::{Outgoing, Timestamp};
use std::sync::Arc;

/// On a result that is the last of its window, where its value cannot say so.
const CLOSED_BY: &str = "footfall-closed-by";

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// JSON, key and value.
    Json,
    /// As Kafka Streams writes a windowed key (`TimeWindowedSerializer`: the key's bytes, then the
    /// window's start; `SessionWindowedSerializer`: the key's bytes, the time of the session's last
    /// record, that of its first one) and a long (`LongSerializer`), all numbers in 8 bytes, the highest first.
    Streams,
}

impl Codec {
    /// As it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Streams => "streams",
        }
    }
}

impl Definition {
    /// The record that says a result, its bytes cut off `buffer`, which is empty before and after.
    pub(crate) fn record(&self, result: &WindowResult, buffer: &mut BytesMut) -> Outgoing {
        let (key, value) = match self.codec {
            Codec::Json => output::record(buffer, result, &self.aggregates),
            Codec::Streams => {
                let key = self.windowed_key(&result.key, result.window, buffer);
                (key, long(result, buffer))
            }
        };
        let closed_by = result.closed_by.filter(|_| self.codec == Codec::Streams);
        let header = |closed_by: ClosedBy| {
            let name = closed_by.name().as_bytes().to_vec();
            (CLOSED_BY.to_owned(), Some(name))
        };
        Outgoing {
            topic: Arc::clone(&self.to),
            partition: None,
            timestamp: Some(Timestamp(result.newest)),
            key: Some(key),
            value: Some(value),
            headers: closed_by.map(header).into_iter().collect(),
        }
    }

    /// The record that takes a result back.
    pub(crate) fn retraction(&self, retraction: &Retraction) -> Outgoing {
        let Retraction {
            window,
            key,
            newest,
        } = retraction;
        let key = match self.codec {
            Codec::Json => output::key(key, *window),
            Codec::Streams => self.windowed_key(key, *window, &mut BytesMut::new()),
        };
        Outgoing {
            topic: Arc::clone(&self.to),
            partition: None,
            timestamp: Some(Timestamp(*newest)),
            key: Some(key),
            value: None,
            headers: Vec::new(),
        }
    }

    fn windowed_key(&self, key: &[u8], window: Window, buffer: &mut BytesMut) -> Bytes {
        buffer.put_slice(key);
        if let Some(gap) = self.windows.session_gap() {
            // Kafka Streams' sessions end with their last record.
            buffer.put_i64(window.end.saturating_sub(gap.as_millis()));
        }
        buffer.put_i64(window.start);
        buffer.split().freeze()
    }

    /// The key and the window of a record of Kafka Streams' codec.
    fn windowed<'a>(&self, key: &'a [u8]) -> Option<(&'a [u8], Window)> {
        let (key, start) = key.split_last_chunk()?;
        let start = i64::from_be_bytes(*start);
        let Some(gap) = self.windows.session_gap() else {
            return Some((key, self.windows.at(start)));
        };
        let (key, last) = key.split_last_chunk()?;
        let end = i64::from_be_bytes(*last).saturating_add(gap.as_millis());
        Some((key, Window { start, end }))
    }

    /// A written result as the codec `json` would have its value; `None` for what is no result.
    #[must_use]
    pub fn json_of(&self, record: &Outgoing) -> Option<String> {
        let value = record.value.as_deref()?;
        if self.codec == Codec::Json {
            return String::from_utf8(value.to_vec()).ok();
        }
        let (key, window) = self.windowed(record.key.as_deref()?)?;
        let closed_by = record.headers.first().map(|(_, name)| {
            let is_idle = name.as_deref() == Some(ClosedBy::Idle.name().as_bytes());
            if is_idle {
                ClosedBy::Idle
            } else {
                ClosedBy::Time
            }
        });
        Some(whole(
            key,
            window,
            &self.aggregates.first()?.name,
            i64::from_be_bytes(value.try_into().ok()?),
            closed_by,
        ))
    }
}

fn long(result: &WindowResult, buffer: &mut BytesMut) -> Bytes {
    let whole = result.values.first().and_then(|value| value.whole());
    buffer.put_i64(whole.unwrap_or_default());
    buffer.split().freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Emit, SessionWindows, TimeWindows, Window, millis, stream};

    fn definition() -> Definition {
        let windows = TimeWindows::of(millis(300)).grace(millis(0)).unwrap();
        let counted = stream("in").group_by_key().windowed_by(windows).count();
        counted.emit(Emit::Both).codec(Codec::Streams).to("out")
    }

    fn result(closed_by: Option<ClosedBy>) -> WindowResult {
        WindowResult {
            window: Window {
                start: 600,
                end: 900,
            },
            key: b"/cart"[..].into(),
            newest: 777,
            values: vec![crate::Function::Count.start()],
            closed_by,
        }
    }

    #[test]
    fn a_windowed_key_is_the_key_and_its_start_and_a_long_has_8_bytes() {
        let record = definition().record(&result(None), &mut BytesMut::new());
        assert_eq!(
            record.key.as_deref(),
            Some(&b"/cart\0\0\0\0\0\0\x02\x58"[..])
        );
        assert_eq!(record.value.as_deref(), Some(&[0; 8][..]));
        assert_eq!(record.timestamp, Some(Timestamp(777)));
        assert!(record.headers.is_empty());
    }

    #[test]
    fn the_key_of_a_session_has_its_last_and_its_first_record() {
        let definition = Definition {
            windows: SessionWindows::with_gap(millis(123))
                .grace(millis(0))
                .unwrap(),
            ..definition()
        };
        let record = definition.record(&result(None), &mut BytesMut::new());
        let expected = b"/cart\0\0\0\0\0\0\x03\x09\0\0\0\0\0\0\x02\x58";
        assert_eq!(record.key.as_deref(), Some(&expected[..]));
        let expected = r#"{"key":"/cart","start":600,"end":900,"count":0,"final":false}"#;
        assert_eq!(definition.json_of(&record).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_written_for_kafka_streams_is_shown_as_json() {
        let definition = definition();
        for (closed_by, end) in [
            (None, r#""final":false"#),
            (Some(ClosedBy::Time), r#""final":true,"closed_by":"time""#),
            (Some(ClosedBy::Idle), r#""final":true,"closed_by":"idle""#),
        ] {
            let record = definition.record(&result(closed_by), &mut BytesMut::new());
            let expected = format!(r#"{{"key":"/cart","start":600,"end":900,"count":0,{end}}}"#);
            assert_eq!(definition.json_of(&record), Some(expected));
        }
    }
}
