//! HTTP as a client sees it.

use crate::wait;
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case; of repeated ones the last.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn to(request: reqwest::RequestBuilder) -> Result<Self, String> {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()));
        let headers = headers.collect();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// `GET url`.
///
/// # Errors
/// When nothing answers.
pub async fn get(url: &str) -> Result<Answer, String> {
    Answer::to(reqwest::Client::new().get(url)).await
}

/// Waits until `GET url` is answered with 200 and a body that has `part` in it.
///
/// # Panics
/// When it is not.
pub async fn until_answers(url: &str, part: &str) -> Answer {
    wait::until(&format!("{url} to answer with {part}"), async || {
        let answer = get(url).await?;
        if answer.status == 200 && answer.body.contains(part) {
            Ok(answer)
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await
}
