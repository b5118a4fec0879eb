//! Traffic of many visitors, with a record of what was accepted, when, and how long each answer took.

use crate::pipeline::batch;
use footfall_tests::{
    client::Answer,
    gateway::{Gateway, Metrics},
    kafka::Kafka,
    record::Record,
    wait,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// Senders that go on until they are stopped, each for a visitor of its own, one batch after the other.
#[derive(Debug)]
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<Mutex<Sent>>,
    senders: Vec<JoinHandle<()>>,
}

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// Ids of events that were answered with 202, and when the answer was there.
    pub(super) accepted: Vec<(String, Instant)>,
    /// How long each answer took.
    pub(super) latencies: Vec<Duration>,
    /// How many requests had another answer, by status; 0: none.
    pub(super) others: BTreeMap<u16, usize>,
}

impl Load {
    /// Starts `senders` that send batches of `events`.
    pub(super) fn start(gateway: &Gateway, senders: usize, events: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(Mutex::new(Sent::default()));
        let senders = (0..senders).map(|sender| {
            let (url, stop, sent) = (gateway.url.clone(), stop.clone(), sent.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                let mut seq = 0;
                while !stop.load(Ordering::Relaxed) {
                    let (ids, body) = visitor_batch(sender, &mut seq, events);
                    let request = client.post(format!("{url}/v1/events")).body(body);
                    let start = Instant::now();
                    let answer = Answer::to(request).await;
                    let end = Instant::now();
                    let mut sent = sent.lock().unwrap();
                    sent.latencies.push(end - start);
                    match answer.map(|answer| answer.status) {
                        Ok(202) => sent.accepted.extend(ids.into_iter().map(|id| (id, end))),
                        other => *sent.others.entry(other.unwrap_or(0)).or_default() += 1,
                    }
                }
            })
        });
        Self {
            senders: senders.collect(),
            stop,
            sent,
        }
    }

    /// How many events have been accepted so far.
    pub(super) fn accepted(&self) -> usize {
        self.sent.lock().unwrap().accepted.len()
    }

    /// Stops the senders and waits for their last answers.
    pub(super) async fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.unwrap();
        }
        self.sent.lock().unwrap().clone()
    }
}

impl Sent {
    /// The latency that so many of a hundred answers do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        sorted[(sorted.len() - 1) * percent / 100]
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.accepted.iter().map(|(id, _)| id.clone()).collect()
    }
}

/// A batch of one visitor, whose `seq` counts on.
pub(super) fn visitor_batch(
    visitor: usize,
    seq: &mut usize,
    events: usize,
) -> (Vec<String>, String) {
    let now = batch::now();
    let events = (0..events).map(|_| {
        let mut event = batch::page_view(now);
        event["seq"] = (*seq).into();
        event["properties"] = json!({ "padding": "x".repeat(300) });
        *seq += 1;
        event
    });
    let events: Vec<_> = events.collect();
    let ids = events
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned());
    let ids = ids.collect();
    let mut batch = batch::of(now, &events);
    batch["visitor"] = format!("visitor-{visitor}").into();
    (ids, batch.to_string())
}

/// Waits until nothing waits for Kafka, and checks that every event has exactly one fate.
pub(super) async fn at_rest(gateway: &Gateway) -> Metrics {
    let what = "the queue and the spill to be empty";
    let metrics = wait::until_within(wait::LIMIT * 3, what, async || {
        let metrics = gateway.metrics().await;
        let waiting = metrics.sum("footfall_queue_events") + metrics.sum("footfall_spill_events");
        if waiting == 0.0 && metrics.sum("footfall_spill_bytes") == 0.0 {
            Ok(metrics)
        } else {
            Err(format!("{metrics:?}"))
        }
    })
    .await;
    is_accounted_for(&metrics);
    metrics
}

/// The accounting identity.
pub(super) fn is_accounted_for(metrics: &Metrics) {
    let sum = |name: &str| metrics.sum(&format!("footfall_{name}"));
    let came = sum("events_received_total") + sum("events_recovered_total");
    let went = sum("events_produced_total")
        + sum("events_rejected_total")
        + sum("events_dropped_total")
        + sum("queue_events")
        + sum("spill_events");
    assert_eq!(came, went, "{metrics:?}");
}

/// The ids of the events in a topic.
pub(super) fn ids_of(records: &[Record]) -> BTreeSet<String> {
    let id = |record: &Record| record.json()["id"].as_str().unwrap().to_owned();
    records.iter().map(id).collect()
}

/// Each visitor's events lie in the order in which they were sent. Where one is there twice, its first place counts.
pub(super) fn are_in_order(records: &[Record]) {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for record in records {
        let value = record.json();
        let visitor = value["visitor"].as_str().unwrap().to_owned();
        let seq = value["seq"].as_u64().unwrap();
        if seen.insert((visitor.clone(), seq))
            && let Some(before) = last.insert(visitor.clone(), seq)
        {
            assert!(before < seq, "{visitor}: {before} before {seq}");
        }
    }
}

/// Each record has its event's time.
pub(super) fn are_at_their_time(records: &[Record]) {
    for record in records {
        assert_eq!(record.json()["time"], record.timestamp, "{record:?}");
    }
}

/// What lies in the topic, once at least so many records do.
pub(super) async fn records(kafka: &Kafka, gateway: &Gateway, count: usize) -> Vec<Record> {
    let what = format!("{count} records");
    wait::until(&what, async || {
        let records = kafka.read(&gateway.topic).await?;
        if records.len() >= count {
            Ok(records)
        } else {
            Err(format!("there are {}", records.len()))
        }
    })
    .await
}
