//! Kafka that cannot be reached, told as what it is.

use footfall_tests::{
    aggregation::Aggregation, client, kafka::Kafka, port, program::Program, wait,
};

fn config(section: &str, properties: &[(&str, &str)]) -> String {
    let lines = properties
        .iter()
        .map(|(name, value)| format!("'{name}' = '{value}'\n"));
    let lines: String = lines.collect();
    format!(
        "[kafka.{section}]\n{lines}[streams.keys]\nfrom = 'source'\nto = 'out'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    )
}

#[tokio::test]
async fn passwords_authorities_hosts_and_protocols_that_are_wrong_are_told_as_what_they_are() {
    let kafka = Kafka::start_secure().await;
    kafka.create_topic("source", 1).await;
    let certificate = kafka.certificate().display().to_string();
    let secure = kafka.secure.clone().unwrap();
    let plain = kafka.brokers.clone();
    let protocol = ("security.protocol", "SASL_SSL");
    let authority = ("ssl.ca.location", certificate.as_str());
    let user = [
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "footfall"),
    ];
    let (right, wrong) = (("sasl.password", "secret"), ("sasl.password", "wrong"));
    let all = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        let own = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        own.collect()
    };
    let cases = [
        (
            "properties",
            &secure,
            all(&[protocol, authority, user[0], user[1], wrong]),
            "check `sasl.mechanism`",
        ),
        (
            "properties",
            &secure,
            all(&[protocol, user[0], user[1], right]),
            "certificate verify failed",
        ),
        ("properties", &secure, all(&[]), "security.protocol"),
        (
            "properties",
            &plain,
            all(&[protocol, authority, user[0], user[1], right]),
            "PLAINTEXT",
        ),
        // Only its producers have another user.
        (
            "producer",
            &plain,
            all(&[
                ("security.protocol", "SASL_PLAINTEXT"),
                user[0],
                user[1],
                wrong,
            ]),
            "SASL",
        ),
    ];
    let nowhere = "no-such-host.invalid:9092".to_owned();
    let host = (
        "properties",
        &nowhere,
        all(&[]),
        "check the host names in `kafka.brokers`",
    );
    let running: Vec<_> = cases
        .into_iter()
        .chain([host])
        .map(|(section, brokers, properties, expected)| {
            let properties: Vec<_> = properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let config = config(section, &properties);
            let group = Kafka::unique("group");
            (Aggregation::launch_at(brokers, &config, &group), expected)
        })
        .collect();
    for (aggregation, expected) in &running {
        let reason = aggregation.until_held_up(expected).await;
        assert!(!reason.contains("secret"), "{reason}");
        let ready = client::get(&format!("{}/readyz", aggregation.url))
            .await
            .unwrap();
        assert_eq!(ready.status, 503);
        wait::until("the log to say it", async || {
            let log = aggregation.program.stderr();
            log.contains(expected).then_some(()).ok_or(log)
        })
        .await;
    }
}

/// Waits until it is out of reach, and sees that it stays so without a further word.
async fn assert_steady(url: &str, stderr: impl Fn() -> String, expected: &str) {
    let url = format!("{url}/readyz");
    let first = wait::until(&format!("a reason with `{expected}`"), async || {
        let answer = client::get(&url).await?;
        let is_so = answer.body.contains(r#""kafka":"down""#) && answer.body.contains(expected);
        is_so.then_some(answer.clone()).ok_or(answer.body)
    })
    .await;
    let told = stderr().matches("kafka is out of reach").count();
    // Several looks, each of which must come to the same.
    for _ in 0..40 {
        let answer = client::get(&url).await.unwrap();
        let found = (answer.status, answer.body.contains(r#""kafka":"down""#));
        assert_eq!(found, (first.status, true), "{}", answer.body);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let log = stderr();
    assert!(
        log.matches("kafka is out of reach").count() <= told + 1,
        "{log}"
    );
    assert!(!log.contains("kafka is within reach"), "{log}");
}

#[tokio::test]
async fn a_broker_that_advertises_a_dead_address_is_out_of_reach_and_stays_so() {
    let mut kafka = Kafka::start().await;
    for topic in ["source", "events", "rejected"] {
        kafka.create_topic(topic, 1).await;
    }
    kafka.stop().await;
    let dead = port::free_address();
    kafka.start_again_advertising(&dead).await;
    let aggregation = Aggregation::launch(&kafka, &config("properties", &[]), "group");
    let listen = port::free_address();
    let flags = [
        ["--listen", &listen],
        ["--kafka-brokers", &kafka.brokers],
        ["--kafka-topic", "events"],
        ["--kafka-rejected-topic", "rejected"],
    ];
    let gateway = Program::start("footfall-gateway", flags.concat());
    let url = format!("http://{listen}");
    let expected = format!("at {dead}, does not answer");
    tokio::join!(
        assert_steady(&aggregation.url, || aggregation.program.stderr(), &expected),
        assert_steady(&url, || gateway.stderr(), &expected),
    );
}
