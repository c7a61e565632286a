//! Medians, percentiles and misses of one row.

/// The measurements of one tool in one scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    values: Vec<f64>,
    /// Attempts without an answer.
    pub(crate) misses: usize,
    /// Answers beyond the one expected.
    pub(crate) extra: usize,
}

impl Sample {
    /// Adds a measurement.
    pub(crate) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// How many measurements there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value below which `share` (0–1) of the measurements lie (nearest rank).
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied()
    }

    /// The middle.
    pub(crate) fn median(&self) -> Option<f64> {
        self.percentile(0.5)
    }

    /// The largest.
    pub(crate) fn max(&self) -> Option<f64> {
        self.percentile(1.0)
    }
}
