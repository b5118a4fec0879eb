//! `/v1/streams/NAME/windows`: what is asked for. Who answers, and how, is below.

mod answer;
mod everywhere;
mod here;

use super::{Shared, StreamName};
use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use footfall_service::http::Problem;
use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
    str::FromStr,
    sync::Arc,
};

const DEFAULT_LIMIT: usize = 1_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    starts: Range<i64>,
    key: Option<Vec<u8>>,
    top: Option<usize>,
    limit: usize,
    /// Only of these partitions, and only what this process knows.
    partitions: Option<BTreeSet<i32>>,
}

/// `GET /v1/streams/NAME/windows?key=&from=&to=&top=&limit=`.
pub(super) async fn ask(
    State(shared): State<Shared>,
    StreamName(name): StreamName,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<impl IntoResponse, Problem> {
    let stream = Arc::clone(shared.stream(&name)?);
    let question = Question::read(&parameters)?;
    let body = match &question.partitions {
        Some(partitions) => {
            let answer = here::ask(&shared, &stream, &question, partitions.clone()).await?;
            answer.of_some(&stream)
        }
        None => {
            let (answer, missing) = everywhere::ask(&shared, &stream, &question).await?;
            answer.of_all(&stream, &missing)
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

impl Question {
    fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let mut question = Self {
            starts: 0..i64::MAX,
            key: None,
            top: None,
            limit: DEFAULT_LIMIT,
            partitions: None,
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
                "partitions" => question.partitions = Some(numbers(name, text)?),
                _ => {
                    let known = "key, key_base64, from, to, top, limit or partitions";
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

    /// The same question about these partitions, for the process that has them.
    fn about(&self, partitions: &BTreeSet<i32>) -> String {
        let partitions: Vec<_> = partitions.iter().map(ToString::to_string).collect();
        let Range { start, end } = self.starts;
        let mut text = format!(
            "partitions={}&from={start}&to={end}&limit={}",
            partitions.join(","),
            self.limit
        );
        if let Some(top) = self.top {
            text.push_str(&format!("&top={top}"));
        }
        if let Some(key) = &self.key {
            text.push_str("&key_base64=");
            // What base64 has and a query means otherwise.
            let key = STANDARD.encode(key);
            text.push_str(&key.replace('+', "%2B").replace('=', "%3D"));
        }
        text
    }
}

fn number<N: FromStr>(name: &str, text: &str, expected: &str) -> Result<N, Problem> {
    let found = text.escape_debug();
    text.parse()
        .map_err(|_| invalid(format!("expected {expected} in `{name}`, found `{found}`")))
}

/// Each once, however often it is asked for.
fn numbers(name: &str, text: &str) -> Result<BTreeSet<i32>, Problem> {
    let expected = "numbers of partitions with commas between them";
    let numbers = text.split(',');
    numbers.map(|text| number(name, text, expected)).collect()
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

pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_is_passed_on_is_read_as_it_was() {
        let asked = [
            ("from", "60000"),
            ("top", "3"),
            ("limit", "7"),
            ("key", "a+b=&/é"),
        ];
        let asked = asked.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let question = Question::read(&asked).unwrap();
        let uri: axum::http::Uri = format!("/?{}", question.about(&[2, 11].into()))
            .parse()
            .unwrap();
        let Query(read) = Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap();
        let expected = Question {
            partitions: Some([2, 11].into()),
            ..question
        };
        assert_eq!(Question::read(&read).unwrap(), expected);
    }

    #[test]
    fn a_partition_is_asked_once_however_often_it_is_named() {
        let zeros = vec!["0"; 3_000].join(",");
        let asked = [("partitions".to_owned(), format!("{zeros},2"))];
        let question = Question::read(&asked).unwrap();
        assert_eq!(question.partitions, Some([0, 2].into()));
    }
}
