//! The gateway under test.

use crate::{
    client::{self, Answer},
    kafka::Kafka,
    port,
    program::Program,
};
use std::collections::BTreeMap;

/// A running gateway with topics of its own.
#[derive(Debug)]
pub struct Gateway {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Where accepted events go.
    pub topic: String,
    /// Where rejected events go.
    pub rejected: String,
    /// The process.
    pub program: Program,
}

impl Gateway {
    /// Starts a gateway on `kafka` and waits until it has reached it.
    pub async fn start(kafka: &Kafka) -> Self {
        Self::start_with(kafka, &[]).await
    }

    /// The same with more flags.
    pub async fn start_with(kafka: &Kafka, flags: &[&str]) -> Self {
        let mut all = [&["--topics-create", "true"], flags].concat();
        if !flags.contains(&"--drain-delay") {
            all.extend(["--drain-delay", "0s"]);
        }
        let gateway = Self::launch(&kafka.brokers, &all);
        client::until_answers(&format!("{}/readyz", gateway.url), r#""kafka":"up""#).await;
        gateway
    }

    /// Starts a gateway in the place of one that is gone: `flags` say where it listens and which
    /// topics it has. Waits until it has reached `kafka`.
    ///
    /// # Panics
    /// When a flag that is needed is missing.
    pub async fn again(kafka: &Kafka, flags: &[&str]) -> Self {
        Self::again_draining(kafka, flags, "0s").await
    }

    /// The same with a `drain.delay`.
    ///
    /// # Panics
    /// When a flag that is needed is missing.
    pub async fn again_draining(kafka: &Kafka, flags: &[&str], delay: &str) -> Self {
        let value = |flag: &str| {
            let at = flags.iter().position(|other| *other == flag);
            flags[at.expect("the flag") + 1].to_owned()
        };
        let own = ["--kafka-brokers", &kafka.brokers, "--drain-delay", delay];
        let program = Program::start("footfall-gateway", [&own, flags].concat());
        let url = format!("http://{}", value("--listen"));
        client::until_answers(&format!("{url}/readyz"), r#""kafka":"up""#).await;
        Self {
            url,
            topic: value("--kafka-topic"),
            rejected: value("--kafka-rejected-topic"),
            program,
        }
    }

    /// Kills it; it can be started again where it was.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn stop(mut self) -> Stopped {
        self.program.signal(nix::sys::signal::Signal::SIGKILL);
        self.program.exit().await;
        let Self {
            url,
            topic,
            rejected,
            ..
        } = self;
        Stopped {
            url,
            topic,
            rejected,
        }
    }

    /// Starts a gateway, whether its broker is there or not, and does not wait.
    #[must_use]
    pub fn launch(brokers: &str, flags: &[&str]) -> Self {
        let address = port::free_address();
        let topic = Kafka::unique("events");
        let rejected = format!("{topic}.rejected");
        let own = ["--listen", &address, "--kafka-brokers", brokers];
        let topics = ["--kafka-topic", &topic, "--kafka-rejected-topic", &rejected];
        let program = Program::start("footfall-gateway", [&own, &topics, flags].concat());
        Self {
            url: format!("http://{address}"),
            topic,
            rejected,
            program,
        }
    }

    /// `POST /v1/events` with a JSON body.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .request(body)
            .header("content-type", "application/json");
        Answer::to(request).await.expect("an answer")
    }

    /// `POST /v1/events` without a content type.
    pub fn request(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .post(format!("{}/v1/events", self.url))
            .body(body)
    }

    /// The samples of `/metrics`, by name and labels as they are written.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn metrics(&self) -> Metrics {
        let answer = client::get(&format!("{}/metrics", self.url))
            .await
            .expect("an answer");
        Metrics::parse(&answer.body)
    }
}

/// The place of a gateway that was stopped.
#[derive(Debug)]
pub struct Stopped {
    url: String,
    topic: String,
    rejected: String,
}

impl Stopped {
    /// Starts a gateway there, with the same topics, and waits until it has reached `kafka`.
    pub async fn start_again(self, kafka: &Kafka) -> Gateway {
        let address = self.url.trim_start_matches("http://");
        let topics = [
            "--kafka-topic",
            &self.topic,
            "--kafka-rejected-topic",
            &self.rejected,
        ];
        Gateway::again(kafka, &[&["--listen", address], &topics[..]].concat()).await
    }
}

/// The samples of an OpenMetrics page.
#[derive(Clone, Debug)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads a page.
    #[must_use]
    pub fn parse(page: &str) -> Self {
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        Self(
            samples
                .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// The sum of all samples of this name, whatever their labels.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        let own = |sample: &str| {
            sample
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0
            .iter()
            .filter(|(sample, _)| own(sample))
            .map(|(_, value)| value)
            .sum()
    }

    /// The sum of the samples of this name with this label, as it is written: `from="store"`.
    #[must_use]
    pub fn sum_with(&self, name: &str, label: &str) -> f64 {
        let own = |sample: &str| {
            let labels = sample.strip_prefix(name).unwrap_or_default();
            labels.starts_with('{') && labels.contains(label)
        };
        let samples = self.0.iter().filter(|(sample, _)| own(sample));
        samples.map(|(_, value)| value).sum()
    }
}
