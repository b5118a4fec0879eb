//! Aggregates of bounded size whose results are estimates.

use super::{Aggregate, Sample, function::Share, save_bytes, take_bytes};
use crate::Real;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use sketches_ddsketch::DDSketch;
use std::{fmt, sync::Arc};

/// 2^12 registers: a standard error of 1.04 / 64, and at most 4 KiB.
const LOG2_REGISTERS: u8 = 12;

/// How many different values a field has.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// Missing only if the library refused the number of registers, which it does not.
    // Boxed, so that streams without it need not have room for it in every pane.
    union: Option<Box<HllUnion>>,
}

/// Quantiles of a field, each within 1 %.
#[derive(Clone)]
pub struct Quantiles {
    shares: Arc<[Share]>,
    sketch: Box<DDSketch>,
}

impl Distinct {
    pub(super) fn new() -> Self {
        Self {
            union: HllUnion::new(LOG2_REGISTERS).ok().map(Box::new),
        }
    }

    fn sketch(&self) -> Option<HllSketch> {
        self.union
            .as_ref()
            .map(|union| union.to_sketch(HllType::Hll8))
    }
}

impl Aggregate for Distinct {
    fn add(&mut self, sample: Sample<'_>) {
        if let (Some(union), Some(value)) = (&mut self.union, sample.input.value()) {
            union.update_value(value);
        }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(union), Some(sketch)) = (&mut self.union, other.sketch()) {
            union.update(&sketch);
        }
    }

    fn result(&self) -> String {
        // The other estimate of the library depends on the order of the records.
        let estimate = self.sketch().map(|sketch| sketch.composite_estimate());
        format!("{:.0}", estimate.unwrap_or_default())
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        let sketch = self.sketch().map(|sketch| sketch.serialize());
        save_bytes(&sketch.unwrap_or_default(), bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let sketch = HllSketch::deserialize(take_bytes(bytes)?).ok()?;
        self.union.as_mut()?.update(&sketch);
        Some(())
    }
}

impl Quantiles {
    pub(super) fn new(shares: Arc<[Share]>) -> Self {
        Self {
            shares,
            sketch: Box::default(),
        }
    }

    fn quantile(&self, share: &Share) -> String {
        let found = self.sketch.quantile(share.number()).ok().flatten();
        let range = self.sketch.min().zip(self.sketch.max());
        // The middle of a bin may lie outside of what has been seen.
        let found = found
            .zip(range)
            .map(|(found, (min, max))| found.clamp(min, max));
        found.map_or_else(|| "null".into(), Real::json)
    }
}

impl Aggregate for Quantiles {
    fn add(&mut self, sample: Sample<'_>) {
        if let Some(number) = sample.input.real() {
            self.sketch.add(number);
        }
    }

    fn merge(&mut self, other: &Self) {
        // All have the same configuration, without which alone they would not merge.
        let _same = self.sketch.merge(&other.sketch);
    }

    fn result(&self) -> String {
        if let [share] = &*self.shares {
            return self.quantile(share);
        }
        let shares = self.shares.iter();
        let members: Vec<_> = shares
            .map(|share| format!("\"{}\":{}", share.text(), self.quantile(share)))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save_bytes(&self.sketch.to_java_bytes(), bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        *self.sketch = DDSketch::from_java_bytes(take_bytes(bytes)?).ok()?;
        Some(())
    }
}

impl fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantiles")
            .field("shares", &self.shares)
            .field("count", &self.sketch.count())
            .finish_non_exhaustive()
    }
}
