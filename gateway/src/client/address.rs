use super::Network;
use axum::http::HeaderMap;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How addresses are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressForm {
    /// The first 24 bits of IPv4, the first 48 of IPv6.
    Truncated,
    /// Whole.
    Full,
    /// Not at all.
    None,
}

impl AddressForm {
    /// The text that is kept, e.g. `203.0.113.0` or `2001:db8:1::`.
    #[must_use]
    pub fn of(self, address: IpAddr) -> Option<String> {
        match (self, address) {
            (Self::None, _) => None,
            (Self::Full, address) => Some(address.to_string()),
            (Self::Truncated, IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Some(Ipv4Addr::new(a, b, c, 0).to_string())
            }
            (Self::Truncated, IpAddr::V6(address)) => {
                let [a, b, c, ..] = address.segments();
                Some(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string())
            }
        }
    }
}

/// The header in which proxies name whom they forward for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`.
    XForwardedFor,
    /// RFC 7239's `Forwarded: for=client, for=proxy`.
    Forwarded,
}

/// The proxies whose word on a visitor's address counts.
#[derive(Clone, Debug)]
pub struct Proxies {
    trusted: Vec<Network>,
    header: ForwardedHeader,
}

impl Proxies {
    /// These networks, with this header.
    #[must_use]
    pub fn new(trusted: Vec<Network>, header: ForwardedHeader) -> Self {
        Self { trusted, header }
    }

    /// The visitor's address: the peer's, unless that is a trusted proxy. Then the header is read from the right, for
    /// everything left of the first untrusted hop may be made up: that hop; else, when all are trusted, the leftmost;
    /// and the hop to the right of one that cannot be read.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.is_trusted(client) {
            return client;
        }
        for hop in self.hops(headers).into_iter().rev() {
            let Some(hop) = hop else { return client };
            client = hop;
            if !self.is_trusted(hop) {
                return client;
            }
        }
        client
    }

    /// Whether a peer is one of them.
    #[must_use]
    pub fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// From the leftmost to the rightmost; `None` for one that cannot be read.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::XForwardedFor => ("x-forwarded-for", read_address),
            ForwardedHeader::Forwarded => ("forwarded", read_forwarded),
        };
        let mut hops = Vec::new();
        for value in headers.get_all(name) {
            match value.to_str() {
                Ok(text) => hops.extend(text.split(',').map(|hop| read(hop.trim()))),
                Err(_) => hops.push(None),
            }
        }
        hops
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn read_address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

/// The `for` of an element such as `for="[2001:db8::1]:80";proto=https`.
fn read_forwarded(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    let unquoted = node
        .strip_prefix('"')
        .and_then(|node| node.strip_suffix('"'));
    read_address(unquoted.unwrap_or(node))
}
