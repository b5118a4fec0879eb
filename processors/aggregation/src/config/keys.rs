use footfall_service::config::{Argument, Command, Default, Form, Key, Program};

/// The binary, with every key it knows.
pub const PROGRAM: Program = Program {
    name: "footfall-aggregation",
    version: env!("CARGO_PKG_VERSION"),
    about: "Counts the event log in windows, as aggregation.toml declares them",
    keys: KEYS,
    commands: &[Command {
        name: "plan",
        help: "print what the streams do, as text and as a Mermaid chart, and which topics they need",
        arguments: &[Argument {
            name: crate::plan::TS,
            placeholder: "MS",
            help: "print the windows of this instant, too: milliseconds since the Unix epoch, or RFC 3339",
        }],
    }],
};

const KEYS: &[Key] = &[
    Key {
        path: "listen",
        form: Form::Address,
        default: Default::Value("127.0.0.1:8081"),
        help: "address of the HTTP interface",
    },
    Key {
        path: "advertise",
        form: Form::Text,
        default: Default::Absent,
        help: "http://HOST:PORT at which other processes of the group ask this one; left out: `listen`, or its address towards Kafka",
    },
    Key {
        path: "group",
        form: Form::Text,
        default: Default::Value("footfall-aggregation"),
        help: "the consumer group, and the beginning of internal topics' names",
    },
    Key {
        path: "delivery",
        form: Form::Choice(&["at_least_once", "exactly_once"]),
        default: Default::Value("exactly_once"),
        help: "what a crash may do: with at_least_once, a commit interval's records may count twice",
    },
    Key {
        path: "state_dir",
        form: Form::Path,
        default: Default::Absent,
        help: "folder for what this process keeps over a restart, state too; no other process may use it",
    },
    Key {
        path: "standby",
        form: Form::Boolean,
        default: Default::Value("false"),
        help: "keep the state of the group's other processes in state_dir too, to take over sooner",
    },
    Key {
        path: "workers",
        form: Form::Integer { min: 1, max: 256 },
        default: Default::Value("1"),
        help: "threads that share the partitions of this process; each is a member of the group",
    },
    Key {
        path: "commit_interval",
        form: Form::Duration,
        default: Default::Value("100ms"),
        help: "how long results gather before they are written and offsets committed",
    },
    Key {
        path: "topics.create",
        form: Form::Boolean,
        default: Default::Value("true"),
        help: "make outputs and internal topics that are missing",
    },
    Key {
        path: "shared_topics",
        form: Form::List,
        default: Default::Absent,
        help: "topics that several streams may write, or one for several purposes; others are refused",
    },
    Key {
        path: "circular_topics",
        form: Form::List,
        default: Default::Absent,
        help: "topics that may lead back to themselves; circles through no such topic are refused",
    },
    Key {
        path: "origins",
        form: Form::List,
        default: Default::Absent,
        help: "origins whose pages may read the HTTP interface; `*` is all",
    },
    Key {
        path: "tail",
        form: Form::Boolean,
        default: Default::Value("false"),
        help: "show the sources' records, which are visitors' data, at /v1/streams/NAME/tail",
    },
    Key {
        path: "tables",
        form: Form::Named(TABLE),
        default: Default::Absent,
        help: "topics whose newest value of each key is a row to be joined, each with a name",
    },
    Key {
        path: "streams",
        form: Form::Named(STREAM),
        default: Default::Absent,
        help: "the streams, each with a name",
    },
    Key {
        path: "routes",
        form: Form::Named(ROUTE),
        default: Default::Absent,
        help: "the routes, each with a name: streams without windows",
    },
];

const TABLE: &[Key] = &[
    Key {
        path: "from",
        form: Form::Topic,
        default: Default::Required,
        help: "the topic, a compacted one; every process reads it as a whole",
    },
    Key {
        path: "max_bytes",
        form: Form::Size,
        default: Default::Value("64MiB"),
        help: "what its rows may need in memory: keys, values, and 128 bytes for each",
    },
];

const JOIN: &[Key] = &[
    Key {
        path: "table",
        form: Form::Text,
        default: Default::Required,
        help: "the name of a table",
    },
    Key {
        path: "by",
        form: Form::Text,
        default: Default::Absent,
        help: "JSON pointer to the row's key; left out: the record's own key",
    },
    Key {
        path: "as",
        form: Form::Text,
        default: Default::Required,
        help: "JSON pointer to where the row is put",
    },
    Key {
        path: "missing",
        form: Form::Choice(&["keep", "skip", "dlq"]),
        default: Default::Value("keep"),
        help: "what becomes of a record without a row: it stays without, is left out, or goes to the dlq",
    },
];

const JOINS: Key = Key {
    path: "join",
    form: Form::Tables(JOIN),
    default: Default::Absent,
    help: "rows of tables that are put into the record before anything else looks at it",
};

