//! Apache Kafka, as `cargo xtask kafka` runs it.

mod log;
mod producer;

pub use log::Batch;
pub use producer::Producer;

use crate::{port, program, program::Program, record::Record, wait};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Headers as _},
};
use std::{path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;
use tokio::sync::OnceCell;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A broker. Dropping it ends it; the shared one ends with the test's process.
#[derive(Debug)]
pub struct Kafka {
    /// `127.0.0.1:PORT`.
    pub brokers: String,
    /// The supervisor, which ends the broker when its stdin is closed.
    supervisor: Program,
    broker: Pid,
    data: TempDir,
    /// `127.0.0.1:PORT` of the listener with TLS and SASL/SCRAM, for the user `footfall` with the password `secret`.
    pub secure: Option<String>,
}

impl Kafka {
    /// The one broker that scenarios share; each uses topics of its own.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Kafka> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A broker of one's own, to be frozen or killed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A broker of one's own that also listens for TLS with SASL/SCRAM.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_secure() -> Self {
        let mut kafka = Self::start_with(&["--secure"]).await;
        kafka.secure = Some(kafka.supervisor.line_after("secure ").await);
        kafka
    }

    /// The certificate of the listener with TLS; it vouches for itself.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.data.path().join("certificate.pem")
    }

    async fn start_with(flags: &[&str]) -> Self {
        let data = TempDir::new().expect("a folder for Kafka");
        let address = port::free_address();
        let (supervisor, broker) = Self::run(&address, &data, flags).await;
        Self {
            brokers: address,
            supervisor,
            broker,
            data,
            secure: None,
        }
    }

    async fn run(address: &str, data: &TempDir, flags: &[&str]) -> (Program, Pid) {
        let port = address.rsplit(':').next().expect("a port");
        let mut command = Command::new(program::path("xtask"));
        command
            .args(["kafka", "--stop-with-stdin", "--port", port, "--data"])
            .arg(data.path())
            .args(flags);
        let mut supervisor = Program::start_command("xtask kafka", command);
        let ready = supervisor.line_after("ready ").await;
        let pid = ready
            .rsplit(' ')
            .next()
            .expect("a pid")
            .parse()
            .expect("a number");
        (supervisor, Pid::from_raw(pid))
    }

    /// Ends the broker; its data stays.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) {
        self.supervisor.signal(Signal::SIGTERM);
        self.supervisor.exit().await;
    }

    /// Starts the broker again on its old address and data.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        self.start_again_with(&[]).await;
    }

    /// The same, and it tells clients that it is at another address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again_advertising(&mut self, address: &str) {
        self.start_again_with(&["--advertise", address]).await;
    }

    async fn start_again_with(&mut self, flags: &[&str]) {
        (self.supervisor, self.broker) = Self::run(&self.brokers, &self.data, flags).await;
    }

    /// Sends the broker's process a signal, e.g. SIGSTOP.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.broker, signal).expect("signal the broker");
    }

    /// Runs a Java program of `tests/java` with the classes of Kafka and Kafka Streams, and returns
    /// what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub async fn java(&self, name: &str, arguments: &[&str]) -> String {
        let mut java = java();
        java.arg(program::root().join("tests/java").join(name))
            .arg(&self.brokers)
            .args(arguments);
        run_java(java).await
    }

    /// Runs a command as it would be typed: `kafka-configs.sh …`, which comes with Kafka.
    ///
    /// # Panics
    /// When it is another command, or fails.
    pub async fn run_tool(&self, command: &str) {
        let arguments = command.strip_prefix("kafka-configs.sh ");
        let arguments = arguments.unwrap_or_else(|| panic!("no `kafka-configs.sh`: {command}"));
        let mut java = java();
        java.arg("kafka.admin.ConfigCommand")
            .args(arguments.split(' '));
        run_java(java).await;
    }

    /// Deletes the records of a partition before this offset, as retention does.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let mut offsets = TopicPartitionList::new();
        let added = offsets.add_partition_offset(topic, partition, Offset::Offset(before));
        added.expect("an offset");
        let deleted = admin.delete_records(&offsets, &AdminOptions::new()).await;
        for place in deleted.expect("an answer").elements() {
            place.error().expect("records are deleted");
        }
    }

    /// A topic name of one's own.
    #[must_use]
    pub fn unique(name: &str) -> String {
        format!("{name}-{}", uuid::Uuid::now_v7().simple())
    }

    /// Makes a topic.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn create_topic(&self, topic: &str, partitions: i32) {
        self.create_topic_with(topic, partitions, &[]).await;
    }

    /// Makes a topic with settings of its own.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn create_topic_with(&self, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let wanted = wanted.set("retention.ms", "-1");
        let wanted = settings
            .iter()
            .fold(wanted, |wanted, (name, value)| wanted.set(name, value));
        let results = admin
            .create_topics([&wanted], &AdminOptions::new())
            .await
            .expect("an answer");
        for result in results {
            result.unwrap_or_else(|(topic, code)| panic!("create {topic}: {code}"));
        }
    }

    /// Has a topic have this many partitions from now on, more than before.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn add_partitions(&self, topic: &str, partitions: usize) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let wanted = [NewPartitions::new(topic, partitions)];
        let results = admin.create_partitions(&wanted, &AdminOptions::new());
        for result in results.await.expect("an answer") {
            result.unwrap_or_else(|(topic, code)| panic!("add to {topic}: {code}"));
        }
    }

    /// Deletes a topic, and waits until it is gone.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn delete_topic(&self, topic: &str) {
        let admin: AdminClient<DefaultClientContext> =
            self.client().create().expect("an admin client");
        let results = admin.delete_topics(&[topic], &AdminOptions::new()).await;
        for result in results.expect("an answer") {
            result.unwrap_or_else(|(topic, code)| panic!("delete {topic}: {code}"));
        }
        wait::until(&format!("the end of {topic}"), async || {
            let (config, name) = (self.client(), topic.to_owned());
            let asked = tokio::task::spawn_blocking(move || {
                let consumer: BaseConsumer = config.create()?;
                let metadata = consumer.fetch_metadata(None, TIMEOUT)?;
                let is_there = metadata.topics().iter().any(|topic| topic.name() == name);
                Ok::<_, KafkaError>(is_there)
            });
            let is_there = asked.await.expect("an answer");
            match is_there.map_err(|error| error.to_string())? {
                false => Ok(()),
                true => Err("it is still there".into()),
            }
        })
        .await;
    }

    /// Puts a record on a topic and waits for the acknowledgement.
    ///
    /// # Panics
    /// When it is not acknowledged.
    pub async fn produce(&self, topic: &str, record: &NewRecord<'_>) {
        self.produce_all(topic, [*record]).await;
    }

    /// Puts records on a topic, in this order, and waits until all are acknowledged.
    ///
    /// # Panics
    /// When one is not acknowledged.
    pub async fn produce_all<'a>(
        &self,
        topic: &str,
        records: impl IntoIterator<Item = NewRecord<'a>>,
    ) {
        let producer = self.producer(&[]);
        producer.produce_all(topic, records, Some(TIMEOUT)).await;
    }

    /// A producer that waits for the broker as long as it is away, and repeats no record.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn patient_producer(&self) -> Producer {
        self.producer(&[("enable.idempotence", "true"), ("message.timeout.ms", "0")])
    }

    /// A producer with a transaction that is open.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn begin_transaction(&self, name: &str) -> Producer {
        let producer = self.producer(&[("transactional.id", name)]);
        producer.begin().await;
        producer
    }

    /// A producer with properties of its own.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn producer(&self, properties: &[(&str, &str)]) -> Producer {
        let mut config = self.client();
        config.set("partitioner", "murmur2_random");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        Producer(config.create().expect("a producer"))
    }

    /// Waits until the topic has at least `count` records, and returns all it has then, by
    /// partition and offset.
    ///
    /// # Panics
    /// When it has fewer for too long.
    pub async fn records(&self, topic: &str, count: usize) -> Vec<Record> {
        wait::until(&format!("{count} records in {topic}"), async || {
            let records = self.read(topic).await?;
            if records.len() >= count {
                Ok(records)
            } else {
                Err(format!("it has {records:?}"))
            }
        })
        .await
    }

    /// What the topic has now.
    ///
    /// # Errors
    /// When the topic or the broker is not there.
    ///
    /// # Panics
    /// When the reader panics.
    pub async fn read(&self, topic: &str) -> Result<Vec<Record>, String> {
        let (config, topic) = (self.client(), topic.to_owned());
        let reader = tokio::task::spawn_blocking(move || read_all(&config, &topic));
        reader
            .await
            .expect("a reader that does not panic")
            .map_err(|error| error.to_string())
    }

    /// How many partitions a topic has.
    ///
    /// # Panics
    /// When the broker does not answer.
    #[must_use]
    pub fn partitions(&self, topic: &str) -> i32 {
        let consumer: BaseConsumer = self.client().create().expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT);
        let metadata = metadata.expect("an answer");
        i32::try_from(metadata.topics()[0].partitions().len()).expect("a count")
    }

    /// What a group has committed of a partition, if anything.
    ///
    /// # Panics
    /// When the broker does not answer.
    #[must_use]
    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let mut config = self.client();
        config.set("group.id", group);
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, partition);
        let known = consumer.committed_offsets(asked, TIMEOUT);
        let known = known.expect("an answer");
        let Offset::Offset(offset) = known.elements()[0].offset() else {
            return None;
        };
        Some(offset)
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// With the classes of Kafka and Kafka Streams.
fn java() -> Command {
    let mut java = Command::new("java");
    java.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .arg(program::target().join("kafka/libs/*"));
    java
}

