use super::*;
use proptest::prelude::*;

const STREAM: &[Key] = &[
    Key {
        path: "from",
        form: Form::Topic,
        default: Default::Required,
        help: "",
    },
    Key {
        path: "window.size",
        form: Form::Duration,
        default: Default::Required,
        help: "",
    },
    Key {
        path: "window.advance",
        form: Form::Duration,
        default: Default::Absent,
        help: "",
    },
    Key {
        path: "emit",
        form: Form::Choice(&["updates", "final"]),
        default: Default::Value("updates"),
        help: "",
    },
    Key {
        path: "aggregate",
        form: Form::Properties,
        default: Default::Absent,
        help: "",
    },
];

const PROGRAM: Program = Program {
    name: "footfall-sample",
    version: "0.0.0",
    about: "a sample",
    keys: &[
        Key {
            path: "listen",
            form: Form::Address,
            default: Default::Value("127.0.0.1:8080"),
            help: "",
        },
        Key {
            path: "limits.body",
            form: Form::Size,
            default: Default::Value("1MiB"),
            help: "",
        },
        Key {
            path: "drain.delay",
            form: Form::Duration,
            default: Default::Value("5s"),
            help: "",
        },
        Key {
            path: "trusted_proxies",
            form: Form::List,
            default: Default::Absent,
            help: "",
        },
        Key {
            path: "topics.create",
            form: Form::Boolean,
            default: Default::Value("false"),
            help: "",
        },
        Key {
            path: "streams",
            form: Form::Named(STREAM),
            default: Default::Absent,
            help: "",
        },
    ],
    commands: &[Command {
        name: "explain",
        help: "",
        arguments: &[Argument {
            name: "at",
            placeholder: "MS",
            help: "",
        }],
    }],
};

fn load_with(
    file: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Document, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.toml");
    std::fs::write(&path, file).unwrap();
    let mut all = vec![
        "footfall-sample".into(),
        "--config".into(),
        path.clone().into_os_string(),
    ];
    all.extend(arguments.iter().map(Into::into));
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    load(
        &PROGRAM,
        Inputs {
            arguments: all,
            environment,
        },
    )
    .map(|loaded| loaded.document)
    .map_err(|problems| {
        problems
            .to_string()
            .replace(&path.display().to_string(), "sample.toml")
    })
}

const BROKERS: &str = "kafka.brokers = 'localhost:9092'\n";

#[test]
fn a_flag_beats_the_environment_and_that_beats_the_file() {
    let file = format!("{BROKERS}[limits]\nbody = '1KiB'\n[drain]\ndelay = '1s'\n");
    let environment = [
        ("FOOTFALL_LIMITS_BODY", "2KiB"),
        ("FOOTFALL_DRAIN_DELAY", "2s"),
    ];
    let document = load_with(&file, &["--drain-delay", "3s"], &environment).unwrap();
    assert_eq!(document.values["limits"]["body"], 2048);
    assert_eq!(document.values["drain"]["delay"], 3000);
    assert_eq!(document.values["listen"], "127.0.0.1:8080");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
    let problem = load_with(&format!("{BROKERS}[limits]\nbdy = '1KiB'\n"), &[], &[]).unwrap_err();
    assert_eq!(
        problem,
        "sample.toml:3: limits.bdy: expected a known key (body), found an unknown one"
    );
}

#[test]
fn a_bad_duration_is_named_with_its_source_and_what_was_expected() {
    let expected =
        "drain.delay: expected a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`, found";
    let in_file = load_with(&format!("{BROKERS}\ndrain.delay = '5 s'"), &[], &[]).unwrap_err();
    assert_eq!(in_file, format!("sample.toml:3: {expected} `5 s`"));
    let number = load_with(&format!("{BROKERS}\ndrain.delay = 5"), &[], &[]).unwrap_err();
    assert_eq!(number, format!("sample.toml:3: {expected} `5`"));
    let in_environment = load_with(BROKERS, &[], &[("FOOTFALL_DRAIN_DELAY", "soon")]).unwrap_err();
    assert_eq!(
        in_environment,
        format!("environment variable FOOTFALL_DRAIN_DELAY: {expected} `soon`")
    );
    let in_flag = load_with(BROKERS, &["--drain-delay=-1s"], &[]).unwrap_err();
    assert_eq!(in_flag, format!("flag --drain-delay: {expected} `-1s`"));
}

#[test]
fn every_problem_is_told_at_once() {
    let problems = load_with("listen = 'nowhere'\ntrusted_proxies = [1]\n", &[], &[]).unwrap_err();
    assert_eq!(
        problems,
        "sample.toml:1: listen: expected `host:port`, with `0.0.0.0` or `[::]` as the host for all addresses, found `nowhere`\n\
         sample.toml:2: trusted_proxies: expected a list of texts, found an array\n\
         sample.toml: kafka.brokers: expected `host:port[,host:port]`, found nothing"
    );
    let in_table = load_with("\n[kafka]\n", &[], &[]).unwrap_err();
    assert_eq!(
        in_table,
        "sample.toml:2: kafka.brokers: expected `host:port[,host:port]`, found nothing"
    );
}

#[test]
fn an_address_is_a_host_and_a_port() {
    for right in [
        "0.0.0.0:0",
        "a-b.example:65535",
        "kafka_1:9092",
        "[::1]:80",
        "[::]:8080",
    ] {
        assert!(Form::Address.read_text(right).is_some(), "{right}");
    }
    for wrong in [
        "*:8080",
        ":8080",
        "8080",
        "a:",
        "a:+1",
        "a:65536",
        "::1:80",
        "[::1]",
        "[a]:80",
        "http://a:80",
        "a b:80",
        "a/b:80",
    ] {
        assert!(Form::Address.read_text(wrong).is_none(), "{wrong}");
        assert!(Form::Brokers.read_text(wrong).is_none(), "{wrong}");
    }
    assert!(Form::Brokers.read_text("a:9092, [::1]:9092").is_some());
    assert!(Form::Brokers.read_text("a:9092,b:0").is_none());
}

