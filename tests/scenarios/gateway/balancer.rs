//! Two gateways behind a load balancer, as the examples of the documentation set it up.

use crate::pipeline::batch;
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    port,
    program::{self, Program},
    wait,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tempfile::TempDir;

const SENDERS: usize = 8;

/// An example's text with the addresses of this test in the place of its own.
fn example(name: &str, addresses: &[(&str, &str)]) -> String {
    let file = program::root().join("docs/examples").join(name);
    let text = fs::read_to_string(&file).unwrap();
    addresses.iter().fold(text, |text, (theirs, ours)| {
        assert!(
            text.contains(theirs),
            "{theirs} is not in {}",
            file.display()
        );
        text.replace(theirs, ours)
    })
}

/// A load balancer, as its example sets it up.
#[derive(Clone, Copy)]
enum Balancer {
    Haproxy,
    Nginx,
}

impl Balancer {
    /// The file of its example.
    fn file(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy.cfg",
            Self::Nginx => "nginx.conf",
        }
    }

    /// The `drain.delay` of the gateways behind it; longer than it takes to try a gateway again that was away.
    fn delay(self) -> &'static str {
        match self {
            Self::Haproxy => "5s",
            Self::Nginx => "3s",
        }
    }

    /// Starts it with the example's text, in a folder of its own.
    fn start(self, folder: &TempDir, config: &str) -> Program {
        let file = folder.path().join(self.file());
        fs::write(&file, config).unwrap();
        let mut command = match self {
            Self::Haproxy => Command::new("/usr/sbin/haproxy"),
            Self::Nginx => Command::new("/usr/sbin/nginx"),
        };
        match self {
            Self::Haproxy => command.arg("-db").arg("-f").arg(&file),
            Self::Nginx => command
                .args(["-e", "stderr", "-g", "daemon off; pid nginx.pid;", "-p"])
                .arg(folder.path())
                .arg("-c")
                .arg(&file),
        };
        Program::start_command(self.file(), command)
    }
}

/// Two gateways with the same topics, and a load balancer in front of them.
struct Pair {
    balancer: Balancer,
    gateways: [Gateway; 2],
    listens: [String; 2],
    url: String,
    /// Where HAProxy says who is in rotation.
    stats: String,
    _running: Program,
    _folder: TempDir,
}

impl Pair {
    async fn start(kafka: &Kafka, balancer: Balancer) -> Self {
        let topic = Kafka::unique("events");
        for topic in [topic.clone(), format!("{topic}.rejected")] {
            kafka.create_topic(&topic, 4).await;
        }
        let listens = [port::free_address(), port::free_address()];
        let gateways = [
            start(kafka, &listens[0], &topic, balancer).await,
            start(kafka, &listens[1], &topic, balancer).await,
        ];
        let (front, stats) = (port::free_address(), port::free_address());
        let mut addresses = vec![
            ("127.0.0.1:8000", &*front),
            ("127.0.0.1:8080", &*listens[0]),
            ("127.0.0.1:8090", &*listens[1]),
        ];
        if let Balancer::Haproxy = balancer {
            addresses.push(("127.0.0.1:8404", &*stats));
        }
        let config = example(balancer.file(), &addresses);
        let folder = TempDir::new().unwrap();
        let pair = Self {
            balancer,
            gateways,
            url: format!("http://{front}/v1/events"),
            stats: format!("http://{stats}/;csv"),
            _running: balancer.start(&folder, &config),
            _folder: folder,
            listens,
        };
        client::until_answers(&format!("http://{front}/livez"), "ok").await;
        pair.until_up().await;
        pair
    }

    /// Waits until the balancer takes both for ready, each by a check that has passed; nginx does not check.
    async fn until_up(&self) {
        if let Balancer::Nginx = self.balancer {
            return;
        }
        wait::until("both gateways to be up", async || {
            let page = client::get(&self.stats).await?.body;
            let up = page.lines().filter(|line| {
                line.starts_with("gateways,") && line.contains(",UP,") && line.contains("L7OK")
            });
            if up.count() == 2 {
                Ok(())
            } else {
                Err(page.clone())
            }
        })
        .await;
    }
}

async fn start(kafka: &Kafka, listen: &str, topic: &str, balancer: Balancer) -> Gateway {
    let rejected = format!("{topic}.rejected");
    let flags = [
        "--listen",
        listen,
        "--kafka-topic",
        topic,
        "--kafka-rejected-topic",
        &rejected,
    ];
    Gateway::again_draining(kafka, &flags, balancer.delay()).await
}

/// Senders that post one batch after the other until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<Mutex<Sent>>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Sent {
    /// Events that were answered with 202, by id.
    accepted: BTreeMap<String, Value>,
    failed: Vec<String>,
}

