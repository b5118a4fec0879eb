//! What has arrived.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    time::Instant,
};

/// A request to `/v1/events`.
#[derive(Clone, Debug)]
pub struct Request {
    /// When all of it was there.
    pub at: Instant,
    /// `POST`, or `OPTIONS` for a preflight.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// By names in lower case; of repeated ones the last.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes as sent.
    pub bytes: usize,
    /// The body, unpacked if it was packed.
    pub body: String,
    /// What it was answered with; nothing while it hangs, or when the connection was closed.
    pub status: Option<u16>,
}

impl Request {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The batch's events.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let events = self.json()["events"].as_array().cloned();
        events.unwrap_or_default()
    }

    /// Whether it is a batch, and was answered with 2xx.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.method == "POST" && self.status.is_some_and(|status| status / 100 == 2)
    }

    /// Whether the page has sent it as a beacon.
    #[must_use]
    pub fn is_beacon(&self) -> bool {
        // Browsers say how a request was made; fetches go in another mode.
        self.headers
            .get("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain"))
            && self
                .headers
                .get("sec-fetch-mode")
                .is_some_and(|mode| mode == "no-cors")
    }
}

/// All requests of a test, in order.
#[derive(Clone, Debug, Default)]
pub struct Log(pub(super) Vec<Request>);

impl Deref for Log {
    type Target = [Request];

    fn deref(&self) -> &[Request] {
        &self.0
    }
}

impl Log {
    /// The batches: everything but preflights.
    pub fn batches(&self) -> impl Iterator<Item = &Request> {
        self.iter().filter(|request| request.method == "POST")
    }

    /// The events that were answered with 2xx, doubles included. Each carries its batch's `load`,
    /// `session`, `visitor` and `user` as well.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        let taken = self.batches().filter(|request| request.is_taken());
        taken.flat_map(with_envelope).collect()
    }

    /// The ids of these events.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        let taken = self.taken();
        taken.iter().map(|event| event["id"].to_string()).collect()
    }

    /// By load, the numbers that no event with 2xx has, up to the greatest one that was seen.
    #[must_use]
    pub fn gaps(&self) -> BTreeMap<String, Vec<u64>> {
        let mut seen: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for event in self.taken() {
            let load = event["load"].as_str().unwrap_or("").to_owned();
            seen.entry(load).or_default().extend(event["seq"].as_u64());
        }
        seen.retain(|_, numbers| {
            numbers
                .last()
                .is_some_and(|last| *last + 1 != numbers.len() as u64)
        });
        let missing = |numbers: BTreeSet<u64>| {
            let last = numbers.last().copied().unwrap_or(0);
            (0..last)
                .filter(|number| !numbers.contains(number))
                .collect()
        };
        seen.into_iter()
            .map(|(load, numbers)| (load, missing(numbers)))
            .collect()
    }
}

fn with_envelope(request: &Request) -> Vec<Value> {
    let batch = request.json();
    let mut events = request.events();
    for event in &mut events {
        for member in ["load", "session", "visitor", "user"] {
            if let Some(value) = batch.get(member) {
                event[member] = value.clone();
            }
        }
    }
    events
}
