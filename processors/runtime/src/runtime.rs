use crate::{
    Config, Metrics, Places, Status,
    changelogs::Ids,
    clock,
    definition::Definition,
    instance::Instance,
    measure,
    session::{Ground, Session},
    status::{Part, Report, Worker},
    store::Store,
    tables::Tables,
    upstream,
    watch::{self, Assigned, Watched},
    writer::Stopped,
};
use anyhow::{Context as _, anyhow};
use footfall_task::{Cleanup, Processor};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::{oneshot, watch as channel};
use tokio_util::sync::CancellationToken;

const FIRST_RESTART: Duration = Duration::from_millis(500);
const LAST_RESTART: Duration = Duration::from_secs(30);
/// How often it is looked whether tables have been read.
const UNTIL_TABLES: Duration = Duration::from_millis(50);
/// How long the work may take to end once it is told to.
const UNTIL_STOPPED: Duration = Duration::from_secs(10);

/// A processor at work.
#[derive(Debug)]
pub struct Runtime {
    status: Arc<Status>,
    places: Arc<Places>,
    /// Of each worker.
    ended: Vec<oneshot::Receiver<()>>,
    stop: CancellationToken,
}

impl Runtime {
    /// Puts a processor to work until `stop`. Kafka need not be there yet.
    ///
    /// # Errors
    /// When `state_dir` cannot be used, or the system gives no thread.
    pub fn start<P: Processor>(
        processor: &Arc<P>,
        config: Config,
        metrics: &Metrics,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let instance = Arc::new(Instance::claim(config.state_dir.as_deref())?);
        let status = Arc::new(Status::new());
        let (tell_readable, readable) = channel::channel(Vec::new());
        let (tell_assigned, assigned) = channel::channel(Assigned::new());
        let (tell_ids, ids) = channel::channel(Ids::new());
        let places = Arc::new(Places::default());
        let config = Arc::new(config);
        let definition = Arc::new(Definition::of(&processor.definition()));
        let watched = Watched {
            definition: Arc::clone(&definition),
            config: Arc::clone(&config),
            status: Arc::clone(&status),
            places: Arc::clone(&places),
            metrics: metrics.clone(),
            assigned,
        };
        let tables = Tables::follow(processor.tables(), &config, &status, metrics, &stop)?;
        tokio::spawn(measure::run(
            watched.clone(),
            processor.sources(),
            stop.clone(),
        ));
        let (looks, questions) = upstream::channel();
        tokio::spawn(upstream::run(
            Arc::clone(processor),
            watched.clone(),
            questions,
            stop.clone(),
        ));
        tokio::spawn(watch::run(
            watched,
            processor.sources(),
            tell_readable,
            tell_ids,
            stop.clone(),
        ));
        let store = config.state_dir.as_deref().map(|folder| {
            let standby = config.standby.then(|| changelogs(&**processor));
            let report = Report::of(Worker::default(), &status);
            Store::start(
                folder,
                config.observer(),
                standby.unwrap_or_default(),
                (report, metrics.clone()),
                stop.clone(),
            )
        });
        let store = store.transpose()?;
        let workers = (0..config.workers.get()).map(Worker);
        let begun = workers.map(|worker| {
            begin(Ground {
                processor: Arc::clone(processor),
                config: Arc::clone(&config),
                instance: Arc::clone(&instance),
                worker,
                status: Report::of(worker, &status),
                whole: Arc::clone(&status),
                store: store.clone(),
                metrics: metrics.clone(),
                tables: Arc::clone(&tables),
                places: Arc::clone(&places),
                definition: Arc::clone(&definition),
                changelogs: ids.clone(),
                looks: looks.clone(),
                readable: readable.clone(),
                assigned: tell_assigned.clone(),
                stop: stop.clone(),
            })
        });
        let ended = begun.collect::<anyhow::Result<_>>()?;
        Ok(Self {
            status,
            places,
            ended,
            stop,
        })
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    /// The partitions that it reads.
    #[must_use]
    pub fn places(&self) -> Arc<Places> {
        Arc::clone(&self.places)
    }

    /// Waits until it has ended after `stop`: what was read is written and committed, or, when Kafka
    /// does not take it in time, is left to whoever goes on.
    pub async fn ended(self) {
        self.stop.cancelled().await;
        let all = async {
            for ended in self.ended {
                // One that panicked has ended, too.
                let _ended = ended.await;
            }
        };
        if tokio::time::timeout(UNTIL_STOPPED, all).await.is_err() {
            tracing::warn!("kafka has not let go in time; the process ends without it");
        }
    }
}

/// Begins a worker on a thread of its own, because librdkafka's calls block, and a task's work may
/// be long. What is returned is told when it has ended.
fn begin<P: Processor>(ground: Ground<P>) -> anyhow::Result<oneshot::Receiver<()>> {
    let (tell_ended, ended) = oneshot::channel();
    let name = format!("worker-{}", ground.worker);
    ground.joins();
    let work = move || {
        work(&ground);
        // Nobody listens when the process has given up waiting.
        let _nobody = tell_ended.send(());
    };
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .context("start a worker's thread")?;
    Ok(ended)
}

/// The topics that hold state.
fn changelogs(processor: &impl Processor) -> BTreeSet<Arc<str>> {
    let sources = processor.sources().into_iter();
    let beside = sources.flat_map(|source| source.beside);
    let compact = beside.filter(|internal| internal.cleanup == Cleanup::Replaced);
    compact.map(|internal| internal.topic).collect()
}

/// Sessions, one after the other, until it is time to stop.
fn work<P: Processor>(ground: &Ground<P>) {
    let mut pause = FIRST_RESTART;
    while !ground.stop.is_cancelled() {
        if !ground.tables.are_whole() {
            clock::sleep(UNTIL_TABLES, &ground.stop);
            continue;
        }
        let commits = ground.metrics.commits.get();
        let result = catch_unwind(AssertUnwindSafe(|| Session::new(ground)?.run()));
        // Whatever a record has set off, it must not silence the process; a new session stands on
        // nothing of the old one.
        let result = result.unwrap_or_else(|_| Err(anyhow!("processing panicked, see the log")));
        ground.assign(BTreeSet::new());
        let Err(error) = result else { continue };
        if error.is::<Stopped>() || ground.stop.is_cancelled() {
            tracing::warn!("{error:#}");
            continue;
        }
        if ground.metrics.commits.get() > commits {
            pause = FIRST_RESTART;
        }
        ground.metrics.restarts.inc();
        ground
            .status
            .holds_up(Part::Session, format!("{error:#}; beginning anew"));
        clock::sleep(pause, &ground.stop);
        pause = LAST_RESTART.min(pause * 2);
    }
}
