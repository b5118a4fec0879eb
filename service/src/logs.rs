//! Logs to stderr, for people or as JSON lines; what is said again and again is counted.

mod causes;
mod seldom;

use crate::config::{Document, Problem};
use seldom::Seldom;
use serde::Deserialize;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

#[derive(Deserialize)]
struct Settings {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    level: String,
    format: Format,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Human,
    Json,
}

/// Begins to log as `log.level` and `log.format` say; a second call in one process changes nothing.
///
/// # Errors
/// When `log.level` is not a level or a list of them.
pub fn init(document: &Document) -> Result<(), Problem> {
    let Settings { log } = document.read()?;
    let filter = EnvFilter::try_new(&log.level).map_err(|_| {
        let expected =
            "a level (error, warn, info, debug, trace), or per module as in `info,rdkafka=warn`";
        document.problem("log.level", expected, format!("`{}`", log.level))
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Seldom::new(log.format));
    let _already_logging = match log.format {
        Format::Human => subscriber
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        Format::Json => subscriber.json().flatten_event(true).try_init(),
    };
    Ok(())
}
