use crate::{
    config::Config,
    http::{Gateway, router},
    metrics::Metrics,
    outgoing::{Outgoing, Topic},
    sink::{Health, Receipt, Sink, Unavailable},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Method, StatusCode},
};
use footfall_service::{
    config::{Inputs, load},
    health,
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tower::ServiceExt as _;

/// A record: topic, key, value.
pub(super) type Taken = (Topic, Option<String>, String);

/// Keeps what it takes, up to a number of records.
#[derive(Clone, Default)]
pub(super) struct Memory {
    taken: Arc<Mutex<Vec<Taken>>>,
    room: usize,
}

impl Sink for Memory {
    fn take(&self, outgoing: Outgoing) -> Result<Receipt, Unavailable> {
        let mut taken = self.taken.lock().unwrap();
        if taken.len() + outgoing.records() > self.room {
            return Err(Unavailable::Full);
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        taken.extend(
            outgoing
                .messages()
                .map(|message| (message.topic, message.key.map(text), text(message.value))),
        );
        Ok(Receipt::taken())
    }

    fn is_full(&self) -> bool {
        self.taken.lock().unwrap().len() >= self.room
    }

    fn health(&self) -> Health {
        Health {
            takes: self.room > 0,
            kafka: health::Kafka::Down,
            spill: health::Spill::Off,
            reason: Some("no broker answers".into()),
        }
    }
}

/// A gateway with that sink.
pub(super) struct Fixture {
    pub(super) gateway: Arc<Gateway>,
    router: Router,
    memory: Memory,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    pub(super) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let json = self.json();
        assert_eq!(
            (self.status.as_u16(), json["code"].as_str()),
            (status, Some(code)),
            "{json}"
        );
        assert_eq!(json["status"], status);
    }
}

impl Fixture {
    pub(super) fn new(arguments: &[&str]) -> Self {
        Self::make("", arguments, 1000)
    }

    pub(super) fn with_sites(file: &str) -> Self {
        Self::make(file, &[], 1000)
    }

    pub(super) fn with_room(room: usize) -> Self {
        Self::make("", &[], room)
    }

    fn make(file: &str, arguments: &[&str], room: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, file).unwrap();
        let mut all = vec!["footfall-gateway".into(), "--config".into(), path.into()];
        all.extend(["--kafka-brokers", "localhost:9092"].map(Into::into));
        all.extend(arguments.iter().map(Into::into));
        let inputs = Inputs {
            arguments: all,
            environment: Vec::new(),
        };
        let document = load(&crate::config::PROGRAM, inputs).unwrap().document;
        let config = Config::read(&document).unwrap();
        let mut registry = footfall_service::metrics::registry();
        let metrics = Metrics::register(&mut registry);
        let memory = Memory {
            room,
            ..Memory::default()
        };
        let gateway = Gateway::new(&config, memory.clone(), metrics);
        let router = router(&gateway, footfall_service::metrics::routes(registry, || {}));
        Self {
            gateway,
            router,
            memory,
        }
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = "203.0.113.77:4711".parse().unwrap();
        let request = request.extension(ConnectInfo(peer)).body(body).unwrap();
        let (head, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(super) async fn post(&self, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::POST, "/v1/events", headers, body.into())
            .await
    }

    pub(super) async fn get(&self, uri: &str) -> Answer {
        self.ask(Method::GET, uri, &[], Body::empty()).await
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.memory.taken.lock().unwrap().clone()
    }

    /// The value of a series of `/metrics`.
    pub(super) async fn metric(&self, series: &str) -> u64 {
        let page = self.get("/metrics").await.body;
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series} in {page}"))
            .trim()
            .parse()
            .unwrap()
    }
}

/// A body that comes in pieces, without a length.
pub(super) fn chunked(pieces: usize, len: usize) -> Body {
    let piece = Bytes::from(vec![b' '; len]);
    let pieces = (0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
    Body::from_stream(futures_util::stream::iter(pieces))
}
