use super::{Config, Raw, RawSite};
use crate::{
    client::{Network, Proxies},
    sites::{Site, Sites},
    spill,
};
use footfall_protocol::WriteKey;
use footfall_service::{
    config::{Document, Problem, Problems},
    kafka::Settings,
};
use rdkafka::error::KafkaError;
use std::{collections::HashMap, path::Path};

const PROPERTY: &str = "a property that librdkafka takes";

impl Config {
    /// Turns the checked document into the gateway's configuration.
    ///
    /// # Errors
    /// Networks, write keys and origins that are none, and a site that is there twice.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut raw: Raw = document.read()?;
        raw.kafka.hot_key = raw.hot_key;
        let mut problems = Vec::new();
        let networks = raw.trusted_proxies.iter().filter_map(|text| {
            let network = Network::parse(text);
            if network.is_none() {
                let expected = "addresses or networks such as `10.0.0.0/8`";
                problems.push(document.problem("trusted_proxies", expected, quoted(text)));
            }
            network
        });
        let proxies = Proxies::new(networks.collect(), raw.forwarded_header);
        problems.extend(kafka_problem(document, &raw.kafka.settings));
        problems.extend(spill_problem(document, raw.spill.dir.as_deref()));
        let sites = read_sites(document, raw.sites, &mut problems);
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(Self {
            listen: raw.listen,
            admin: raw.admin,
            ack: raw.ack,
            ack_timeout: raw.ack_timeout,
            kafka: raw.kafka,
            spill: raw.spill,
            topics: raw.topics,
            limits: raw.limits,
            drain: raw.drain,
            privacy: raw.privacy.policy,
            ip: raw.ip,
            proxies,
            sites,
        })
    }
}

fn read_sites(document: &Document, raw: Vec<RawSite>, problems: &mut Vec<Problem>) -> Sites {
    let mut sites = HashMap::new();
    for (index, site) in raw.into_iter().enumerate() {
        let mut problem = |key: &str, expected: String, found: &str| {
            let key = format!("sites[{index}].{key}");
            problems.push(document.problem(&key, expected, quoted(found)));
        };
        for origin in site.origins.iter().flatten() {
            if !is_origin(origin) {
                let expected = "origins such as `https://shop.example`, `null` or `*`";
                problem("origins", expected.into(), origin);
            }
        }
        match WriteKey::new(site.write_key.as_str()) {
            Err(_) => problem("write_key", WriteKey::FORM.into(), &site.write_key),
            Ok(write_key) => {
                let added = Site::new(site.origins);
                if sites.insert(write_key.into_owned(), added).is_some() {
                    let expected = "a write key that no other site has";
                    problem("write_key", expected.into(), &site.write_key);
                }
            }
        }
    }
    Sites::new(sites)
}

/// A folder that cannot be written.
fn spill_problem(document: &Document, dir: Option<&Path>) -> Option<Problem> {
    let dir = dir?;
    let error = spill::check(dir).err()?;
    let found = format!("{} ({error})", quoted(&dir.display().to_string()));
    Some(document.problem("spill.dir", "a folder that can be written", found))
}

/// A property that librdkafka does not know, or a value that it does not take.
fn kafka_problem(document: &Document, settings: &Settings) -> Option<Problem> {
    let refused = settings.producer(&[]).create_native_config().err()?;
    let KafkaError::ClientConfig(_, description, name, value) = refused else {
        return Some(document.problem("kafka.properties", PROPERTY, refused.to_string()));
    };
    let table = if settings.producer.contains_key(&name) {
        "kafka.producer"
    } else {
        "kafka.properties"
    };
    let found = format!("{} ({description})", quoted(&value));
    Some(document.problem(&format!("{table}.{name}"), PROPERTY, found))
}

/// A scheme, a host and maybe a port, without a path, as browsers send it.
fn is_origin(text: &str) -> bool {
    let serialised = |(scheme, host): (&str, &str)| {
        !scheme.is_empty()
            && !host.is_empty()
            && !host.contains(|c: char| matches!(c, '/' | '?' | '#' | '@') || c.is_whitespace())
    };
    matches!(text, "*" | "null") || text.split_once("://").is_some_and(serialised)
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}