const ROUTE: &[Key] = &[
    Key {
        path: "from",
        form: Form::List,
        default: Default::Required,
        help: "the topics it reads",
    },
    Key {
        path: "where",
        form: Form::Text,
        default: Default::Absent,
        help: "CEL; which records it takes; left out: every one",
    },
    Key {
        path: "deletions",
        form: Form::Choice(&["pass", "skip"]),
        default: Default::Value("pass"),
        help: "whether records without a value, which delete, go wherever their rows may be, or nowhere",
    },
    JOINS,
    Key {
        path: "keep",
        form: Form::List,
        default: Default::Absent,
        help: "JSON pointers to all that stays of a value; left out: all",
    },
    Key {
        path: "drop",
        form: Form::List,
        default: Default::Absent,
        help: "JSON pointers to what goes",
    },
    Key {
        path: "rename",
        form: Form::Properties,
        default: Default::Absent,
        help: "\"/from\" = \"/to\": what is moved",
    },
    Key {
        path: "set",
        form: Form::Properties,
        default: Default::Absent,
        help: "\"/pointer\" = CEL: what is added or replaced",
    },
    Key {
        path: "key",
        form: Form::Text,
        default: Default::Absent,
        help: "JSON pointer to the new key; left out: the record's own",
    },
    Key {
        path: "split",
        form: Form::Tables(SPLIT),
        default: Default::Absent,
        help: "topics for some of the records; the first whose condition holds",
    },
    Key {
        path: "to",
        form: Form::Topic,
        default: Default::Absent,
        help: "the topic of all others; left out: they go nowhere",
    },
    Key {
        path: "dlq",
        form: Form::Topic,
        default: Default::Absent,
        help: "where records go that cannot be used; `none` only counts them; left out: FROM.dlq",
    },
];

const SPLIT: &[Key] = &[
    Key {
        path: "where",
        form: Form::Text,
        default: Default::Required,
        help: "CEL; which records go there",
    },
    Key {
        path: "to",
        form: Form::Topic,
        default: Default::Required,
        help: "the topic",
    },
];

const STREAM: &[Key] = &[
    Key {
        path: "from",
        form: Form::Topic,
        default: Default::Required,
        help: "the topic it reads",
    },
    Key {
        path: "start",
        form: Form::Choice(&["earliest", "latest"]),
        default: Default::Value("earliest"),
        help: "where it begins to read when it, or its version, is new",
    },
    Key {
        path: "version",
        form: Form::Integer {
            min: 1,
            max: 999_999,
        },
        default: Default::Value("1"),
        help: "another one begins anew, with an empty state; a changed definition needs it",
    },
    Key {
        path: "where",
        form: Form::Text,
        default: Default::Absent,
        help: "CEL; which records count; left out: every one",
    },
    JOINS,
    Key {
        path: "key",
        form: Form::Text,
        default: Default::Absent,
        help: "JSON pointer to what records are grouped by; left out: the record's own key",
    },
    Key {
        path: "time",
        form: Form::Text,
        default: Default::Value("record"),
        help: "`record` for the record's timestamp, or a JSON pointer to milliseconds or RFC 3339",
    },
    Key {
        path: "null_values",
        form: Form::Choice(&["count", "skip"]),
        default: Default::Value("count"),
        help: "whether records without a value count",
    },
    Key {
        path: "dedupe.by",
        form: Form::Text,
        default: Default::Absent,
        help: "JSON pointer to what duplicates are known by",
    },
    Key {
        path: "dedupe.within",
        form: Form::Duration,
        default: Default::Absent,
        help: "how long, by event time, a record with the same value is a duplicate",
    },
    Key {
        path: "window.size",
        form: Form::Duration,
        default: Default::Absent,
        help: "how long a window is; left out: as the calendar has it",
    },
    Key {
        path: "window.advance",
        form: Form::Duration,
        default: Default::Absent,
        help: "how often one begins; left out: when the one before ends",
    },
    Key {
        path: "window.offset",
        form: Form::Duration,
        default: Default::Absent,
        help: "how long after the multiples of the advance windows begin",
    },
    Key {
        path: "window.calendar",
        form: Form::Choice(&["day", "week", "month"]),
        default: Default::Absent,
        help: "instead of a size: windows are the days, weeks or months of a time zone",
    },
    Key {
        path: "window.time_zone",
        form: Form::Text,
        default: Default::Absent,
        help: "the calendar's time zone, by its IANA name; left out: UTC",
    },
    Key {
        path: "window.gap",
        form: Form::Duration,
        default: Default::Absent,
        help: "instead of a size: windows are sessions that end when a key was silent for longer",
    },
    Key {
        path: "window.grace",
        form: Form::Duration,
        default: Default::Required,
        help: "how long after its end a window takes records",
    },
    Key {
        path: "aggregate",
        form: Form::Properties,
        default: Default::Absent,
        help: "NAME = \"FUNCTION(/pointer)\": count, sum, min, max, mean, distinct, quantile, quantiles, first, last, top; left out: count",
    },
    Key {
        path: "emit",
        form: Form::Choice(&["updates", "final", "both"]),
        default: Default::Value("updates"),
        help: "a result at each commit that changed it, one when its window closes, or both",
    },
    Key {
        path: "idle_timeout",
        form: Form::Duration,
        default: Default::Absent,
        help: "how long no record may come before the wall clock closes windows; left out: never",
    },
    Key {
        path: "max_ahead",
        form: Form::Text,
        default: Default::Value("1h"),
        help: "how far ahead of the wall clock a record's time may be; one further ahead is set aside as late; `none`: any time",
    },
    Key {
        path: "to",
        form: Form::Topic,
        default: Default::Required,
        help: "the topic of the results",
    },
    Key {
        path: "late",
        form: Form::Topic,
        default: Default::Absent,
        help: "where records go that come too late; `none` only counts them; left out: TO.late",
    },
    Key {
        path: "dlq",
        form: Form::Topic,
        default: Default::Absent,
        help: "where records go that cannot be used; `none` only counts them; left out: FROM.dlq",
    },
    Key {
        path: "codec",
        form: Form::Choice(&["json", "streams"]),
        default: Default::Value("json"),
        help: "how results are written: as JSON, or as Kafka Streams writes a windowed key and a long",
    },
];
