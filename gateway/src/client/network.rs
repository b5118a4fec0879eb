use ipnet::IpNet;
use std::net::IpAddr;

/// A network of addresses; a single address is one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Reads `10.0.0.0/8` or `10.1.2.3`; `None` when the text is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let single = |text: &str| text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| single(text)).ok().map(Self)
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}
