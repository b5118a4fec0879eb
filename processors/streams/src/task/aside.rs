//! Records that steps make dead letters of, because Kafka does not take what would come of them.

use super::Step;
use crate::{Unusable, reject};
use footfall_task::{Effects, Offset, Record, Refusal};
use std::{collections::BTreeMap, sync::Arc};

/// What is known of records that are still to come.
#[derive(Debug, Default)]
pub(super) struct Aside(BTreeMap<Offset, Vec<Refusal>>);

impl Aside {
    pub(super) fn put(&mut self, offset: Offset, refusal: Refusal) {
        self.0.entry(offset).or_default().push(refusal);
    }

    /// What is known of the record with this offset.
    pub(super) fn take(&mut self, offset: Offset) -> Vec<Refusal> {
        if self.0.is_empty() {
            return Vec::new();
        }
        self.0.remove(&offset).unwrap_or_default()
    }
}

impl Step {
    /// The name of its stream or its route.
    pub(super) fn name(&self) -> &Arc<str> {
        match self {
            Self::Rekey { definition, .. } => &definition.name,
            Self::Count(counting) => &counting.definition.name,
            Self::Route { route, .. } => &route.name,
        }
    }

    /// The refusal that is about it.
    pub(super) fn refused<'a>(&self, refusals: &'a [Refusal]) -> Option<&'a Refusal> {
        refusals
            .iter()
            .find(|refusal| refusal.stream == *self.name())
    }

    /// Makes a dead letter of the record, as it was at its source.
    pub(super) fn refuse(&self, record: &Record<'_>, refusal: &Refusal, effects: &mut Effects) {
        let why = Unusable::refused(refusal);
        match self {
            Self::Rekey { definition, .. } => {
                reject::unusable(
                    &definition.name,
                    definition.dlq.as_ref(),
                    record,
                    why,
                    effects,
                );
            }
            Self::Count(counting) => {
                let definition = &counting.definition;
                let regrouped = definition
                    .rekeyed
                    .then(|| counting.unwrap(record))
                    .flatten();
                let source = regrouped
                    .as_ref()
                    .map_or(record, |regrouped| &regrouped.source);
                reject::unusable(
                    &definition.name,
                    definition.dlq.as_ref(),
                    source,
                    why,
                    effects,
                );
            }
            Self::Route { route, .. } => {
                let dlq = route
                    .inlet(record.topic)
                    .and_then(|inlet| inlet.dlq.as_ref());
                reject::unusable(&route.name, dlq, record, why, effects);
            }
        }
    }
}
