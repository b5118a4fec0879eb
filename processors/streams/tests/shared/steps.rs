//! What happens to a stream, one thing after the other.

use footfall_streams::TestDriver;
use proptest::prelude::*;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Record {
        key: u8,
        time: i64,
    },
    Commit,
    /// A crash after a commit: what is in memory is gone.
    Restart,
    /// A crash at any other time: what has happened since the last commit is undone.
    Crash,
}

/// Up to 60 of them, with records of so many keys up to a time.
pub(crate) fn any(keys: u8, times: i64) -> impl Strategy<Value = Vec<Step>> {
    let record = (0..keys, 0..times).prop_map(|(key, time)| Step::Record { key, time });
    let step = prop_oneof![8 => record, 2 => Just(Step::Commit), 1 => Just(Step::Restart), 1 => Just(Step::Crash)];
    prop::collection::vec(step, 0..60)
}

/// Has them happen to a stream of `in`, and commits.
pub(crate) fn run(steps: &[Step], driver: &mut TestDriver) {
    for step in steps {
        match step {
            Step::Record { key, time } => driver.pipe("in", &key.to_string(), "", *time),
            Step::Commit => driver.commit(),
            Step::Crash => driver.crash(),
            Step::Restart => {
                driver.commit();
                driver.restart();
            }
        }
    }
    driver.commit();
}
