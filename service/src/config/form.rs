use super::Key;
use serde_json::Value;
use std::net::Ipv6Addr;

/// What a value looks like. One form for the file, the environment and the flags.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Any text.
    Text,
    /// A path, relative to the working directory.
    Path,
    /// `host:port`.
    Address,
    /// `host:port[,host:port]`.
    Brokers,
    /// A Kafka topic name.
    Topic,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// A number from 0 to 1; read as it is.
    Share,
    /// `200ms`, `5s`, `10m`, `24h`, `7d`; read as whole milliseconds.
    Duration,
    /// `64KiB`, `1MiB` or plain bytes; read as bytes.
    Size,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts: an array in the file, comma-separated elsewhere.
    List,
    /// A table of texts, numbers or booleans, whose names are not ours; read as texts.
    Properties,
    /// An array of tables with these keys, e.g. `[[sites]]`.
    Tables(&'static [Key]),
    /// A table of tables with these keys, e.g. `[streams.NAME]`.
    Named(&'static [Key]),
}

impl Form {
    /// Whether it can be given as a flag or an environment variable.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Properties | Self::Tables(_) | Self::Named(_))
    }

    /// What stands for the value in help and documentation.
    #[must_use]
    pub fn placeholder(&self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Path => "PATH",
            Self::Address => "HOST:PORT",
            Self::Brokers => "HOST:PORT[,HOST:PORT]",
            Self::Topic => "TOPIC",
            Self::Boolean => "true|false",
            Self::Integer { .. } => "N",
            Self::Share => "SHARE",
            Self::Duration => "DURATION",
            Self::Size => "SIZE",
            Self::Choice(_) => "WORD",
            Self::List => "A,B",
            Self::Properties | Self::Tables(_) | Self::Named(_) => "TABLE",
        }
    }

    /// In words, for messages: "a duration such as `200ms`, `5s` or `10m`".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Text => "a text that is not empty".into(),
            Self::Path => "a path".into(),
            Self::Address => {
                "`host:port`, with `0.0.0.0` or `[::]` as the host for all addresses".into()
            }
            Self::Brokers => "`host:port[,host:port]`".into(),
            Self::Topic => {
                "a topic name that Kafka takes: 1 to 249 of `A-Z a-z 0-9 . _ -`, and not `.` or `..`".into()
            }
            Self::Boolean => "`true` or `false`".into(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Share => "a number from 0 to 1".into(),
            Self::Duration => "a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`".into(),
            Self::Size => "a size such as `64KiB`, `1MiB` or a number of bytes".into(),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::List => "a list of texts".into(),
            Self::Properties => "a table of names and values".into(),
            Self::Tables(_) => "an array of tables".into(),
            Self::Named(_) => "a table of tables".into(),
        }
    }

    /// Reads a value given as text: by a flag, the environment, or a string in the file.
    /// `None` when the text does not have this form.
    #[must_use]
    pub fn read_text(&self, text: &str) -> Option<Value> {
        match self {
            Self::Text | Self::Path => (!text.is_empty()).then(|| text.into()),
            Self::Address => port_of(text).map(|_| text.into()),
            Self::Brokers => text
                .split(',')
                .all(|broker| port_of(broker.trim()).is_some_and(|port| port > 0))
                .then(|| text.into()),
            Self::Topic => is_topic_name(text).then(|| text.into()),
            Self::Boolean => text.parse::<bool>().ok().map(Value::from),
            Self::Integer { .. } => self.read_integer(text.parse().ok()?),
            Self::Share => parse_share(text).map(Value::from),
            Self::Duration => parse_duration(text).map(Value::from),
            Self::Size => parse_size(text).map(Value::from),
            Self::Choice(words) => words.contains(&text).then(|| text.into()),
            Self::List => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Some(items.map(Value::from).collect())
            }
            Self::Properties | Self::Tables(_) | Self::Named(_) => None,
        }
    }

    /// Reads an integer of the file.
    #[must_use]
    pub(super) fn read_integer(&self, number: i64) -> Option<Value> {
        match self {
            Self::Integer { min, max } => (*min..=*max).contains(&number).then(|| number.into()),
            Self::Size => u64::try_from(number).ok().map(Value::from),
            Self::Share => (0..=1).contains(&number).then(|| number.into()),
            Self::Text
            | Self::Path
            | Self::Address
            | Self::Brokers
            | Self::Topic
            | Self::Boolean
            | Self::Duration
            | Self::Choice(_)
            | Self::List
            | Self::Properties
            | Self::Tables(_)
            | Self::Named(_) => None,
        }
    }
}

/// The name rules of Apache Kafka's `org.apache.kafka.common.internals.Topic`.
fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=249).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(legal)
}

/// The port behind a host, which is a name, an IPv4 address or, in brackets, an IPv6 address.
fn port_of(address: &str) -> Option<u16> {
    let (host, port) = address.rsplit_once(':')?;
    let is_host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed
            .strip_suffix(']')
            .is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()),
        None => {
            let legal =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            !host.is_empty() && host.bytes().all(legal)
        }
    };
    // `parse` would take a sign.
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok()?;
    (is_host && is_number).then_some(port)
}

fn parse_share(text: &str) -> Option<f64> {
    let share = text.parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

/// A whole number and its unit, split where the digits end.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

fn parse_duration(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .checked_mul(millis_per_unit)
        .filter(|millis| i64::try_from(*millis).is_ok())
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let bytes_per_unit = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number
        .checked_mul(bytes_per_unit)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
}
