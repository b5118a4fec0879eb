//! Topics that every process reads as a whole: to their ends before any record of a source, and on
//! from there.

mod follower;

use crate::{
    Config, Metrics, Status, clock,
    reader::{Reader, Reads},
    status::{Part, Report, Worker},
};
use anyhow::Context as _;
use follower::Follower;
use footfall_task::GlobalTable;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Before a table is read from its beginning once more.
const UNTIL_ANEW: Duration = Duration::from_secs(2);

/// The tables of a processor, each followed by a thread of its own.
#[derive(Debug)]
pub(crate) struct Tables {
    report: Report,
    /// Why each of them cannot be looked at yet.
    reasons: Mutex<BTreeMap<String, String>>,
    are_whole: AtomicBool,
}

impl Tables {
    /// Begins to read them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn follow(
        tables: Vec<Arc<dyn GlobalTable>>,
        config: &Arc<Config>,
        status: &Arc<Status>,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let all = Arc::new(Self {
            report: Report::of(Worker::default(), status),
            reasons: Mutex::default(),
            are_whole: AtomicBool::new(tables.is_empty()),
        });
        for table in &tables {
            all.hold_up(table.topic(), is_read(table.topic()));
        }
        for table in tables {
            let (all, config, metrics, stop) = (
                Arc::clone(&all),
                Arc::clone(config),
                metrics.clone(),
                stop.clone(),
            );
            let work = move || all.keep(&*table, &config, &metrics, &stop);
            thread::Builder::new()
                .name("table".into())
                .spawn(work)
                .context("start a thread for a table")?;
        }
        Ok(all)
    }

    /// Whether each of them has been read to its end.
    pub(crate) fn are_whole(&self) -> bool {
        self.are_whole.load(Ordering::Acquire)
    }

    /// Reads one of them, from its beginning as often as it must, until `stop`.
    fn keep(
        &self,
        table: &dyn GlobalTable,
        config: &Config,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) {
        let topic = table.topic();
        let reader = Reader::new(Reads::Tables, self.report.status(), metrics);
        while !stop.is_cancelled() {
            table.clear();
            let follower = Follower::new(table, config, metrics, reader.clone());
            let followed = follower.and_then(|follower| follower.run(stop, || self.go_on(topic)));
            if let Err(error) = followed {
                self.hold_up(topic, format!("table `{topic}` is not read: {error:#}"));
                clock::sleep(UNTIL_ANEW, stop);
            }
        }
    }

    fn hold_up(&self, topic: &str, reason: String) {
        self.change(|reasons| {
            reasons.insert(topic.to_owned(), reason);
        });
    }

    fn go_on(&self, topic: &str) {
        self.change(|reasons| {
            reasons.remove(topic);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut reasons);
        self.are_whole.store(reasons.is_empty(), Ordering::Release);
        if reasons.is_empty() {
            self.report.goes_on(Part::Tables);
        } else {
            let reasons: Vec<_> = reasons.values().map(String::as_str).collect();
            self.report.holds_up(Part::Tables, reasons.join("; "));
        }
    }
}

fn is_read(topic: &str) -> String {
    format!("table `{topic}` is being read")
}