async fn run_java(mut java: Command) -> String {
    let said = format!("{java:?}");
    let running = tokio::task::spawn_blocking(move || java.output());
    let output = running.await.expect("an end").expect("java starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

/// A record to be produced.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// Where it goes; by key when absent.
    pub partition: Option<i32>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Its key, if any.
    pub key: Option<&'a [u8]>,
    /// Its value, if any.
    pub value: Option<&'a [u8]>,
}

/// What is committed, up to the end of each partition.
fn read_all(config: &ClientConfig, topic: &str) -> Result<Vec<Record>, KafkaError> {
    let mut config = config.clone();
    config
        .set("group.id", "footfall-tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let partitions = metadata
        .topics()
        .first()
        .map(|topic| topic.partitions())
        .unwrap_or_default();
    let mut assignment = TopicPartitionList::new();
    for partition in partitions {
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let mut records = Vec::new();
    // Offsets do not say how many records there are: compaction and transactions leave gaps.
    let mut remaining = partitions.len();
    let mut silences = 0;
    while remaining > 0 {
        match consumer.poll(TIMEOUT) {
            Some(Ok(message)) => records.push(record(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => remaining -= 1,
            Some(Err(error)) => return Err(error),
            // Once in a while something else than a record has come.
            None if silences < 10 => silences += 1,
            None => {
                let code = RDKafkaErrorCode::OperationTimedOut;
                return Err(KafkaError::MessageConsumption(code));
            }
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| {
                (
                    header.key.to_owned(),
                    header.value.unwrap_or_default().to_vec(),
                )
            })
            .collect()
    });
    Record {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}
