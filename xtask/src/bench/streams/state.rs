//! How long state takes to be there again.

use super::{
    Bench, Life, RESTORE_DELETED, RESTORE_KEPT, TAKE_OVER,
    contender::{Contender, Delivery, Job},
};
use crate::stack;
use anyhow::{Context as _, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Changes of state that a process has written.
const CHANGES: &str = "footfall_changes_total";
/// What a process holds of windows.
const ENTRIES: &str = "footfall_stream_state_entries";
/// How long it may take to be what is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

#[expect(
    clippy::disallowed_methods,
    reason = "the time that state takes is what is measured"
)]
impl Bench {
    /// How long a process that was killed takes to have its state again.
    pub(super) fn restore(&mut self, run: u32) -> anyhow::Result<()> {
        for contender in [Contender::Footfall, Contender::KafkaStreams] {
            if self.alone && contender == Contender::KafkaStreams {
                continue;
            }
            let job = self.job(run, contender, Delivery::ExactlyOnce, "many-windows");
            let life = self.begin(&job)?;
            self.follow(&job)?;
            if contender == Contender::Footfall {
                until_stored(&life, number(&life, CHANGES)?)?;
            }
            kill_at_once(life)?;
            let kept = self.ready_in(&job)?;
            let state = job.state(&self.folder);
            if state.exists() {
                fs::remove_dir_all(&state)
                    .with_context(|| format!("remove {}", state.display()))?;
            }
            let deleted = self.ready_in(&job)?;
            let (of_kept, of_deleted) = match contender {
                Contender::Footfall => (RESTORE_KEPT.into(), RESTORE_DELETED.into()),
                Contender::KafkaStreams => {
                    let of = |what| format!("{what}, Kafka Streams");
                    (of(RESTORE_KEPT), of(RESTORE_DELETED))
                }
            };
            self.add(&of_deleted, "ms", deleted);
            self.add(&of_kept, "ms", kept);
        }
        Ok(())
    }

    /// Two processes share 2 M windows, one of them as a standby of the other, which then stops.
    pub(super) fn take_over(&mut self, run: u32) -> anyhow::Result<()> {
        let job = |instance| Job {
            instance,
            settings: "standby = true".into(),
            ..self.own_job(run, "twice-as-many")
        };
        let (first, second) = (job("first"), job("second"));
        let owner = self.begin(&first)?;
        self.follow(&first)?;
        let changes = number(&owner, CHANGES)?;
        let all = number(&owner, ENTRIES)?;
        let standby = self.begin(&second)?;
        until_stored(&standby, changes)?;
        until("the work to be shared", || {
            let of_both = |metric| {
                Ok::<_, anyhow::Error>([number(&owner, metric)?, number(&standby, metric)?])
            };
            let [left, moved] = of_both(ENTRIES)?;
            Ok(of_both("footfall_assigned_partitions")? == [2.0, 2.0] && left + moved == all)
        })?;
        let begin = Instant::now();
        drop(owner);
        until("the standby to have taken over", || {
            Ok(number(&standby, ENTRIES)? == all)
        })?;
        self.add(TAKE_OVER, "ms", begin.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    /// How long a life takes until it is ready, in milliseconds; it is killed then.
    fn ready_in(&self, job: &Job<'_>) -> anyhow::Result<f64> {
        let begin = Instant::now();
        let life = self.begin(job)?;
        let taken = begin.elapsed();
        kill_at_once(life)?;
        Ok(taken.as_secs_f64() * 1e3)
    }
}

/// Without a chance to say goodbye.
fn kill_at_once(life: Life) -> anyhow::Result<()> {
    let pid = i32::try_from(life.pid).context("a pid")?;
    kill(Pid::from_raw(pid), Signal::SIGKILL).context("kill a contender")?;
    drop(life.stack);
    Ok(())
}

/// Waits until so many changes are in a process's local store.
fn until_stored(life: &Life, changes: f64) -> anyhow::Result<()> {
    until("changes to be in the local store", || {
        Ok(number(life, "footfall_store_changes_total")? >= changes)
    })
}

/// The sum of a metric over its labels.
fn number(life: &Life, metric: &str) -> anyhow::Result<f64> {
    let address = life.address.as_deref().context("an HTTP interface")?;
    let metrics = stack::fetch(address, "/metrics").map_err(anyhow::Error::msg)?;
    let values = metrics.lines().filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        let is_it = name.split('{').next() == Some(metric);
        is_it.then(|| value.parse::<f64>().ok())?
    });
    Ok(values.sum())
}

#[expect(clippy::disallowed_methods, reason = "it must end one day")]
fn until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begin = Instant::now();
    while !is_so()? {
        ensure!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(LOOK);
    }
    Ok(())
}