impl Load {
    fn start(url: &str) -> Self {
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::<Mutex<Sent>>::default(),
        );
        let senders = (0..SENDERS).map(|sender| {
            let (stop, sent, url) = (stop.clone(), sent.clone(), url.to_owned());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    post(
                        &client,
                        &url,
                        &format!("https://shop.example/{sender}/{turn}"),
                        &sent,
                    )
                    .await;
                }
            })
        });
        let senders = senders.collect();
        Self {
            stop,
            sent,
            senders,
        }
    }

    /// Waits until so many more events are accepted.
    async fn until_accepted(&self, more: usize) {
        let so_far = self.sent.lock().unwrap().accepted.len();
        wait::until("events to be accepted", async || {
            let now = self.sent.lock().unwrap().accepted.len();
            if now >= so_far + more {
                Ok(())
            } else {
                Err(format!("{now}"))
            }
        })
        .await;
    }

    async fn end(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.unwrap();
        }
        let mut sent = self.sent.lock().unwrap();
        std::mem::take(&mut *sent)
    }
}

async fn post(client: &reqwest::Client, url: &str, page: &str, sent: &Mutex<Sent>) {
    let now = batch::now();
    let events = [(); 2].map(|()| batch::page_view_of(page, now));
    let body = batch::of(now, &events).to_string();
    let answer = Answer::to(client.post(url).body(body)).await;
    let mut sent = sent.lock().unwrap();
    match answer {
        Ok(answer) if answer.status == 202 => {
            assert_eq!(answer.json(), json!({ "accepted": 2, "rejected": [] }));
            let by_id = events.map(|event| (event["id"].as_str().unwrap().to_owned(), event));
            sent.accepted.extend(by_id);
        }
        other => sent.failed.push(format!("{other:?}")),
    }
}

/// What was sent, as it stands in the records, by id; fails when an event is there twice.
async fn recorded(kafka: &Kafka, topic: &str, count: usize) -> BTreeMap<String, Value> {
    let records = kafka.records(topic, count).await;
    let mut by_id = BTreeMap::new();
    for record in records {
        let value = record.json();
        let id = value["id"].as_str().unwrap().to_owned();
        let sent = json!({ "id": id, "time": value["time"], "type": value["type"], "page": value["page"] });
        assert_eq!(by_id.insert(id, sent), None, "{value} is there twice");
    }
    by_id
}

/// Restarts one gateway after the other under load; no request may fail, and no event be missing or there twice.
async fn roll(balancer: Balancer) {
    let kafka = Kafka::shared().await;
    let mut pair = Pair::start(kafka, balancer).await;
    let topic = pair.gateways[0].topic.clone();
    let load = Load::start(&pair.url);
    for index in [0, 1] {
        load.until_accepted(200).await;
        let gateway = &mut pair.gateways[index].program;
        gateway.signal(Signal::SIGTERM);
        let status = gateway.exit().await;
        assert_eq!(status.code(), Some(0), "{}", gateway.stderr());
        load.until_accepted(200).await;
        pair.gateways[index] = start(kafka, &pair.listens[index], &topic, balancer).await;
        pair.until_up().await;
    }
    load.until_accepted(200).await;
    let sent = load.end().await;
    assert_eq!(sent.failed, [""; 0]);
    let recorded = recorded(kafka, &topic, sent.accepted.len()).await;
    assert!(
        recorded == sent.accepted,
        "the records differ from what was sent"
    );
}

#[tokio::test]
async fn a_rolling_restart_behind_haproxy_fails_no_request_and_loses_no_event() {
    roll(Balancer::Haproxy).await;
}

#[tokio::test]
async fn a_rolling_restart_behind_nginx_fails_no_request_and_loses_no_event() {
    roll(Balancer::Nginx).await;
}

#[tokio::test]
async fn of_a_gateway_that_is_killed_only_requests_under_way_fail() {
    let kafka = Kafka::shared().await;
    let pair = Pair::start(kafka, Balancer::Haproxy).await;
    let load = Load::start(&pair.url);
    load.until_accepted(200).await;
    pair.gateways[1].program.signal(Signal::SIGKILL);
    load.until_accepted(2000).await;
    let sent = load.end().await;
    assert!(sent.failed.len() <= SENDERS, "{:?}", sent.failed);
}

#[tokio::test]
async fn the_example_for_nginx_starts_and_hands_requests_on() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let (front, nobody) = (port::free_address(), port::free_address());
    let listen = gateway.url.strip_prefix("http://").unwrap();
    let config = example(
        "nginx.conf",
        &[
            ("127.0.0.1:8000", &front),
            ("127.0.0.1:8080", listen),
            ("127.0.0.1:8090", &nobody),
        ],
    );
    let folder = TempDir::new().unwrap();
    let _nginx = Balancer::Nginx.start(&folder, &config);
    client::until_answers(&format!("http://{front}/livez"), "ok").await;
    // Every other request is for the gateway that is not there.
    for _ in 0..4 {
        let request = reqwest::Client::new().post(format!("http://{front}/v1/events"));
        let answer = Answer::to(request.body(batch::of_page_views(1).to_string())).await;
        assert_eq!(answer.unwrap().status, 202);
    }
    assert_eq!(kafka.records(&gateway.topic, 4).await.len(), 4);
}
