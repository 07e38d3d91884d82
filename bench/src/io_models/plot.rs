//! The plot: what a message costs amid idle connections, both axes logarithmic, one line a poller. SVG by plain text.
//!
//! It is looked at on light and on dark pages, so the colours follow the page's scheme. Lines are told apart by their names at
//! their ends and by their dashes, never by colour alone.

use std::fmt::Write as _;

use eventloop::PollerKind;

use super::tables::PollerTrials;
use crate::histogram::median;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
/// The space around the field, for the words: left, top, right, bottom.
const MARGIN: [f64; 4] = [74.0, 44.0, 82.0, 62.0];
/// How far the names of two lines are kept apart, in pixels.
const NAME_APART: f64 = 18.0;

const STYLE: &str = "\
text { font: 14px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: .35; }
.line { fill: none; stroke-width: 2.5; }
.select { stroke: #b35900; } .poll { stroke: #8250df; } .epoll { stroke: #0969da; }
text.select { stroke: none; fill: #b35900; } text.poll { stroke: none; fill: #8250df; } text.epoll { stroke: none; fill: #0969da; }
circle.select { fill: #b35900; } circle.poll { fill: #8250df; } circle.epoll { fill: #0969da; }
.name { font-weight: 600; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.select { stroke: #f0883e; } .poll { stroke: #d2a8ff; } .epoll { stroke: #79c0ff; }
text.select, circle.select { fill: #f0883e; } text.poll, circle.poll { fill: #d2a8ff; } text.epoll, circle.epoll { fill: #79c0ff; }
}
";

/// One line of the plot.
struct Curve {
    kind: PollerKind,
    /// Connections, the active one included, and µs per message.
    points: Vec<(f64, f64)>,
}

/// The plot of what was measured, as an SVG document.
pub fn svg(trials: &PollerTrials) -> String {
    let curves = curves(trials);
    let field = Field::around(&curves);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title description\">\n\
         <title id=\"title\">CPU time per message amid idle connections</title>\n\
         <desc id=\"description\">{}</desc>\n<style>\n{STYLE}</style>\n",
        description(&curves)
    );
    svg += &field.axes();
    for curve in &curves {
        svg += &field.line(curve);
    }
    svg += &field.names(&curves);
    svg + "</svg>\n"
}

fn curves(trials: &PollerTrials) -> Vec<Curve> {
    let of = |kind| {
        let mut points: Vec<(f64, f64)> = trials
            .iter()
            .filter(|trial| trial.subject.0 == kind)
            .filter_map(|trial| {
                let costs: Vec<f64> = trial.outcomes.iter().map(|outcome| outcome.total_us()).collect();
                // A cost of zero, which a very short measurement may find, has no logarithm.
                let cost = median(&costs).filter(|cost| *cost > 0.0)?;
                Some(((trial.subject.1 + 1) as f64, cost))
            })
            .collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        Curve { kind, points }
    };
    PollerKind::ALL.into_iter().map(of).filter(|curve| !curve.points.is_empty()).collect()
}

/// The plot in words, for those who do not see it.
fn description(curves: &[Curve]) -> String {
    let said = curves.iter().filter_map(|curve| {
        let ((from, first), (to, last)) = (curve.points.first()?, curve.points.last()?);
        Some(format!("{}: {first:.0} µs with {from} connection, {last:.0} µs with {to}.", curve.kind.name()))
    });
    said.collect::<Vec<_>>().join(" ")
}

/// The field between the axes: whole decades in both directions.
struct Field {
    /// Exponents of ten.
    right: i32,
    bottom: i32,
    top: i32,
}

impl Field {
    fn around(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let most = points().map(|(connections, _)| *connections).fold(10.0, f64::max);
        let lowest = points().map(|(_, cost)| *cost).fold(10.0, f64::min);
        let highest = points().map(|(_, cost)| *cost).fold(lowest * 10.0, f64::max);
        // The active connection makes 10,001 of 10,000; that is no reason for another decade.
        let right = (most * 0.9).log10().ceil() as i32;
        Field { right, bottom: lowest.log10().floor() as i32, top: highest.log10().ceil() as i32 }
    }

    fn x(&self, connections: f64) -> f64 {
        let [left, _, right, _] = MARGIN;
        left + (WIDTH - left - right) * connections.log10() / f64::from(self.right)
    }

    fn y(&self, cost: f64) -> f64 {
        let [_, top, _, bottom] = MARGIN;
        let share = (cost.log10() - f64::from(self.bottom)) / f64::from(self.top - self.bottom);
        HEIGHT - bottom - (HEIGHT - top - bottom) * share
    }

    fn axes(&self) -> String {
        let [left, top, right, bottom] = MARGIN;
        let mut svg = format!(
            "<text class=\"title\" x=\"{left}\" y=\"24\">CPU µs of the server per message</text>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">connections watched: one talks, the others are idle</text>\n",
            (left + WIDTH - right) / 2.0,
            HEIGHT - 16.0
        );
        for exponent in 0..=self.right {
            let x = self.x(10_f64.powi(exponent));
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                HEIGHT - bottom,
                HEIGHT - bottom + 20.0,
                power_of_ten(exponent)
            );
        }
        for exponent in self.bottom..=self.top {
            let y = self.y(10_f64.powi(exponent));
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - right,
                left - 8.0,
                y + 5.0,
                power_of_ten(exponent)
            );
        }
        svg
    }

    fn line(&self, curve: &Curve) -> String {
        let name = curve.kind.name();
        let at = |(connections, cost): &(f64, f64)| (self.x(*connections), self.y(*cost));
        let places: Vec<String> = curve
            .points
            .iter()
            .map(|point| {
                let (x, y) = at(point);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let mut svg = format!(
            "<polyline class=\"line {name}\" stroke-dasharray=\"{}\" points=\"{}\"/>\n",
            dashes(curve.kind),
            places.join(" ")
        );
        for point in &curve.points {
            let (x, y) = at(point);
            let _ = writeln!(svg, "<circle class=\"{name}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
        }
        svg
    }

    /// The name of each line at its end, the lowest first; one that would cover the one before is moved up.
    fn names(&self, curves: &[Curve]) -> String {
        let ends = curves.iter().filter_map(|curve| {
            let (connections, cost) = *curve.points.last()?;
            Some((self.x(connections), self.y(cost), curve.kind.name()))
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by(|left, right| right.1.total_cmp(&left.1));
        let mut highest_free = f64::INFINITY;
        let mut svg = String::new();
        for (x, y, name) in ends {
            let y = y.min(highest_free);
            highest_free = y - NAME_APART;
            let _ = writeln!(
                svg,
                "<text class=\"name {name}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                x + 10.0,
                y + 5.0
            );
        }
        svg
    }
}

fn dashes(kind: PollerKind) -> &'static str {
    match kind {
        PollerKind::Select => "2 4",
        PollerKind::Poll => "8 4",
        PollerKind::Epoll => "none",
    }
}

/// `10000` as `10,000`, `0.01` as it is.
fn power_of_ten(exponent: i32) -> String {
    let Ok(zeros) = usize::try_from(exponent) else { return 10_f64.powi(exponent).to_string() };
    let digits = format!("1{}", "0".repeat(zeros));
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io_models::{measure::PerRequest, rounds::Trial};

    fn trial(kind: PollerKind, idle: usize, total_us: f64) -> Trial<(PollerKind, usize), PerRequest> {
        let outcome = PerRequest { user_us: 0.0, system_us: total_us };
        Trial { subject: (kind, idle), outcomes: vec![outcome], failure: None }
    }

    #[test]
    fn powers_of_ten_are_written_for_people() {
        assert_eq!([-2, 0, 3, 4, 6].map(power_of_ten), ["0.01", "1", "1,000", "10,000", "1,000,000"]);
    }

    #[test]
    fn ten_times_the_cost_is_a_decade_higher() {
        let trials = vec![trial(PollerKind::Poll, 0, 10.0), trial(PollerKind::Poll, 9_999, 1_000.0)];
        let field = Field::around(&curves(&trials));
        assert_eq!((field.bottom, field.top, field.right), (1, 3, 4));
        let decade = field.y(10.0) - field.y(100.0);
        assert!((field.y(100.0) - field.y(1_000.0) - decade).abs() < 1e-9);
        assert!(field.x(10_000.0) <= WIDTH - MARGIN[2] + 1e-9);
    }

    #[test]
    fn each_poller_that_was_measured_has_a_line_with_its_name() {
        let trials = vec![trial(PollerKind::Select, 0, 16.0), trial(PollerKind::Epoll, 0, 14.0)];
        let svg = svg(&trials);
        assert!(svg.contains(">select</text>") && svg.contains(">epoll</text>"), "{svg}");
        assert!(!svg.contains(">poll</text>"));
    }

    #[test]
    fn names_of_lines_that_end_together_do_not_cover_each_other() {
        let trials = vec![trial(PollerKind::Select, 9, 20.0), trial(PollerKind::Poll, 9, 20.0)];
        let curves = curves(&trials);
        let names = Field::around(&curves).names(&curves);
        let heights: Vec<f64> = names
            .lines()
            .filter_map(|line| line.split(" y=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!((heights[0] - heights[1]).abs() >= NAME_APART, "{names}");
    }

    #[test]
    fn nothing_measured_is_an_empty_field() {
        assert!(svg(&Vec::new()).ends_with("</svg>\n"));
    }
}
