//! The site as it lies in its folder: catalogue, journal and page templates, checked once when the server starts.

use crate::{catalogue::Catalogue, journal::Journal, pages::Pages};
use anyhow::Context as _;
use axum::http::{HeaderValue, Uri};
use std::path::{Path, PathBuf};

/// Everything that the server shows.
#[derive(Debug)]
pub struct Site {
    pub(crate) catalogue: Catalogue,
    pub(crate) journal: Journal,
    pub(crate) pages: Pages,
    pub(crate) policy: HeaderValue,
    /// Pictures and the like, as they are in the repository.
    pub(crate) public: PathBuf,
    /// Bundled scripts, styles and fonts.
    pub(crate) bundles: PathBuf,
}

impl Site {
    /// Reads the site from its folder.
    ///
    /// # Errors
    /// When a file is missing or wrong.
    pub fn load(folder: &Path, addresses: Addresses) -> anyhow::Result<Self> {
        Ok(Self {
            catalogue: Catalogue::read(&folder.join("catalogue.toml"))?,
            journal: Journal::read(&folder.join("journal.toml"))?,
            policy: content_security_policy(&addresses)?,
            pages: Pages::read(&folder.join("templates"), addresses)?,
            public: folder.join("public"),
            bundles: folder.join("dist"),
        })
    }
}

/// Where the pages find the other programs, as base URLs without a slash at the end.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Addresses {
    /// Takes the events.
    pub(crate) gateway: String,
    /// Serves the streams.
    pub(crate) aggregation: String,
}

impl Addresses {
    /// Takes two base URLs.
    ///
    /// # Errors
    /// When one is not an `http` or `https` URL.
    pub fn new(gateway: &str, aggregation: &str) -> anyhow::Result<Self> {
        Ok(Self {
            gateway: base_url("--gateway", gateway)?,
            aggregation: base_url("--aggregation", aggregation)?,
        })
    }
}

fn base_url(flag: &str, text: &str) -> anyhow::Result<String> {
    let expected = || format!("{flag}: expected http://HOST:PORT or https://HOST, found `{text}`");
    let uri: Uri = text.parse().with_context(expected)?;
    anyhow::ensure!(
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.query().is_none()
            // So that it can stand in a page as it is.
            && !text.contains(['"', '\'', '<', '>', '&']),
        expected()
    );
    Ok(text.trim_end_matches('/').to_owned())
}

/// Nothing may be loaded from, or sent to, anywhere but the three programs of the demo.
///
/// `wasm-unsafe-eval` is what the SDK's WebAssembly needs to be compiled.
fn content_security_policy(addresses: &Addresses) -> anyhow::Result<HeaderValue> {
    let origin = |url: &str| {
        let uri: Uri = url.parse()?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        anyhow::Ok(format!("{scheme}://{authority}"))
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; connect-src 'self' {} {}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        origin(&addresses.gateway)?,
        origin(&addresses.aggregation)?,
    );
    HeaderValue::from_str(&policy).context("make the content security policy")
}

#[cfg(test)]
mod tests {
    use super::{Addresses, content_security_policy};

    #[test]
    fn a_slash_at_the_end_of_an_address_is_not_doubled_later() {
        let addresses =
            Addresses::new("http://127.0.0.1:8080/", "https://streams.example").unwrap();
        assert_eq!(addresses.gateway, "http://127.0.0.1:8080");
        assert_eq!(addresses.aggregation, "https://streams.example");
    }

    #[test]
    fn an_address_without_a_scheme_is_refused_and_the_flag_is_named() {
        let error = Addresses::new("127.0.0.1:8080", "http://127.0.0.1:8081").unwrap_err();
        assert_eq!(
            error.to_string(),
            "--gateway: expected http://HOST:PORT or https://HOST, found `127.0.0.1:8080`"
        );
    }

    #[test]
    fn the_policy_names_the_other_programs_by_origin() {
        let addresses =
            Addresses::new("http://127.0.0.1:8090/tracking", "http://127.0.0.1:8091").unwrap();
        let policy = content_security_policy(&addresses).unwrap();
        let policy = policy.to_str().unwrap();
        assert!(
            policy.contains("connect-src 'self' http://127.0.0.1:8090 http://127.0.0.1:8091;"),
            "{policy}"
        );
    }
}
