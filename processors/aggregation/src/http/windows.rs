use super::{Shared, StreamName};
use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use footfall_service::http::Problem;
use footfall_streams::{Definition, WindowResult, output_value};
use serde_json::json;
use std::{cmp::Reverse, collections::HashSet, ops::Range, str::FromStr, sync::Arc};

const DEFAULT_LIMIT: usize = 1_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    starts: Range<i64>,
    key: Option<Vec<u8>>,
    top: Option<usize>,
    limit: usize,
}

/// `GET /v1/streams/NAME/windows?key=&from=&to=&top=&limit=`.
pub(super) async fn ask(
    State(shared): State<Shared>,
    StreamName(name): StreamName,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<impl IntoResponse, Problem> {
    let stream = Arc::clone(shared.stream(&name)?);
    let question = Question::read(&parameters)?;
    // Going through many windows takes its time, which other connections should not wait for.
    let work = move || question.answer(&shared, &stream);
    let body = tokio::task::spawn_blocking(work).await.map_err(|_| {
        let detail = "the answer could not be put together; the log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

impl Question {
    fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let mut question = Self {
            starts: 0..i64::MAX,
            key: None,
            top: None,
            limit: DEFAULT_LIMIT,
        };
        let mut seen = HashSet::new();
        for (name, text) in parameters {
            if !seen.insert(name) {
                return Err(invalid(format!("expected `{name}` once, found it again")));
            }
            match name.as_str() {
                "from" => {
                    question.starts.start = number(name, text, "milliseconds since the Unix epoch")?
                }
                "to" => {
                    question.starts.end = number(name, text, "milliseconds since the Unix epoch")?
                }
                "top" => question.top = Some(count(name, text)?),
                "limit" => question.limit = count(name, text)?,
                "key" => question.key = Some(text.clone().into_bytes()),
                "key_base64" => question.key = Some(binary(text)?),
                _ => {
                    let known = "key, key_base64, from, to, top or limit";
                    let name = name.escape_debug();
                    return Err(invalid(format!(
                        "expected the parameters {known}, found `{name}`"
                    )));
                }
            }
        }
        if seen.contains(&"key".to_owned()) && seen.contains(&"key_base64".to_owned()) {
            return Err(invalid("expected `key` or `key_base64`, found both"));
        }
        Ok(question)
    }

    fn answer(&self, shared: &Shared, stream: &Definition) -> String {
        let found = shared
            .aggregation
            .windows(stream, &self.starts, self.key.as_deref());
        let found = match self.top {
            Some(top) => keep_top(&found, top),
            None => found,
        };
        let windows = found.iter().take(self.limit);
        let windows: Vec<_> = windows
            .map(|window| output_value(window, &stream.aggregates))
            .collect();
        let name = json!(&*stream.name);
        let stale_ms = shared.status.staleness().as_millis();
        format!(
            r#"{{"stream":{name},"stale_ms":{stale_ms},"windows":[{}]}}"#,
            windows.join(",")
        )
    }
}

/// Keeps, per window, the keys with the greatest first aggregate.
fn keep_top(windows: &[WindowResult], top: usize) -> Vec<WindowResult> {
    let mut kept = Vec::new();
    for of_window in windows.chunk_by(|a, b| a.window == b.window) {
        let mut best: Vec<_> = of_window.iter().collect();
        best.sort_by(|a, b| {
            let values = a.values.first().zip(b.values.first());
            let order = values.map(|(a, b)| Reverse(a.number()).cmp(&Reverse(b.number())));
            order
                .unwrap_or(std::cmp::Ordering::Equal)
                .then_with(|| a.key.cmp(&b.key))
        });
        best.truncate(top);
        best.sort_by(|a, b| a.key.cmp(&b.key));
        kept.extend(best.into_iter().cloned());
    }
    kept
}

fn number<N: FromStr>(name: &str, text: &str, expected: &str) -> Result<N, Problem> {
    let found = text.escape_debug();
    text.parse()
        .map_err(|_| invalid(format!("expected {expected} in `{name}`, found `{found}`")))
}

fn count(name: &str, text: &str) -> Result<usize, Problem> {
    let expected = "a whole number from 1";
    match number(name, text, expected)? {
        0 => Err(invalid(format!(
            "expected {expected} in `{name}`, found `0`"
        ))),
        count => Ok(count),
    }
}

fn binary(text: &str) -> Result<Vec<u8>, Problem> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|error| {
        invalid(format!(
            "expected padded base64 in `key_base64`, found {error}"
        ))
    })
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
}
