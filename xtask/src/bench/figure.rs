//! Figures: what was measured, and what must and should be reached.

use serde::Serialize;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Better {
    Lower,
    Higher,
}

/// One measured quantity over several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) better: Better,
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
    /// `None`: it is there to compare with.
    pub(super) must: Option<f64>,
    pub(super) aim: Option<f64>,
}

impl Figure {
    /// From one value a run. Without values all are NaN, which JSON shows as null.
    pub(super) fn of(name: &str, unit: &'static str, mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        let at = |index: usize| runs.get(index).copied().unwrap_or(f64::NAN);
        let (half, last) = (runs.len() / 2, runs.len().saturating_sub(1));
        let median = if runs.len().is_multiple_of(2) {
            (at(half.saturating_sub(1)) + at(half)) / 2.0
        } else {
            at(half)
        };
        Self {
            name: name.into(),
            unit,
            better: Better::Lower,
            min: at(0),
            median,
            max: at(last),
            must: None,
            aim: None,
        }
    }

    /// The same, judged.
    pub(super) fn judged(mut self, must: f64, aim: f64) -> Self {
        (self.must, self.aim) = (Some(must), Some(aim));
        self
    }

    /// The same, where more is better.
    pub(super) fn higher(mut self) -> Self {
        self.better = Better::Higher;
        self
    }

    /// How the median stands to what must and should be reached.
    pub(super) fn verdict(&self) -> &'static str {
        let reaches = |bound: Option<f64>| {
            bound.map(|bound| match self.better {
                Better::Lower => self.median <= bound,
                Better::Higher => self.median >= bound,
            })
        };
        match (reaches(self.aim), reaches(self.must)) {
            (Some(true), _) => "aim",
            (_, Some(true)) => "must",
            (_, Some(false)) => "missed",
            (_, None) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_runs_lies_between_the_two_in_the_middle() {
        let figure = Figure::of("cpu", "µs", vec![9.0, 1.0, 4.0, 2.0]);
        assert_eq!((figure.min, figure.median, figure.max), (1.0, 3.0, 9.0));
    }

    #[test]
    fn the_median_decides_and_the_bound_itself_reaches_it() {
        let of = |median| Figure::of("cpu", "µs", vec![0.0, median, 99.0]).judged(25.0, 20.0);
        assert_eq!(of(20.0).verdict(), "aim");
        assert_eq!(of(25.0).verdict(), "must");
        assert_eq!(of(25.1).verdict(), "missed");
        assert_eq!(Figure::of("bare", "µs", vec![1.0]).verdict(), "");
        assert_eq!(of(25.1).higher().verdict(), "aim");
    }
}