#[test]
fn broken_toml_is_named_with_its_line() {
    let problem = load_with(&format!("{BROKERS}listen = \n"), &[], &[]).unwrap_err();
    assert!(
        problem.starts_with("sample.toml:2: the file: expected valid TOML, found "),
        "{problem}"
    );
}

#[test]
fn a_named_table_has_its_own_defaults_and_required_keys() {
    let file = format!(
        "{BROKERS}[streams.a]\nfrom = 'x'\nwindow = {{ size = '5m' }}\naggregate = {{ count = 'count()' }}\n\
         [streams.b]\nfrom = 'no spaces'\n"
    );
    let problems = load_with(&file, &[], &[]).unwrap_err();
    assert_eq!(
        problems,
        "sample.toml:7: streams.b.from: expected a topic name that Kafka takes: 1 to 249 of `A-Z a-z 0-9 . _ -`, \
         and not `.` or `..`, found `no spaces`\n\
         sample.toml:6: streams.b.window.size: expected a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`, found nothing"
    );
    let good = load_with(&file[..file.find("[streams.b]").unwrap()], &[], &[]).unwrap();
    assert_eq!(good.values["streams"]["a"]["emit"], "updates");
    assert_eq!(good.values["streams"]["a"]["window"]["size"], 300_000);
    assert_eq!(
        good.problem("streams.a.window.size", "x", "y")
            .to_string()
            .rsplit_once("toml")
            .unwrap()
            .1,
        ":4: streams.a.window.size: expected x, found y"
    );
}

#[test]
fn kafka_properties_keep_their_dots_and_flags_override_them() {
    let file = format!("{BROKERS}[kafka.properties]\n'linger.ms' = 5\n'acks' = 'all'\n");
    let document = load_with(&file, &["--kafka-property", "linger.ms=10"], &[]).unwrap();
    assert_eq!(
        document.values["kafka"]["properties"],
        serde_json::json!({ "linger.ms": "10", "acks": "all" })
    );
}

#[test]
fn a_value_after_an_at_sign_is_read_from_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let property = format!("sasl.password=@{}", secret.display());
    let document = load_with(BROKERS, &["--kafka-property", &property], &[]).unwrap();
    assert_eq!(
        document.values["kafka"]["properties"]["sasl.password"],
        "hunter2"
    );
    let problem = load_with(
        BROKERS,
        &["--kafka-property", "sasl.password=@/nowhere"],
        &[],
    )
    .unwrap_err();
    assert!(
        problem.contains("expected a readable file after `@`, found `/nowhere`"),
        "{problem}"
    );
}

#[test]
fn an_unknown_variable_is_a_warning_and_create_topics_is_a_switch() {
    let environment = [("FOOTFALL_TYPO", "1"), ("FOOTFALL_LISTEN", "a:1")];
    let document = load_with(BROKERS, &["--create-topics"], &environment).unwrap();
    assert_eq!(document.values["topics"]["create"], true);
    let environment = environment.map(|(name, value)| (name.into(), value.into()));
    let inputs = Inputs {
        arguments: Vec::new(),
        environment: environment.into(),
    };
    assert_eq!(
        inputs.warnings(&PROGRAM),
        [
            "environment variable FOOTFALL_TYPO is not one that footfall-sample knows; it has no effect"
        ]
    );
}

#[test]
fn every_default_has_the_form_of_its_key() {
    for key in COMMON {
        if let Default::Value(text) = key.default {
            assert!(key.form.read_text(text).is_some(), "{}: {text}", key.path);
        }
    }
}

#[test]
fn a_share_is_a_number_from_0_to_1() {
    let share = |text| Form::Share.read_text(text);
    assert_eq!(share("0.25"), Some(0.25.into()));
    assert_eq!(
        (share("0"), share("1")),
        (Some(0.0.into()), Some(1.0.into()))
    );
    for text in ["1.01", "-0.1", "NaN", "inf", "half", ""] {
        assert_eq!(share(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_duration_survives_being_written(count in 0_u64..1_000_000, unit in 0_usize..5) {
        let (name, millis) = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)][unit];
        prop_assert_eq!(Form::Duration.read_text(&format!("{count}{name}")), Some((count * millis).into()));
    }

    #[test]
    fn no_text_makes_a_form_panic(text in ".*") {
        for form in [Form::Text, Form::Address, Form::Brokers, Form::Topic, Form::Duration, Form::Size, Form::List, Form::Share] {
            let _read = form.read_text(&text);
        }
    }
}

#[test]
fn a_command_has_flags_of_its_own_and_takes_those_of_the_program_on_either_side() {
    let brokers = ["--kafka-brokers", "kafka:9092"];
    for (before, after) in [(&brokers[..], &[][..]), (&[], &brokers)] {
        let words = [
            &["footfall-sample"],
            before,
            &["explain", "--at", "-21"],
            after,
        ]
        .concat();
        let inputs = Inputs {
            arguments: words.iter().map(Into::into).collect(),
            environment: Vec::new(),
        };
        let loaded = load(&PROGRAM, inputs).unwrap();
        assert_eq!(loaded.document.values["kafka"]["brokers"], "kafka:9092");
        let command = loaded.command.unwrap();
        assert_eq!((command.name, &*command.values["at"]), ("explain", "-21"));
    }
}
