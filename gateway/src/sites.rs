//! Who may send.

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
        }
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

    /// Whether events with this key may come from this origin. Requests without an origin, as servers send them, may.
    ///
    /// # Errors
    /// Says which of the two is wrong.
    pub fn check(&self, write_key: &str, origin: Option<&str>) -> Result<(), Denied> {
        if self.is_empty() {
            return Ok(());
        }
        let site = self.0.get(write_key).ok_or(Denied::UnknownWriteKey)?;
        if origin.is_none_or(|origin| site.takes_from(origin)) {
            Ok(())
        } else {
            Err(Denied::OriginNotAllowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(origins: Option<&[&str]>) -> Sites {
        let origins = origins.map(|origins| origins.iter().map(ToString::to_string).collect());
        let write_key = WriteKey::new("shop").unwrap();
        Sites::new(HashMap::from([(write_key, Site::new(origins))]))
    }

    #[test]
    fn without_sites_every_key_may_send_from_everywhere() {
        assert_eq!(Sites::default().check("any", Some("null")), Ok(()));
    }

    #[test]
    fn a_key_of_no_site_is_unknown() {
        let denied = sites(None).check("other", None);
        assert_eq!(denied, Err(Denied::UnknownWriteKey));
    }

    #[test]
    fn an_origin_must_be_listed_and_its_case_does_not_matter() {
        let sites = sites(Some(&["https://Shop.example"]));
        assert_eq!(sites.check("shop", Some("https://shop.example")), Ok(()));
        assert_eq!(sites.check("shop", None), Ok(()));
        for other in ["https://shop.example:8443", "http://shop.example", "null"] {
            let denied = sites.check("shop", Some(other));
            assert_eq!(denied, Err(Denied::OriginNotAllowed), "{other}");
        }
    }

    #[test]
    fn a_star_or_no_list_takes_all_origins_and_an_empty_list_none() {
        assert_eq!(sites(Some(&["*"])).check("shop", Some("null")), Ok(()));
        assert_eq!(sites(None).check("shop", Some("https://x.example")), Ok(()));
        let denied = sites(Some(&[])).check("shop", Some("https://x.example"));
        assert_eq!(denied, Err(Denied::OriginNotAllowed));
    }
}
