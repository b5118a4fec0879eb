//! The records of a gateway's topic, read as the story of a visit.

use super::stage::Stage;
use footfall_tests::{kafka::Kafka, record::Record, wait};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All that was recorded, in the order in which it happened.
#[derive(Debug)]
pub(crate) struct Story {
    records: Vec<Record>,
    events: Vec<Value>,
}

impl Story {
    /// Waits until at least `count` page views and clicks lie in Kafka.
    pub(crate) async fn of(stage: &Stage, count: usize) -> Self {
        let kafka = Kafka::shared().await;
        wait::until(&format!("{count} views and clicks"), async || {
            let story = Self::told_by(kafka.read(&stage.gateway.topic).await?);
            let told = story
                .events("page_view")
                .chain(story.events("click"))
                .count();
            if told >= count {
                Ok(story)
            } else {
                Err(format!("{:#?}", story.events))
            }
        })
        .await
    }

    /// What lies in Kafka now.
    pub(crate) async fn so_far(stage: &Stage) -> Self {
        Self::told_by(
            Kafka::shared()
                .await
                .read(&stage.gateway.topic)
                .await
                .unwrap(),
        )
    }

    fn told_by(mut records: Vec<Record>) -> Self {
        let order = |event: &Value| (event["time"].as_i64(), event["seq"].as_i64());
        records.sort_by_key(|record| order(&record.json()));
        // A page that goes before it has read an answer lets the event be sent again; whoever counts
        // goes by the id.
        let mut ids = BTreeSet::new();
        records.retain(|record| ids.insert(record.json()["id"].to_string()));
        let events = records.iter().map(Record::json).collect();
        Self { records, events }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The events of a type.
    pub(crate) fn events(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.events
            .iter()
            .filter(move |event| event["type"] == kind)
    }

    /// The paths of the pages that were viewed.
    pub(crate) fn views(&self) -> Vec<String> {
        self.events("page_view")
            .map(|event| path_of(&event["page"]["url"]))
            .collect()
    }

    /// What was clicked: the page, the tag, and where it leads if anywhere.
    pub(crate) fn clicks(&self) -> Vec<[String; 3]> {
        let told = self.events("click").map(|event| {
            let tag = event["element"]["tag"].as_str().unwrap_or("?").to_owned();
            [
                path_of(&event["page"]["url"]),
                tag,
                path_of(&event["element"]["href"]),
            ]
        });
        told.collect()
    }

    /// The values of a member over all events.
    pub(crate) fn distinct(&self, member: &str) -> BTreeSet<String> {
        self.events
            .iter()
            .map(|event| event[member].to_string())
            .collect()
    }

    /// All values as text.
    pub(crate) fn text(&self) -> String {
        self.records.iter().map(Record::value_text).collect()
    }

    /// `seq` counts the events of a load from 0 without a gap.
    pub(crate) fn assert_no_gap(&self) {
        let mut loads: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for event in &self.events {
            let seq = event["seq"].as_u64().expect("a seq");
            loads
                .entry(event["load"].to_string())
                .or_default()
                .insert(seq);
        }
        for (load, seqs) in loads {
            let expected: BTreeSet<u64> = (0..seqs.len() as u64).collect();
            assert_eq!(seqs, expected, "load {load}");
        }
    }
}

/// The path and query of a url, or nothing.
pub(crate) fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap_or_default();
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme
        .find('/')
        .map_or(String::new(), |slash| after_scheme[slash..].to_owned())
}
