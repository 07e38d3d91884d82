//! Tables out of samples: medians side by side, their ratio, the bound and whether it was met.
//!
//! `run` fills an [`Outcome`] per shape and prints what this makes of it; the same text goes into the report.
//! A bound that is missed is said here and nowhere else: no program fails for it.

use std::{fmt::Write as _, ops::Range};

use crate::{
    histogram::median,
    scenario::{Bound, Contender, Measure, Sample, Scale, Shape},
};

/// The column that the product is compared with: a floor, or the product without what is special.
const BASELINE: usize = 0;
/// The product's column.
const PRODUCT: usize = 1;

/// All that was measured in one shape.
pub struct Outcome {
    /// What was played.
    pub shape: Shape,
    /// What is asked of the product there.
    pub bound: fn(Shape, Measure) -> Option<Bound>,
    /// Who took part: baseline, product, and perhaps the product in other ways and builds.
    pub contenders: Vec<Contender>,
    /// What each of them gave, round by round.
    pub samples: Vec<Vec<Sample>>,
    /// What went wrong, if anything did.
    pub failures: Vec<String>,
    /// Who else was there.
    pub meanwhile: Meanwhile,
}

/// What disturbs a measurement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meanwhile {
    /// The share of all processors that others used, 0 to 1; `None` if the kernel does not tell.
    pub others_share: Option<f64>,
}

impl Outcome {
    /// Writes the table as Markdown, with heading and description.
    pub fn to_markdown(&self, scale: Scale) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.shape.title(), self.shape.description(scale));
        let rows = self.rows();
        if !rows.is_empty() {
            text += &markdown(&self.head(), &rows);
        }
        text += &others(self.meanwhile.others_share);
        for failure in &self.failures {
            let _ = writeln!(text, "\n**FAILED**: {}", failure.replace('\n', "\n> "));
        }
        text
    }

    /// The columns that are compared with the product's.
    fn beside(&self) -> Range<usize> {
        PRODUCT + 1..self.contenders.len()
    }

    fn head(&self) -> Vec<String> {
        let rounds = self.samples.iter().map(Vec::len).min().unwrap_or(0);
        let mut head = vec![format!("median of {rounds} (lowest – highest)")];
        head.extend(self.contenders.iter().map(|contender| contender.label.clone()));
        let label = |column: usize| self.contenders.get(column).map_or("", |contender| &contender.label);
        head.push(format!("{} ÷ {}", label(PRODUCT), label(BASELINE)));
        head.extend(self.beside().map(|column| format!("{} ÷ {}", label(column), label(PRODUCT))));
        head.extend(["bound".to_owned(), String::new()]);
        head
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut measures: Vec<Measure> = Vec::new();
        for (measure, _) in self.samples.iter().flatten().flatten() {
            if !measures.contains(measure) {
                measures.push(*measure);
            }
        }
        measures.into_iter().map(|measure| self.row(measure)).collect()
    }

    fn row(&self, measure: Measure) -> Vec<String> {
        let columns: Vec<Vec<f64>> =
            (0..self.contenders.len()).map(|column| self.values(column, measure)).collect();
        let middle = |column: usize| columns.get(column).and_then(|values| median(values));
        let times = |column: usize, beside: usize| ratio(middle(column), middle(beside));
        let times_text =
            |column, beside| times(column, beside).map_or(String::new(), |times| format!("{times:.2}"));
        let mut row = vec![measure.title().to_owned()];
        row.extend(columns.iter().map(|values| spread(values)));
        row.push(times_text(PRODUCT, BASELINE));
        row.extend(self.beside().map(|column| times_text(column, PRODUCT)));
        row.extend(judge((self.bound)(self.shape, measure), middle(PRODUCT), times(PRODUCT, BASELINE)));
        row
    }

    fn values(&self, column: usize, measure: Measure) -> Vec<f64> {
        let of_round =
            |sample: &Sample| sample.iter().find(|(found, _)| *found == measure).map(|(_, value)| *value);
        self.samples[column].iter().filter_map(of_round).collect()
    }
}

/// Says what others took of the machine, if that is known.
pub(crate) fn others(share: Option<f64>) -> String {
    let say =
        |share: f64| format!("\nOther processes took {:.0} % of the machine meanwhile.\n", share * 100.0);
    share.map(say).unwrap_or_default()
}

