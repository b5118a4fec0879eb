use super::{Config, Limits, Raw, RawOtlp, RawSdk, RawSite, RawTls, kept::KEPT};
use crate::{
    client::{Network, Proxies},
    http::{privacy::Statement, sdk},
    kafka::client_config,
    otlp::Otlp,
    server::{
        self,
        tls::{self, Tls},
    },
    sites::{Rate, Site, Sites},
};
use footfall_protocol::{WriteKey, batch};
use footfall_service::{
    config::{Document, Problem, Problems},
    folder,
    http::check_listeners,
    kafka::{self, Client, Kind},
};
use std::{collections::HashMap, num::NonZeroU32, path::Path, sync::Arc};

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
        problems.extend(check_listeners(document, &raw.listen, raw.admin.as_deref()));
        problems.extend(kafka_problems(document, &raw));
        problems.extend(spill_problem(document, raw.spill.dir.as_deref()));
        let sites = read_sites(document, raw.sites, &mut problems);
        let tls = read_tls(document, &raw.tls, &mut problems);
        let otlp = read_otlp(document, &raw.otlp, &mut problems);
        let sdk = read_sdk(document, &raw.sdk, &mut problems);
        let server = server_options(
            &raw.limits,
            raw.proxy_protocol.then(|| proxies.clone()),
            tls,
        );
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
            privacy: Statement {
                policy: raw.privacy.policy,
                purposes: raw.privacy.purposes,
                retention: raw.privacy.retention,
            },
            ip: raw.ip,
            proxies,
            server,
            server_timing: raw.server_timing,
            otlp,
            sdk,
            sites,
            document: document.clone(),
        })
    }
}

fn server_options(
    limits: &Limits,
    proxy_protocol: Option<Proxies>,
    tls: Option<Tls>,
) -> server::Options {
    server::Options {
        connections: limits.connections,
        headers: limits.headers,
        header_timeout: limits.header_timeout,
        idle_timeout: limits.idle_timeout,
        proxy_protocol,
        tls,
    }
}

fn read_otlp(document: &Document, raw: &RawOtlp, problems: &mut Vec<Problem>) -> Option<Otlp> {
    let endpoint = raw.endpoint.as_deref()?;
    let otlp = Otlp::new(endpoint, raw.sample);
    if otlp.is_none() {
        let expected = "an address such as `http://127.0.0.1:4318`";
        problems.push(document.problem("otlp.endpoint", expected, quoted(endpoint)));
    }
    otlp
}

fn read_tls(document: &Document, raw: &RawTls, problems: &mut Vec<Problem>) -> Option<Tls> {
    let mut problem = |key, expected, found: String| {
        problems.push(document.problem(key, expected, found));
    };
    let (certificate, key) = match (&raw.certificate, &raw.key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            problem("tls.key", "the certificate's private key", "nothing".into());
            return None;
        }
        (None, Some(_)) => {
            problem("tls.certificate", "the key's certificate", "nothing".into());
            return None;
        }
    };
    let error = match Tls::load(certificate, key) {
        Ok(tls) => return Some(tls),
        Err(error) => error,
    };
    let found = |path: &std::path::Path| format!("{} ({error})", quoted(&path.to_string_lossy()));
    match error {
        tls::Error::Certificate(_) => {
            problem(
                "tls.certificate",
                "a PEM file with a certificate chain",
                found(certificate),
            );
        }
        tls::Error::Key(_) | tls::Error::Pair(_) => {
            problem(
                "tls.key",
                "a PEM file with the certificate's private key",
                found(key),
            );
        }
    }
    None
}

fn read_sdk(
    document: &Document,
    raw: &RawSdk,
    problems: &mut Vec<Problem>,
) -> Option<Arc<sdk::Files>> {
    match sdk::Files::read(raw.dir.as_ref()?) {
        Ok(files) => Some(Arc::new(files)),
        Err(error) => {
            let expected = "a folder with the SDK's files, as `cargo xtask sdk` makes it";
            problems.push(document.problem("sdk.dir", expected, error.to_string()));
            None
        }
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
                let mut added = Site::new(site.origins);
                if let Some(rate) = site.rate {
                    added = added.with_rate(Rate::new(rate, burst(rate, site.burst)));
                }
                if sites.insert(write_key.into_owned(), added).is_some() {
                    let expected = "a write key that no other site has";
                    problem("write_key", expected.into(), &site.write_key);
                }
            }
        }
    }
    Sites::new(sites)
}

/// Twice the rate where nothing else is said, and always room for a whole batch.
fn burst(rate: NonZeroU32, burst: Option<NonZeroU32>) -> NonZeroU32 {
    let batch = u32::try_from(batch::MAX_EVENTS).unwrap_or(u32::MAX);
    let twice = rate.get().saturating_mul(2).max(batch);
    burst.or(NonZeroU32::new(twice)).unwrap_or(rate)
}

/// A folder that cannot be written.
fn spill_problem(document: &Document, dir: Option<&Path>) -> Option<Problem> {
    let dir = dir?;
    let error = folder::check(dir).err()?;
    let found = format!("{} ({error})", quoted(&dir.display().to_string()));
    Some(document.problem("spill.dir", "a folder that can be written", found))
}

/// What is wrong with librdkafka's properties.
fn kafka_problems(document: &Document, raw: &Raw) -> Vec<Problem> {
    let clients = [
        client_config(&raw.kafka, raw.limits.body),
        raw.kafka.settings.admin(),
    ];
    let clients = clients.map(|config| Client {
        kind: Kind::Producer,
        config,
    });
    kafka::check(document, &raw.kafka.settings, KEPT, &clients)
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
