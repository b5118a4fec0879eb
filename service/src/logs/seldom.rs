use super::{Format, causes::Causes};
use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::Instant,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Stderr, on which the same warning or error comes at most once in ten seconds, with the number of times that it was left
/// out.
#[derive(Debug)]
pub(super) struct Seldom {
    causes: Mutex<Causes>,
    format: Format,
}

/// For one line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    seldom: &'a Seldom,
    /// Whether it may be left out.
    counts: bool,
}

impl Seldom {
    pub(super) fn new(format: Format) -> Self {
        Self {
            causes: Mutex::default(),
            format,
        }
    }

    /// The line as it is to be written, if it is.
    fn line(&self, line: &[u8], now: Instant) -> Option<Vec<u8>> {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let times = causes.tell(line, now)?;
        Some(match times {
            0 => line.to_vec(),
            times => with_times(line, times, self.format),
        })
    }
}

impl<'a> MakeWriter<'a> for Seldom {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            seldom: self,
            counts: false,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Line {
            seldom: self,
            counts: *metadata.level() <= Level::WARN,
        }
    }
}

impl Write for Line<'_> {
    /// `line` is a whole one: what formats events writes each at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        #[expect(clippy::disallowed_methods, reason = "this is the shell of `Causes`")]
        let now = Instant::now();
        if !self.counts {
            io::stderr().write_all(line)?;
        } else if let Some(line) = self.seldom.line(line, now) {
            io::stderr().write_all(&line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn with_times(line: &[u8], times: u64, format: Format) -> Vec<u8> {
    let (end, added) = match format {
        Format::Human => (
            "\n",
            format!(" ({times} more times since it was told last)\n"),
        ),
        Format::Json => ("}\n", format!(",\"more_times\":{times}}}\n")),
    };
    let told = line.strip_suffix(end.as_bytes()).unwrap_or(line);
    [told, added.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_times_stands_at_the_end_of_a_line_and_inside_of_json() {
        let human = with_times(b"WARN it failed\n", 7, Format::Human);
        let expected = "WARN it failed (7 more times since it was told last)\n";
        assert_eq!(String::from_utf8(human).unwrap(), expected);
        let json = with_times(b"{\"message\":\"it failed\"}\n", 7, Format::Json);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["more_times"], 7);
        assert_eq!(json.last(), Some(&b'\n'));
    }
}
