//! What this process knows.

use super::{Question, Shared, answer::Answer};
use crate::clock;
use axum::http::StatusCode;
use footfall_service::http::Problem;
use footfall_streams::Definition;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Answers for those of these partitions that this process knows.
pub(super) async fn ask(
    shared: &Shared,
    stream: &Arc<Definition>,
    question: &Question,
    partitions: BTreeSet<i32>,
) -> Result<Answer, Problem> {
    let (shared, stream, question) = (shared.clone(), Arc::clone(stream), question.clone());
    // Going through many windows takes its time, which other connections should not wait for.
    let work = move || answer(&shared, &stream, &question, &partitions);
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let detail = "the answer could not be put together; the log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    })
}

fn answer(
    shared: &Shared,
    stream: &Definition,
    question: &Question,
    partitions: &BTreeSet<i32>,
) -> Answer {
    let Question { starts, key, .. } = question;
    let aggregation = shared.aggregation();
    let known = aggregation.windows(stream, partitions, starts, key.as_deref());
    let lost_for = known.oldest.map_or(Duration::ZERO, |since| {
        clock::now().saturating_duration_since(since)
    });
    let stale = shared.local.status.staleness().max(lost_for);
    // One that is lost is old, however short the time.
    let least = u64::from(known.oldest.is_some());
    let stale_ms = u64::try_from(stale.as_millis()).unwrap_or(u64::MAX);
    let partitions = known.partitions.into_iter().collect();
    Answer::known(stream, stale_ms.max(least), partitions, &known.windows).pick(question)
}
