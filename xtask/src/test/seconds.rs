//! How long each test took, read from what libtest prints.

use anyhow::Context as _;
use serde::Serialize;
use std::{cmp::Reverse, fmt::Write as _, fs, path::Path, time::Duration};

/// As many tests and steps are shown at the end of a run.
const SHOWN: usize = 20;

/// One test that has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Test {
    name: String,
    /// `ok` or `FAILED`.
    outcome: String,
    seconds: f64,
}

/// Reads libtest's lines as they come.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    tests: Vec<Test>,
    summary: String,
}

impl Seconds {
    /// Takes a line.
    pub(super) fn read(&mut self, line: &str) {
        self.tests.extend(test(line));
        if line.starts_with("test result: ") {
            line.clone_into(&mut self.summary);
        }
    }

    /// Writes the seconds of every test to a file, slowest first.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&mut self, file: &Path) -> anyhow::Result<()> {
        self.tests
            .sort_by_key(|test| Reverse(Duration::from_secs_f64(test.seconds)));
        let text = serde_json::to_string_pretty(&self.tests)?;
        fs::write(file, text).with_context(|| format!("write {}", file.display()))
    }

    /// The slowest steps and tests, and then the last summary again, because a run ends with one.
    pub(super) fn end(&self, steps: &[(String, Duration)]) -> String {
        let mut text = String::new();
        let mut steps: Vec<_> = steps
            .iter()
            .map(|(step, took)| (step.as_str(), took.as_secs_f64()))
            .collect();
        steps.sort_by(|a, b| b.1.total_cmp(&a.1));
        let tests: Vec<_> = self
            .tests
            .iter()
            .map(|test| (test.name.as_str(), test.seconds))
            .collect();
        for (what, rows) in [("slowest steps", steps), ("slowest tests", tests)] {
            let total: f64 = rows.iter().map(|row| row.1).sum();
            let _infallible = writeln!(text, "\n{what} (all {}: {total:.0} s)", rows.len());
            for (name, seconds) in rows.iter().take(SHOWN) {
                let _infallible = writeln!(text, "{seconds:8.1} s  {name}");
            }
        }
        text + "\n" + &self.summary + "\n"
    }
}

/// Of `test NAME ... OUTCOME <1.234s>`.
fn test(line: &str) -> Option<Test> {
    let (name, rest) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let (outcome, seconds) = rest.strip_suffix("s>")?.split_once(" <")?;
    Some(Test {
        name: name.to_owned(),
        outcome: outcome.to_owned(),
        seconds: seconds.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_the_slowest_and_its_last_summary() {
        let mut seconds = Seconds::default();
        let lines = [
            "running 1 test",
            "test a::b ... ok <0.500s>",
            "",
            "test result: ok. 1 passed",
            "",
            "running 2 tests",
            "test c - should panic ... FAILED <1.250s>",
            "test d ... ignored",
            "",
            "test result: FAILED. 0 passed; 1 failed",
            "",
        ];
        for line in lines {
            seconds.read(line);
        }
        let folder = std::env::temp_dir().join(format!("seconds-{}.json", std::process::id()));
        seconds.write(&folder).unwrap();
        let written: serde_json::Value =
            serde_json::from_slice(&fs::read(&folder).unwrap()).unwrap();
        fs::remove_file(&folder).unwrap();
        assert_eq!(written[0]["name"], "c - should panic");
        assert_eq!(
            (&written[0]["outcome"], &written[0]["seconds"]),
            (&"FAILED".into(), &1.25.into())
        );
        let end = seconds.end(&[("build".into(), Duration::from_secs(7))]);
        let (table, summary) = end.trim_end().rsplit_once("\n\n").unwrap();
        assert_eq!(summary, "test result: FAILED. 0 passed; 1 failed");
        assert!(table.contains("     7.0 s  build\n"), "{table}");
        assert!(
            table.ends_with("     1.2 s  c - should panic\n     0.5 s  a::b"),
            "{table}"
        );
    }
}
