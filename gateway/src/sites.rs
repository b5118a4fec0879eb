//! Who may send, and how much.

mod rate;
#[cfg(test)]
mod tests;

pub use rate::{Rate, TooFast};

use footfall_protocol::WriteKey;
use std::collections::{HashMap, HashSet};

/// The configured sites. Without any, every well-formed write key may send from everywhere.
#[derive(Clone, Debug, Default)]
pub struct Sites(HashMap<WriteKey<'static>, Site>);

/// One site.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// `None`: all.
    origins: Option<HashSet<String>>,
    /// `None`: as much as it likes.
    rate: Option<Rate>,
}

/// Why a sender is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No site has this write key.
    #[error(
        "no site has this write key; check `write_key` in the page against `[[sites]]` of the gateway"
    )]
    UnknownWriteKey,
    /// The site does not take events from pages of this origin.
    #[error("this site takes no events from this origin; add it to the site's `origins`")]
    OriginNotAllowed,
    /// The site has sent more than its rate.
    #[error(transparent)]
    TooFast(#[from] TooFast),
}

impl Site {
    /// A site that takes events from pages of these origins, in any case; of all origins with `*` or `None`.
    #[must_use]
    pub fn new(origins: Option<Vec<String>>) -> Self {
        let origins = origins.filter(|origins| !origins.iter().any(|origin| origin == "*"));
        let lower = |origins: Vec<String>| {
            let origins = origins.into_iter();
            origins.map(|origin| origin.to_ascii_lowercase()).collect()
        };
        Self {
            origins: origins.map(lower),
            rate: None,
        }
    }

    /// The same with a rate.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    fn takes_from(&self, origin: &str) -> bool {
        self.origins
            .as_ref()
            .is_none_or(|origins| origins.contains(&origin.to_ascii_lowercase()))
    }
}

impl Sites {
    /// Sites by their write keys.
    #[must_use]
    pub fn new(sites: HashMap<WriteKey<'static>, Site>) -> Self {
        Self(sites)
    }

    /// Whether none is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether so many events with this key may come from this origin now; if so, they count against the site's rate.
    /// Requests without an origin, as servers send them, may.
    ///
    /// # Errors
    /// Says what is wrong; then nothing counts.
    pub fn check(
        &self,
        write_key: &str,
        origin: Option<&str>,
        events: usize,
    ) -> Result<(), Denied> {
        if self.is_empty() {
            return Ok(());
        }
        let site = self.0.get(write_key).ok_or(Denied::UnknownWriteKey)?;
        if !origin.is_none_or(|origin| site.takes_from(origin)) {
            return Err(Denied::OriginNotAllowed);
        }
        match &site.rate {
            Some(rate) => Ok(rate.take(events)?),
            None => Ok(()),
        }
    }

    /// Goes on counting where other sites have got to, for those whose rate has stayed the same.
    pub fn carry_on(&mut self, others: &Self) {
        for (write_key, site) in &mut self.0 {
            let other = others.0.get(write_key).and_then(|other| other.rate.clone());
            if let (Some(rate), Some(other)) = (&mut site.rate, other)
                && rate.is_same_as(&other)
            {
                *rate = other;
            }
        }
    }
}
