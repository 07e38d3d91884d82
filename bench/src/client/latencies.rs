//! Some hundreds of times that something took, each kept, and the table that shows them.
//!
//! What this must never do: leave out the slow ones.

use std::time::Duration;

use super::judged;
use crate::report::{figure, markdown};

/// How long something took, each time.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// It took so long.
    pub fn record(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// So did these.
    pub fn extend(&mut self, others: &Latencies) {
        self.0.extend(&others.0);
    }

    /// How often it was timed.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What `share` of all did not exceed, in milliseconds (1.0: the longest); `None` if there are none.
    pub fn percentile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = ((sorted.len() as f64 * share).ceil() as usize).max(1);
        sorted.get(rank - 1).map(|took| took.as_secs_f64() * 1e3)
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Timed {
    /// What was timed.
    pub what: &'static str,
    /// How long it took.
    pub latencies: Latencies,
    /// What 99 of 100 must not exceed, in milliseconds.
    pub bound_ms: Option<f64>,
}

/// The rows as Markdown.
pub fn to_markdown(rows: &[Timed]) -> String {
    let head = ["", "times", "median, ms", "99th of 100, ms", "longest, ms", "bound of the 99th", ""];
    let cells = |row: &Timed| {
        let percentile = |share| row.latencies.percentile_ms(share).map_or(String::new(), figure);
        let mut cells = vec![row.what.to_owned(), row.latencies.count().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(percentile));
        let verdict = row.bound_ms.map(|bound_ms| judged(row.latencies.percentile_ms(0.99), bound_ms, "ms"));
        cells.extend(verdict.unwrap_or_default());
        cells
    };
    markdown(&head.map(str::to_owned), &rows.iter().map(cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Latencies {
        Latencies((1..=100).rev().map(Duration::from_millis).collect())
    }

    #[test]
    fn percentiles_are_exact() {
        let found = [0.5, 0.99, 1.0].map(|share| hundred().percentile_ms(share));
        assert_eq!(found, [Some(50.0), Some(99.0), Some(100.0)]);
        assert_eq!(Latencies::default().percentile_ms(0.5), None);
    }

    #[test]
    fn row_is_judged_by_the_ninety_ninth_of_a_hundred() {
        let row = |bound_ms| Timed { what: "a key", latencies: hundred(), bound_ms };
        assert!(to_markdown(&[row(Some(99.0))]).contains("| met"));
        assert!(to_markdown(&[row(Some(98.0))]).contains("**MISSED**"));
        assert!(!to_markdown(&[row(None)]).contains("met"));
    }
}
