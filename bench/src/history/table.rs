//! The tables of `bench history`: rows that were measured in rounds, each with the median of every column.
//!
//! The parts fill one and print it. It must never judge but by the bound that a row was given.

use crate::report::{figure, markdown, spread};

/// What is asked of a row's first column, and whether it was met.
#[derive(Clone, Copy, Debug)]
pub struct AtMost(pub f64);

/// A row: what it is, and what each round gave.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub label: String,
    /// For each round a value for every column; a round may leave out the last ones.
    pub rounds: Vec<Vec<f64>>,
    /// What is asked of the first column.
    pub bound: Option<AtMost>,
}

impl Row {
    /// A row that no round has filled yet.
    pub fn new(label: impl Into<String>, bound: Option<AtMost>) -> Self {
        Self { label: label.into(), rounds: Vec::new(), bound }
    }

    fn column(&self, column: usize) -> Vec<f64> {
        self.rounds.iter().filter_map(|values| values.get(column).copied()).collect()
    }

    /// The median of a column.
    pub fn median(&self, column: usize) -> Option<f64> {
        crate::histogram::median(&self.column(column))
    }
}

/// The rows as Markdown, under a head of one title for each column; with a bound if any row has one.
pub fn to_markdown(titles: &[&str], rows: &[Row]) -> String {
    let rounds = rows.iter().map(|row| row.rounds.len()).min().unwrap_or(0);
    let is_bounded = rows.iter().any(|row| row.bound.is_some());
    let mut head = vec![format!("median of {rounds} (lowest – highest)")];
    head.extend(titles.iter().map(|title| (*title).to_owned()));
    if is_bounded {
        head.extend(["bound".to_owned(), String::new()]);
    }
    let cells = |row: &Row| {
        let mut cells = vec![row.label.clone()];
        cells.extend((0..titles.len()).map(|column| spread(&row.column(column))));
        if is_bounded {
            cells.extend(judge(row));
        }
        cells
    };
    markdown(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn judge(row: &Row) -> [String; 2] {
    let Some(AtMost(at_most)) = row.bound else { return [String::new(), String::new()] };
    let verdict = match row.median(0) {
        None => "not measured",
        Some(found) if found <= at_most => "met",
        Some(_) => "**MISSED**",
    };
    [format!("≤ {}", figure(at_most)), verdict.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_shows_medians_and_is_judged_by_its_first_column() {
        let mut row = Row::new("page", Some(AtMost(20.0)));
        row.rounds = vec![vec![19.0, 1.0], vec![21.0, 3.0], vec![18.0]];
        let table = to_markdown(&["ms", "lines"], &[row.clone(), Row::new("nothing", None)]);
        assert!(table.contains("19.0 (18.0 – 21.0)"), "{table}");
        assert!(table.contains("2.00 (1.00 – 3.00)") && table.contains("| met"), "{table}");
        row.bound = Some(AtMost(18.5));
        assert!(to_markdown(&["ms"], &[row]).contains("**MISSED**"));
    }

    #[test]
    fn row_that_no_round_filled_is_not_met() {
        assert!(to_markdown(&["ms"], &[Row::new("page", Some(AtMost(20.0)))]).contains("not measured"));
    }
}
