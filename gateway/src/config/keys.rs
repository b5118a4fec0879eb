use footfall_service::config::{Default, Form, Key, Program};

/// The gateway as a program.
pub const PROGRAM: Program = Program {
    name: "footfall-gateway",
    version: env!("CARGO_PKG_VERSION"),
    about: "Takes batches of events over HTTP and puts them on Kafka",
    keys: KEYS,
    commands: &[],
};

const KEYS: &[Key] = &[
    Key {
        path: "listen",
        form: Form::Address,
        default: Default::Value("127.0.0.1:8080"),
        help: "where events are taken",
    },
    Key {
        path: "ack",
        form: Form::Choice(&["enqueued", "delivered"]),
        default: Default::Value("enqueued"),
        help: "what an answer waits for: room in the queue or the spill, or Kafka's acknowledgement",
    },
    Key {
        path: "ack_timeout",
        form: Form::Duration,
        default: Default::Value("10s"),
        help: "with `ack = \"delivered\"`: how long an answer waits, before it is 503",
    },
    Key {
        path: "kafka.topic",
        form: Form::Topic,
        default: Default::Value(footfall_protocol::topic::EVENTS),
        help: "takes accepted events",
    },
    Key {
        path: "kafka.rejected_topic",
        form: Form::Topic,
        default: Default::Value(footfall_protocol::topic::REJECTED),
        help: "takes rejected events, byte for byte as they were sent",
    },
    Key {
        path: "kafka.queue",
        form: Form::Size,
        default: Default::Value("64MiB"),
        help: "the most bytes that wait for Kafka in memory; when it and the spill are full, requests are answered 503",
    },
    Key {
        path: "spill.dir",
        form: Form::Path,
        default: Default::Absent,
        help: "a folder of its own where events wait on disk while Kafka is slow, full or away; left out, there is none",
    },
    Key {
        path: "spill.max_bytes",
        form: Form::Size,
        default: Default::Value("1GiB"),
        help: "the most bytes in that folder",
    },
    Key {
        path: "spill.sync_interval",
        form: Form::Duration,
        default: Default::Value("200ms"),
        help: "how often what was written there is made safe against a loss of power",
    },
    Key {
        path: "hot_key.rate",
        form: Form::Integer {
            min: 1,
            max: 1_000_000,
        },
        default: Default::Value("1000"),
        help: "events per second; the events of a visitor with more are spread over partitions and marked `footfall-resharded: 1`",
    },
    Key {
        path: "hot_key.burst",
        form: Form::Integer {
            min: 1,
            max: 100_000_000,
        },
        default: Default::Value("10000"),
        help: "how many events beyond that a visitor may have at a time before they are spread",
    },
    Key {
        path: "topics.create",
        form: Form::Boolean,
        default: Default::Value("false"),
        help: "make both topics at start where they are missing, and do not start when that fails",
    },
    Key {
        path: "limits.body",
        form: Form::Size,
        default: Default::Value("1MiB"),
        help: "the longest body of a request, as sent",
    },
    Key {
        path: "limits.decompressed",
        form: Form::Size,
        default: Default::Value("8MiB"),
        help: "the longest body once it is decompressed",
    },
    Key {
        path: "limits.bodies",
        form: Form::Size,
        default: Default::Value("64MiB"),
        help: "the most memory that all bodies may take together; beyond it requests are answered 503",
    },
    Key {
        path: "limits.event",
        form: Form::Size,
        default: Default::Value("64KiB"),
        help: "the longest event as sent; longer ones are rejected",
    },
    Key {
        path: "limits.context",
        form: Form::Size,
        default: Default::Value("16KiB"),
        help: "the longest `context` of a batch as sent; it goes into every record, and a batch with a longer one is refused",
    },
    Key {
        path: "limits.headers",
        form: Form::Size,
        default: Default::Value("16KiB"),
        help: "the longest head of a request: its first line and all its headers",
    },
    Key {
        path: "limits.connections",
        form: Form::Integer {
            min: 1,
            max: 1_000_000,
        },
        default: Default::Value("20000"),
        help: "the most connections at a time; further ones are answered 503 and closed",
    },
    Key {
        path: "limits.header_timeout",
        form: Form::Duration,
        default: Default::Value("5s"),
        help: "how long the head of a request may take from its first byte, and a TLS handshake",
    },
    Key {
        path: "limits.body_timeout",
        form: Form::Duration,
        default: Default::Value("10s"),
        help: "how long a body may take",
    },
    Key {
        path: "limits.idle_timeout",
        form: Form::Duration,
        default: Default::Value("75s"),
        help: "how long a connection may wait for its next request, and an answer for its reader; longer than load balancers keep theirs",
    },
    Key {
        path: "drain.delay",
        form: Form::Duration,
        default: Default::Value("5s"),
        help: "how long requests are still taken after SIGTERM, with /readyz at 503, so that load balancers notice",
    },
    Key {
        path: "drain.timeout",
        form: Form::Duration,
        default: Default::Value("30s"),
        help: "how long requests under way and unsent events may take after that",
    },
    Key {
        path: "privacy.policy",
        form: Form::Choice(&["drop", "anonymise"]),
        default: Default::Value("drop"),
        help: "what happens to events of visitors who send Sec-GPC or DNT, or denied consent, and have not granted it",
    },
    Key {
        path: "privacy.purposes",
        form: Form::List,
        default: Default::Absent,
        help: "what events are for, as `/privacy` and `/.well-known/footfall.json` tell it",
    },
    Key {
        path: "privacy.retention",
        form: Form::Duration,
        default: Default::Absent,
        help: "how long events are kept, as the same pages tell it; Kafka's own retention is not changed",
    },
    Key {
        path: "ip",
        form: Form::Choice(&["truncated", "full", "none"]),
        default: Default::Value("truncated"),
        help: "how visitors' addresses are kept: IPv4 to /24 and IPv6 to /48, whole, or not at all",
    },
    Key {
        path: "trusted_proxies",
        form: Form::List,
        default: Default::Absent,
        help: "addresses or networks (CIDR) whose word on a visitor's address counts; left out, nobody's",
    },
    Key {
        path: "forwarded_header",
        form: Form::Choice(&["x-forwarded-for", "forwarded"]),
        default: Default::Value("x-forwarded-for"),
        help: "the one header in which trusted proxies name the visitor's address",
    },
    Key {
        path: "proxy_protocol",
        form: Form::Boolean,
        default: Default::Value("false"),
        help: "every connection begins with a header of the PROXY protocol, v1 or v2, and comes from `trusted_proxies`",
    },
    Key {
        path: "server_timing",
        form: Form::Boolean,
        default: Default::Value("false"),
        help: "answers say in `Server-Timing` how long what took",
    },
    Key {
        path: "otlp.endpoint",
        form: Form::Text,
        default: Default::Absent,
        help: "a collector that takes spans of requests by OTLP over HTTP, such as `http://127.0.0.1:4318`; left out, there are none",
    },
    Key {
        path: "otlp.sample",
        form: Form::Share,
        default: Default::Value("0.01"),
        help: "the share of requests with a span, from 0 to 1; a request with a `traceparent` goes by what that says",
    },
    Key {
        path: "tls.certificate",
        form: Form::Path,
        default: Default::Absent,
        help: "the certificate chain (PEM) with which the gateway speaks TLS itself; left out, it does not",
    },
    Key {
        path: "tls.key",
        form: Form::Path,
        default: Default::Absent,
        help: "the certificate's private key (PEM)",
    },
    Key {
        path: "sdk.dir",
        form: Form::Path,
        default: Default::Absent,
        help: "a folder with the SDK's files, to be served at /sdk/; left out, they are not",
    },
    Key {
        path: "sites",
        form: Form::Tables(SITE),
        default: Default::Absent,
        help: "who may send; without any site every well-formed write key is taken, with a warning",
    },
];

const SITE: &[Key] = &[
    Key {
        path: "write_key",
        form: Form::Text,
        default: Default::Required,
        help: "1 to 64 of `A-Z a-z 0-9 - _`; it is public, like the page it stands in",
    },
    Key {
        path: "origins",
        form: Form::List,
        default: Default::Absent,
        help: "origins that may send, such as `https://shop.example`; left out, all; requests without an origin always may",
    },
    Key {
        path: "rate",
        form: Form::Integer {
            min: 1,
            max: 100_000_000,
        },
        default: Default::Absent,
        help: "the most events per second; beyond it requests are answered 429; left out, as many as there are",
    },
    Key {
        path: "burst",
        form: Form::Integer {
            min: 500,
            max: 100_000_000,
        },
        default: Default::Absent,
        help: "the most events at once; left out, twice the rate, and never less than a whole batch of 500",
    },
];
