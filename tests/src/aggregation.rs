//! The aggregation processor under test.

use crate::{client, kafka::Kafka, port, program::Program};
use std::fs;
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
        let folder = TempDir::new().expect("a folder for the configuration");
        let file = folder.path().join("aggregation.toml");
        fs::write(&file, config).expect("write the configuration");
        let address = port::free_address();
        let flags = [
            "--config",
            &file.display().to_string(),
            "--listen",
            &address,
            "--kafka-brokers",
            &kafka.brokers,
            "--group",
            group,
            "--state-dir",
            &folder.path().join("state").display().to_string(),
        ]
        .map(str::to_owned)
        .to_vec();
        let program = Program::start("footfall-aggregation", &flags);
        let started = Self {
            url: format!("http://{address}"),
            program,
            folder,
            flags,
        };
        started.until_ready().await;
        started
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
