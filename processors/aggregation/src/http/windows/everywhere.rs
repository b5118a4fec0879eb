//! What all processes know: each partition's owner is asked.

use super::{
    Question, Shared,
    answer::{Answer, Told},
    here,
};
use footfall_runtime::Owner;
use footfall_service::{http::Problem, kafka::partition_of};
use footfall_streams::Definition;
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long Kafka may take to say who owns what.
const UNTIL_KNOWN: Duration = Duration::from_secs(1);

type Partitions = BTreeSet<i32>;

/// Whom to ask.
#[derive(Debug, Default)]
struct Plan {
    here: Partitions,
    others: BTreeMap<Arc<str>, Partitions>,
    /// Nobody has counted these.
    empty: Partitions,
}

/// Answers for every partition that may hold what is asked for, and says for which nobody could.
pub(super) async fn ask(
    shared: &Shared,
    stream: &Arc<Definition>,
    question: &Question,
) -> Result<(Answer, Partitions), Problem> {
    let wanted = wanted(shared, stream, question);
    let mut whole = Answer::default();
    let mut silent = BTreeSet::new();
    for is_sure in [false, true] {
        let left: Partitions = wanted.difference(&whole.partitions).copied().collect();
        if left.is_empty() {
            break;
        }
        if is_sure {
            // What was known is from up to two seconds ago.
            let asked = shared.local.places.ask_again();
            if tokio::time::timeout(UNTIL_KNOWN, asked).await.is_err() {
                break;
            }
        }
        let plan = plan(shared, stream, &left);
        if is_sure {
            whole.add(Answer::nothing(plan.empty));
        }
        whole.add(here::ask(shared, stream, question, plan.here).await?);
        let others = plan.others.into_iter();
        let others = others.filter(|(address, _)| !silent.contains(address));
        let others: Vec<_> = others.collect();
        let asked = others
            .iter()
            .map(|(address, partitions)| ask_other(shared, stream, question, address, partitions));
        for ((address, _), told) in others.iter().zip(join_all(asked).await) {
            match told {
                Some(answer) => whole.add(answer),
                None => {
                    silent.insert(Arc::clone(address));
                }
            }
        }
    }
    // An old answer is better than none.
    let left = wanted.difference(&whole.partitions).copied().collect();
    whole.add(here::ask(shared, stream, question, left).await?);
    let missing = wanted.difference(&whole.partitions).copied().collect();
    Ok((whole.pick(question), missing))
}

/// The partitions that may hold what is asked for. A key that this program has chosen is in the one
/// that its producer has put it into; where others write, it may be in any.
fn wanted(shared: &Shared, stream: &Definition, question: &Question) -> Partitions {
    let counted = shared.aggregation().counted(stream);
    let Some(count) = shared.local.places.count(&counted) else {
        // Kafka has not been reached yet.
        return Partitions::new();
    };
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    match &question.key {
        Some(key) if stream.rekeyed => [partition_of(key, count)].into(),
        _ => (0..count).collect(),
    }
}

fn plan(shared: &Shared, stream: &Definition, partitions: &Partitions) -> Plan {
    let counted = shared.aggregation().counted(stream);
    let working = shared.aggregation().seats().working(&counted);
    let at_work = working.into_iter().filter(|(_, task)| task.is_at_work());
    let at_work: Partitions = at_work.map(|(partition, _)| partition).collect();
    let mut plan = Plan::default();
    for &partition in partitions {
        if at_work.contains(&partition) {
            plan.here.insert(partition);
            continue;
        }
        match shared.local.places.owner(&counted, partition) {
            Owner::At(address) if !shared.peers.is_own(&address) => {
                plan.others.entry(address).or_default().insert(partition);
            }
            Owner::Nobody => {
                plan.empty.insert(partition);
            }
            // What this process has lost is asked for in the end.
            Owner::At(_) | Owner::Unknown => {}
        }
    }
    plan
}

async fn ask_other(
    shared: &Shared,
    stream: &Definition,
    question: &Question,
    address: &str,
    partitions: &Partitions,
) -> Option<Answer> {
    let name = &stream.name;
    let path = format!("/v1/streams/{name}/windows?{}", question.about(partitions));
    match shared.peers.get::<Told>(address, &path).await {
        Ok(told) => Answer::told(stream, told).filter(|answer| {
            // Whoever is at that address now may be of another mind.
            answer.partitions.is_subset(partitions)
        }),
        Err(error) => {
            tracing::debug!(%address, "asking another process: {error:#}");
            None
        }
    }
}
