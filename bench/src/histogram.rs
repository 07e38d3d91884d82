//! Latencies, counted in buckets: ten million deliveries a second leave no time to keep each one.
//!
//! `ledger` records into it, the scenarios read percentiles out of it. Also the median over rounds.
//! A bucket is at most 1/64 wide relative to its values, so a percentile is true to 1.6 percent.

const SUB_BITS: u32 = 6;
const SUBS: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as usize) << SUB_BITS) + SUBS as usize;

/// Counts of values by size, up to any `u64`.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.total += 1;
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// The value that `share` of all values do not exceed (0.5: the median), or `None` if there are none.
    /// It is the upper edge of the bucket in which that value fell.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        self.counts.iter().enumerate().find_map(|(index, count)| {
            seen += count;
            (seen >= rank).then(|| upper_edge(index))
        })
    }
}

/// Values below 64 have a bucket each; above, every power of two is cut into 64.
#[inline]
fn bucket(value: u64) -> usize {
    let scale = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    let sub = (value >> scale) as usize;
    ((scale as usize) << SUB_BITS) + sub
}

fn upper_edge(bucket: usize) -> u64 {
    if bucket < 2 * SUBS as usize {
        return bucket as u64;
    }
    let scale = (bucket >> SUB_BITS) as u32 - 1;
    let sub = (bucket as u64 & (SUBS - 1)) | SUBS;
    (sub << scale) + ((1 << scale) - 1)
}

/// The median of `values` (the mean of the middle two when they are even in number), or `None` if there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_within_a_sixty_fourth_of_the_exact_one() {
        let mut histogram = Histogram::default();
        let values: Vec<u64> = (1..=10_000).map(|n| n * n).collect();
        for value in &values {
            histogram.record(*value);
        }
        for (share, exact) in
            [(0.01, values[99]), (0.5, values[4_999]), (0.99, values[9_899]), (1.0, values[9_999])]
        {
            let found = histogram.percentile(share).unwrap();
            assert!(found >= exact && found - exact <= exact / 64, "{share}: {found}, not {exact}");
        }
    }

    #[test]
    fn every_value_lies_in_a_bucket_whose_edge_is_not_below_it() {
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, (1 << shift) + 1, u64::MAX >> shift] {
                let edge = upper_edge(bucket(value));
                assert!(edge >= value && edge - value <= value / 64, "{value} has the edge {edge}");
            }
        }
    }

    #[test]
    fn merged_histograms_count_together() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.record(10);
        right.record(20);
        right.record(30);
        left.merge(&right);
        assert_eq!((left.total(), left.percentile(0.5), left.percentile(1.0)), (3, Some(20), Some(30)));
    }

    #[test]
    fn nothing_has_no_percentile_and_no_median() {
        assert_eq!(Histogram::default().percentile(0.5), None);
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn median_is_the_middle_value() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
