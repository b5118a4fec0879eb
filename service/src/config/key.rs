use super::Form;

/// One configuration key: where it stands in the file, what form its value has, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted path, e.g. `spill.max_bytes`.
    pub path: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// What holds when it is left out.
    pub default: Default,
    /// Its effect, in one line, for `--help` and the documentation.
    pub help: &'static str,
}

/// What holds when a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// This text, read as if it stood in the environment.
    Value(&'static str),
    /// Nothing: the program does without.
    Absent,
    /// The program does not start without it.
    Required,
}

/// The keys that every binary has.
pub const COMMON: &[Key] = &[
    Key {
        path: "admin",
        form: Form::Address,
        default: Default::Absent,
        help: "a second listener for /metrics, /livez and /readyz; left out, /metrics is on the main one",
    },
    Key {
        path: "kafka.brokers",
        form: Form::Brokers,
        default: Default::Required,
        help: "Kafka's bootstrap servers",
    },
    Key {
        path: "kafka.properties",
        form: Form::Properties,
        default: Default::Absent,
        help: "librdkafka properties for all clients",
    },
    Key {
        path: "kafka.consumer",
        form: Form::Properties,
        default: Default::Absent,
        help: "librdkafka properties for consumers; they override kafka.properties",
    },
    Key {
        path: "kafka.producer",
        form: Form::Properties,
        default: Default::Absent,
        help: "librdkafka properties for producers; they override kafka.properties",
    },
    Key {
        path: "topics.partitions",
        form: Form::Integer {
            min: 1,
            max: 10_000,
        },
        default: Default::Absent,
        help: "partitions of a topic that is created and has no source topic; left out, the broker's default",
    },
    Key {
        path: "topics.retention",
        form: Form::Duration,
        default: Default::Absent,
        help: "retention of the topics that are created; left out, their records are kept",
    },
    Key {
        path: "log.level",
        form: Form::Text,
        default: Default::Value("info"),
        help: "what is logged: a level, or per module as in `info,rdkafka=warn`",
    },
    Key {
        path: "log.format",
        form: Form::Choice(&["human", "json"]),
        default: Default::Value("human"),
        help: "how log lines are written to stderr",
    },
];

/// The environment variable of a key: `FOOTFALL_SPILL_MAX_BYTES` for `spill.max_bytes`.
#[must_use]
pub fn environment_name(path: &str) -> String {
    format!("FOOTFALL_{}", path.replace('.', "_").to_ascii_uppercase())
}

/// The flag of a key without its dashes: `spill-max-bytes` for `spill.max_bytes`.
#[must_use]
pub fn flag_name(path: &str) -> String {
    path.replace(['.', '_'], "-")
}
