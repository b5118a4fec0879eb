//! What is counted where visitors meet the gateway.

use super::{Dropped, Metrics};
use footfall_protocol::batch::Batch;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// The site of a write key that no site has been configured for.
const NO_SITE: &str = "";

/// Handles to these metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    connections: Gauge,
    turned_away: Family<TurnedLabel, Counter>,
    anonymised: Counter,
    of_sites: Family<SiteLabel, Counter>,
    lost: Family<LostLabel, Counter>,
}

/// Why a connection was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// `limits.connections` were open.
    NoRoom,
    /// The PROXY protocol is spoken, and this was nobody of `trusted_proxies`.
    UntrustedProxy,
    /// It did not begin with a header of the PROXY protocol.
    NoProxyHeader,
    /// Both sides could not agree on TLS.
    TlsHandshake,
    /// It did not become clear which protocol is spoken.
    NoRequest,
}

/// What senders say they have lost before it could be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Lost {
    queue_full: Option<u64>,
    too_large: Option<u64>,
    rejected: Option<u64>,
    storage_lost: Option<u64>,
    expired: Option<u64>,
    trap: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnedLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SiteLabel {
    site: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LostLabel {
    site: String,
    reason: &'static str,
}

impl Turned {
    const ALL: [Self; 5] = [
        Self::NoRoom,
        Self::UntrustedProxy,
        Self::NoProxyHeader,
        Self::TlsHandshake,
        Self::NoRequest,
    ];

    const fn label(self) -> TurnedLabel {
        let reason = match self {
            Self::NoRoom => "no_room",
            Self::UntrustedProxy => "untrusted_proxy",
            Self::NoProxyHeader => "no_proxy_header",
            Self::TlsHandshake => "tls_handshake",
            Self::NoRequest => "no_request",
        };
        TurnedLabel { reason }
    }
}

impl Lost {
    fn counts(self) -> [(&'static str, u64); 6] {
        [
            ("queue_full", self.queue_full),
            ("too_large", self.too_large),
            ("rejected", self.rejected),
            ("storage_lost", self.storage_lost),
            ("expired", self.expired),
            ("trap", self.trap),
        ]
        .map(|(reason, count)| (reason, count.unwrap_or(0)))
    }
}

impl Edge {
    pub(super) fn register(&self, registry: &mut Registry) {
        for turned in Turned::ALL {
            self.turned_away.get_or_create_owned(&turned.label());
        }
        let Self {
            connections,
            turned_away,
            anonymised,
            of_sites,
            lost,
        } = self.clone();
        registry.register("connections", "Open connections", connections);
        registry.register(
            "connections_turned_away",
            "Connections that were not served, by reason",
            turned_away,
        );
        registry.register(
            "events_anonymised",
            "Events that were kept without visitor, session, user and address",
            anonymised,
        );
        registry.register(
            "site_events",
            "Events of requests that were taken, by configured site",
            of_sites,
        );
        registry.register(
            "sender_lost_events",
            "Events that senders have lost before sending, as they say, by configured site and reason",
            lost,
        );
    }
}

impl Metrics {
    /// So many connections more are open.
    pub fn connected(&self, more: i64) {
        self.edge.connections.inc_by(more);
    }

    /// A connection was not served.
    pub fn turned_away(&self, turned: Turned) {
        self.edge.turned_away.get_or_create(&turned.label()).inc();
    }

    /// Events were kept without who they are from.
    pub fn anonymised(&self, events: usize) {
        self.edge.anonymised.inc_by(events as u64);
    }

    /// A site's batch was taken. `is_configured`: only then its write key becomes a label.
    pub fn taken_of_site(&self, batch: &Batch<'_>, is_configured: bool) {
        if is_configured {
            let site = batch.write_key.to_string();
            let events = batch.events.len() as u64;
            let counter = self.edge.of_sites.get_or_create_owned(&SiteLabel { site });
            counter.inc_by(events);
        }
    }

    /// A sender says what it has lost.
    pub fn lost_by_sender(&self, batch: &Batch<'_>, is_configured: bool, lost: Lost) {
        let site = if is_configured {
            &*batch.write_key
        } else {
            NO_SITE
        };
        for (reason, count) in lost.counts().into_iter().filter(|(_, count)| *count > 0) {
            let site = site.to_owned();
            let label = LostLabel { site, reason };
            self.edge.lost.get_or_create_owned(&label).inc_by(count);
        }
    }

    /// How many events the privacy policy has dropped, and anonymised.
    #[must_use]
    pub fn privacy(&self) -> (u64, u64) {
        let dropped = self.dropped.get_or_create_owned(&Dropped::Privacy.label());
        (dropped.get(), self.edge.anonymised.get())
    }
}
