//! The aggregation processor under test.

use crate::{client, gateway::Metrics, kafka::Kafka, port, program::Program, wait};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A running aggregation processor.
#[derive(Debug)]
pub struct Aggregation {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The process.
    pub program: Program,
    folder: TempDir,
    flags: Vec<String>,
}

impl Aggregation {
    /// Starts it on `kafka` with these `[streams.NAME]` tables (and whatever else stands in
    /// `config`), in a consumer group of its own, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(kafka: &Kafka, config: &str) -> Self {
        Self::start_in_group(kafka, config, &Kafka::unique("aggregation")).await
    }

    /// The same in this consumer group, beside others.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_in_group(kafka: &Kafka, config: &str, group: &str) -> Self {
        let started = Self::launch(kafka, config, group);
        started.until_ready().await;
        started
    }

    /// The same without waiting, because something is in its way.
    ///
    /// # Panics
    /// When it cannot be started at all.
    #[must_use]
    pub fn launch(kafka: &Kafka, config: &str, group: &str) -> Self {
        let folder = TempDir::new().expect("a folder for the state");
        let state = folder.path().join("state");
        Self::launch_on(&kafka.brokers, config, group, &state, folder)
    }

    /// The same at this address of a broker.
    ///
    /// # Panics
    /// When it cannot be started at all.
    #[must_use]
    pub fn launch_at(brokers: &str, config: &str, group: &str) -> Self {
        let folder = TempDir::new().expect("a folder for the state");
        let state = folder.path().join("state");
        Self::launch_on(brokers, config, group, &state, folder)
    }

    /// The same with its state in a folder that somebody else looks after.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on(kafka: &Kafka, config: &str, group: &str, state: &Path) -> Self {
        let folder = TempDir::new().expect("a folder for the configuration");
        let started = Self::launch_on(&kafka.brokers, config, group, state, folder);
        started.until_ready().await;
        started
    }

    fn launch_on(brokers: &str, config: &str, group: &str, state: &Path, folder: TempDir) -> Self {
        let file = folder.path().join("aggregation.toml");
        fs::write(&file, config).expect("write the configuration");
        let address = port::free_address();
        let flags = [
            "--config",
            &file.display().to_string(),
            "--listen",
            &address,
            "--kafka-brokers",
            brokers,
            "--group",
            group,
            "--state-dir",
            &state.display().to_string(),
        ]
        .map(str::to_owned)
        .to_vec();
        let program = Program::start("footfall-aggregation", &flags);
        Self {
            url: format!("http://{address}"),
            program,
            folder,
            flags,
        }
    }

    /// Starts it again, after it was killed or stopped, with the same flags.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        assert!(self.folder.path().exists());
        self.program = Program::start("footfall-aggregation", &self.flags);
        self.until_ready().await;
    }

    /// Waits until it has reached Kafka.
    pub async fn until_ready(&self) {
        client::until_answers(&format!("{}/readyz", self.url), r#""kafka":"up""#).await;
    }

    /// Waits until `/readyz` says why nothing is processed, and the reason contains this.
    pub async fn until_held_up(&self, part: &str) -> String {
        let url = format!("{}/readyz", self.url);
        wait::until(&format!("a reason with `{part}`"), async || {
            let answer = client::get(&url).await?;
            let reason = answer.json()["reason"].as_str().map(str::to_owned);
            let told = reason.filter(|reason| reason.contains(part));
            told.ok_or_else(|| format!("{answer:?}"))
        })
        .await
    }

    /// The samples of `/metrics`, by name and labels as they are written.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn metrics(&self) -> Result<Metrics, String> {
        let answer = client::get(&format!("{}/metrics", self.url)).await?;
        Ok(Metrics::parse(&answer.body))
    }

    /// `GET` below its address, as JSON.
    ///
    /// # Errors
    /// When there is no answer with 200.
    pub async fn get(&self, path: &str) -> Result<serde_json::Value, String> {
        let answer = client::get(&format!("{}{path}", self.url)).await?;
        if answer.status == 200 {
            Ok(answer.json())
        } else {
            Err(format!("{answer:?}"))
        }
    }
}