fn ratio(value: Option<f64>, beside: Option<f64>) -> Option<f64> {
    Some(value? / beside?).filter(|ratio| ratio.is_finite())
}

/// The bound in words, and whether it was met.
fn judge(bound: Option<Bound>, value: Option<f64>, times: Option<f64>) -> [String; 2] {
    let (words, found, at_most) = match bound {
        None => return [String::new(), String::new()],
        Some(Bound::TimesBaseline(at_most)) => (format!("≤ {at_most:.2} ×"), times, at_most),
        Some(Bound::AtMost(at_most)) => (format!("≤ {at_most}"), value, at_most),
    };
    let verdict = match found {
        None => "not measured",
        Some(found) if found <= at_most => "met",
        Some(_) => "**MISSED**",
    };
    [words, verdict.to_owned()]
}

/// The median with the lowest and highest value, or only the value if there is but one.
pub(crate) fn spread(values: &[f64]) -> String {
    let Some(middle) = median(values) else { return String::new() };
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() == 1 {
        figure(middle)
    } else {
        format!("{} ({} – {})", figure(middle), figure(lowest), figure(highest))
    }
}

/// Three significant digits, or all before the point.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.decimals$}")
}

/// A Markdown table whose columns line up in a terminal too.
pub(crate) fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().chain([&head.to_vec()]).map(|row| row[column].chars().count()).max();
        cells.unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
        format!("|{}|\n", padded.join("|"))
    };
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}|{}|\n{body}", line(head), rules.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        peer::{Keeping, Program},
        scenario::Stalled,
    };

    fn contender(label: &str) -> Contender {
        Contender {
            label: label.into(),
            program: Program::Product("roomful".into(), Keeping::Nothing),
            stalled: Stalled::Nobody,
        }
    }

    fn outcome(columns: &[(&str, &[f64])]) -> Outcome {
        let sample = |value: &f64| vec![(Measure::CpuPerDelivery, *value)];
        Outcome {
            shape: Shape::Paced,
            bound: Shape::bound,
            contenders: columns.iter().map(|(label, _)| contender(label)).collect(),
            samples: columns.iter().map(|(_, values)| values.iter().map(sample).collect()).collect(),
            failures: Vec::new(),
            meanwhile: Meanwhile::default(),
        }
    }

    fn cells(outcome: &Outcome) -> Vec<String> {
        outcome.row(Measure::CpuPerDelivery)
    }

    #[test]
    fn row_sets_medians_beside_each_other_and_judges_them() {
        let outcome = outcome(&[("floor", &[5.0, 4.0, 6.0]), ("ours", &[5.5, 5.0, 9.0])]);
        assert_eq!(
            cells(&outcome)[1..],
            ["5.00 (4.00 – 6.00)", "5.50 (5.00 – 9.00)", "1.10", "≤ 1.15 ×", "met"]
        );
    }

    #[test]
    fn bound_that_is_exceeded_is_missed() {
        let outcome = outcome(&[("floor", &[5.0]), ("ours", &[6.0])]);
        assert_eq!(cells(&outcome)[3..], ["1.20", "≤ 1.15 ×", "**MISSED**"]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        let outcome = outcome(&[("floor", &[5.0]), ("ours", &[])]);
        assert_eq!(cells(&outcome)[2..], ["", "", "≤ 1.15 ×", "not measured"]);
    }

    #[test]
    fn another_build_gets_a_ratio_of_its_own() {
        let outcome = outcome(&[("floor", &[5.0]), ("ours", &[6.0]), ("against", &[3.0])]);
        assert_eq!(outcome.head()[4..6], ["ours ÷ floor", "against ÷ ours"]);
        assert_eq!(cells(&outcome)[4..6], ["1.20", "0.50"]);
    }

    #[test]
    fn figures_have_three_digits() {
        let written: Vec<String> = [12_345.6, 12.34, 1.234, 0.1234, 0.0].map(figure).into();
        assert_eq!(written, ["12346", "12.3", "1.23", "0.123", "0"]);
    }

    #[test]
    fn table_lines_up() {
        let table = markdown(&["a".into(), "µs".into()], &[vec!["long".into(), "1".into()]]);
        assert_eq!(table, "| a    | µs |\n|------|----|\n| long | 1  |\n");
    }
}
