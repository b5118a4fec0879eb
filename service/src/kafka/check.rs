//! Properties are tried before a program starts, on clients that are made as it will make them and connect to nobody.

#[cfg(test)]
mod tests;

use super::{
    Brief, Settings,
    names::{Kind, canonical, only_of},
};
use crate::config::{Document, Problem};
use rdkafka::{
    ClientConfig,
    config::{FromClientConfig as _, RDKafkaLogLevel},
    consumer::BaseConsumer,
    error::{KafkaError, KafkaResult},
    producer::BaseProducer,
};

/// A property that a program needs as it is.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Its canonical name: `bootstrap.servers`, not `metadata.broker.list`.
    pub name: &'static str,
    /// The values that it may be given all the same.
    pub values: &'static [&'static str],
    /// What would come of another one, and what to use instead.
    pub why: &'static str,
}

/// A client as a program makes it.
#[derive(Clone, Debug)]
pub struct Client {
    /// What it is.
    pub kind: Kind,
    /// Its configuration, the user's properties in it.
    pub config: ClientConfig,
}

/// What every program needs.
const KEPT_BY_ALL: &[Kept] = &[
    Kept {
        name: "bootstrap.servers",
        values: &[],
        why: "it is `kafka.brokers` here",
    },
    Kept {
        name: "partitioner",
        values: &["murmur2_random"],
        why: "with another one a key is not where clients on the JVM, and what was written before, have it",
    },
    Kept {
        name: "enable.gapless.guarantee",
        values: &["false"],
        why: "one record that Kafka refuses would stop the producer for good",
    },
    Kept {
        name: "delivery.report.only.error",
        values: &[],
        why: "what Kafka has acknowledged is known by its reports; the program asks for those that it needs",
    },
];

const TABLES: [&str; 3] = ["kafka.properties", "kafka.consumer", "kafka.producer"];

/// What is wrong with the properties: names that do not exist, values that are none, those that the program keeps, and
/// what cannot go together. `clients` are those that it makes.
#[must_use]
pub fn check(
    document: &Document,
    settings: &Settings,
    kept: &[Kept],
    clients: &[Client],
) -> Vec<Problem> {
    let tables = [&settings.properties, &settings.consumer, &settings.producer];
    let mut problems = Vec::new();
    for (table, properties) in TABLES.into_iter().zip(tables) {
        for (name, value) in properties {
            if let Err((expected, found)) = check_one(table, name, value, kept) {
                problems.push(document.problem(&format!("{table}.{name}"), expected, found));
            }
        }
    }
    // A client says only what it finds first.
    if problems.is_empty() {
        let refused = clients.iter().filter_map(|client| client.start().err());
        problems.extend(
            refused
                .map(|error| together(document, settings, &error))
                .next(),
        );
    }
    problems
}

/// What was expected of a property of a table, and what was found.
fn check_one(table: &str, name: &str, value: &str, kept: &[Kept]) -> Result<(), (String, String)> {
    let found = format!("`{}`", value.escape_debug());
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    if let Err(error) = alone.create_native_config() {
        let why = if let KafkaError::ClientConfig(_, description, ..) = error {
            description
        } else {
            error.to_string()
        };
        let expected = "a property that librdkafka takes".into();
        return Err((expected, format!("{found} ({why})")));
    }
    let name = canonical(name);
    let of = only_of(name);
    match (table, of) {
        ("kafka.consumer", Some(Kind::Producer)) => {
            return Err((
                "a property of consumers; this one belongs in `kafka.producer`".into(),
                found,
            ));
        }
        ("kafka.producer", Some(Kind::Consumer)) => {
            return Err((
                "a property of producers; this one belongs in `kafka.consumer`".into(),
                found,
            ));
        }
        _ => {}
    }
    let rule = KEPT_BY_ALL
        .iter()
        .chain(kept)
        .find(|rule| rule.name == name);
    match rule {
        Some(Kept { values, why, .. }) if !values.contains(&value) => {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            let expected = match &*values {
                [] => format!("nothing: {why}"),
                values => format!("{}, or nothing: {why}", values.join(", ")),
            };
            Err((expected, found))
        }
        _ => Ok(()),
    }
}

/// What shows only when a client is made, as its library says it.
fn together(document: &Document, settings: &Settings, error: &KafkaError) -> Problem {
    let said = if let KafkaError::ClientCreation(description) = error {
        description.clone()
    } else {
        error.to_string()
    };
    let tables = [&settings.producer, &settings.consumer, &settings.properties];
    let given = tables
        .into_iter()
        .zip(TABLES.into_iter().rev())
        .flat_map(|(properties, table)| {
            properties
                .iter()
                .map(move |(name, value)| (table, name, value))
        });
    // The one that is named, else the one whose value is.
    let is_named = |part: &str| part.len() > 2 && said.contains(part);
    let culprit = given.clone().find(|(_, name, _)| is_named(name));
    let culprit = culprit.or_else(|| given.clone().find(|(_, _, value)| is_named(value)));
    let expected = "properties that a Kafka client can be made with";
    match culprit {
        Some((table, name, value)) => {
            let found = format!("`{}` ({said})", value.escape_debug());
            document.problem(&format!("{table}.{name}"), expected, found)
        }
        None => document.problem("kafka.properties", expected, said),
    }
}

impl Client {
    /// Makes the client, and drops it.
    fn start(&self) -> KafkaResult<()> {
        let mut config = self.config.clone();
        // It shall connect to nobody, and what it would log is told as a problem.
        config.remove("bootstrap.servers").remove("debug");
        config.set_log_level(RDKafkaLogLevel::Emerg);
        match self.kind {
            Kind::Consumer => drop(Brief::new(BaseConsumer::from_config(&config)?)),
            Kind::Producer => drop(Brief::new(BaseProducer::from_config(&config)?)),
        }
        Ok(())
    }
}
