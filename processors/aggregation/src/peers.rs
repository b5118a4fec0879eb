//! Other processes of the group, asked over HTTP.

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};

/// How long another process may take; one that is frozen must not freeze all others.
const TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// An answer of more bytes is none.
const LONGEST: usize = 64 << 20;

/// Asks other processes, and knows which one is this.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    client: Client<HttpConnector, Empty<Bytes>>,
    own: Option<Arc<str>>,
}

impl Peers {
    /// `own` is where this process answers.
    pub(crate) fn new(own: Option<Arc<str>>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            own,
        }
    }

    /// Where this process answers.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    pub(crate) fn is_own(&self, address: &str) -> bool {
        self.own() == Some(address)
    }

    /// `GET`, with a JSON answer.
    ///
    /// # Errors
    /// When there is none in time.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        address: &str,
        path: &str,
    ) -> anyhow::Result<T> {
        let asked = tokio::time::timeout(TIMEOUT, self.read(address, path));
        let body = asked.await.context("it takes too long")??;
        serde_json::from_slice(&body).context("read its answer")
    }

    async fn read(&self, address: &str, path: &str) -> anyhow::Result<Bytes> {
        let uri = format!("{address}{path}").parse()?;
        let answer = self.client.get(uri).await?;
        if !answer.status().is_success() {
            bail!("it answers with {}", answer.status());
        }
        let body = Limited::new(answer.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error))?;
        Ok(body.to_bytes())
    }
}
