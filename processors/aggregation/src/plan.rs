use crate::config::Config;
use footfall_service::config::{Chosen, Origin, Problem};
use footfall_streams::{Topology, Window};
use std::fmt::Write as _;

/// The flag with an instant.
pub(crate) const TS: &str = "ts";

/// `plan`: what the streams do, as text and as a Mermaid chart, and the windows of an instant.
///
/// # Errors
/// When `--ts` is no instant.
pub fn plan(command: &Chosen, config: &Config) -> Result<String, Problem> {
    let topology = &config.topology;
    let mut text = topology.describe();
    if let Some(given) = command.values.get(TS) {
        let time = instant(given).ok_or_else(|| Problem {
            origin: Origin::Flag(format!("--{TS}")),
            key: command.name.to_owned(),
            expected: "milliseconds since the Unix epoch, or a time after RFC 3339, from 1970 on"
                .into(),
            found: format!("`{}`", given.escape_debug()),
        })?;
        text.push_str(&windows_of(topology, time));
    }
    let chart = topology.mermaid();
    let _infallible = write!(text, "\n```mermaid\n{chart}```\n");
    Ok(text)
}

fn instant(text: &str) -> Option<i64> {
    let millis = text.parse().ok().or_else(|| {
        let time = text.parse::<jiff::Timestamp>().ok()?;
        Some(time.as_millisecond())
    });
    millis.filter(|millis| *millis >= 0)
}

fn windows_of(topology: &Topology, time: i64) -> String {
    let mut text = format!("\nwindows of {time} ({})\n", written(time));
    for stream in topology.streams() {
        let windows: Vec<_> = stream.windows.containing(time).collect();
        let spans = windows
            .iter()
            .map(|Window { start, end }| format!("[{start},{end})"));
        let spans: Vec<_> = spans.collect();
        let _infallible = writeln!(text, "  {}: {}", stream.name, spans.join(" "));
        for Window { start, end } in windows {
            let _infallible = writeln!(text, "    {} to {}", written(start), written(end));
        }
    }
    text
}

/// After RFC 3339, where that has a form for it.
fn written(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis);
    time.map_or_else(|_| millis.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_streams::{TimeWindows, millis, stream};

    fn topology() -> Topology {
        let windows = TimeWindows::of(millis(12)).advance_by(millis(5));
        let windows = windows.grace(millis(0)).unwrap();
        let counts = stream("in").group_by_key().windowed_by(windows).count();
        Topology::new("app", [counts.to("out")])
    }

    #[test]
    fn time_21_is_in_three_windows_of_size_12_and_advance_5() {
        let expected = "
windows of 21 (1970-01-01T00:00:00.021Z)
  out: [10,22) [15,27) [20,32)
    1970-01-01T00:00:00.01Z to 1970-01-01T00:00:00.022Z
    1970-01-01T00:00:00.015Z to 1970-01-01T00:00:00.027Z
    1970-01-01T00:00:00.02Z to 1970-01-01T00:00:00.032Z
";
        assert_eq!(windows_of(&topology(), 21), expected);
    }

    #[test]
    fn an_instant_is_milliseconds_or_rfc_3339_from_1970_on() {
        assert_eq!(instant("21"), Some(21));
        assert_eq!(instant("1970-01-01T00:00:01+00:00"), Some(1_000));
        assert_eq!(instant("-21"), None);
        assert_eq!(instant("today"), None);
    }
}
