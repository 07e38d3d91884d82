//! Tables out of trials, in Markdown: medians with lowest and highest, Python's beside ours, bounds and whether they were met.
//!
//! A bound that is missed is said here and nowhere else: no program fails for it. What failed is said, too.

use std::fmt::Write as _;

use eventloop::PollerKind;

use super::{
    measure::{CLIENTS, PerConnection, PerRequest, REQUESTS_PER_KEPT, Shape},
    rounds::Trial,
    way::{Contender, Model, Way},
};
use crate::{
    histogram::median,
    report::{figure, markdown, spread},
};

/// What stands where Python's figures would.
const NO_PYTHON: &str = "no python3 here";

/// What requests cost in one shape.
pub type RequestTrials = Vec<Trial<Contender, PerRequest>>;
/// What idle connections take; the subject's second part is how many there were.
pub type MemoryTrials = Vec<Trial<(Contender, usize), PerConnection>>;
/// What a message costs; the subject's second part is how many idle connections there were.
pub type PollerTrials = Vec<Trial<(PollerKind, usize), PerRequest>>;

/// Requests per CPU second in one shape: every way of ours beside Python's of the same model.
pub fn requests(shape: Shape, trials: &RequestTrials) -> String {
    let head = ["ours", "Python's", "ours ÷ Python's", "bound", ""].map(str::to_owned);
    let head: Vec<String> = std::iter::once(rounds_title(trials)).chain(head).collect();
    let rows: Vec<Vec<String>> = Way::ALL.into_iter().map(|way| request_row(way, trials)).collect();
    format!(
        "{}\n\n{}{}",
        request_caption(shape),
        markdown(&head, &rows),
        failures(trials, ToString::to_string)
    )
}

fn request_caption(shape: Shape) -> String {
    let uses = match shape {
        Shape::ConnectionEach => "**A connection for each request.**".to_owned(),
        Shape::Kept => format!("**{REQUESTS_PER_KEPT} requests on each connection.**"),
    };
    format!(
        "{uses} Thousand requests per CPU second of the server; {CLIENTS} clients at a time, with the iterative servers one:"
    )
}

fn request_row(way: Way, trials: &RequestTrials) -> Vec<String> {
    let of = |contender: Contender| -> Vec<f64> {
        let outcomes = trials.iter().find(|trial| trial.subject == contender).map(|trial| &trial.outcomes);
        outcomes.into_iter().flatten().map(|outcome| outcome.per_cpu_second() / 1e3).collect()
    };
    let (ours, pythons) = (of(Contender::Ours(way)), of(Contender::Python(way.model())));
    let times = ratio(&ours, &pythons);
    let mut row = vec![way.title(), spread(&ours), or_no_python(spread(&pythons), &pythons)];
    row.push(times.map_or(String::new(), |times| format!("{times:.2}")));
    row.extend(judge(way.model(), times));
    row
}

/// Threads and children have to be cheaper than Python's; for the others nothing was promised.
fn judge(model: Model, times: Option<f64>) -> [String; 2] {
    if !matches!(model, Model::Threading | Model::Forking) {
        return [String::new(), String::new()];
    }
    let verdict = match times {
        None => "not measured",
        Some(times) if times >= 1.0 => "met",
        Some(_) => "**NOT MET**",
    };
    ["≥ 1 ×".to_owned(), verdict.to_owned()]
}

/// What an idle connection takes: every way of ours beside Python's of the same model.
pub fn memory(trials: &MemoryTrials) -> String {
    let head = [
        "connections",
        "resident",
        "proportional",
        "page tables",
        "kernel stacks",
        "Python's, proportional",
        "ours ÷ Python's",
    ];
    let head: Vec<String> = std::iter::once(rounds_title(trials)).chain(head.map(str::to_owned)).collect();
    let rows: Vec<Vec<String>> = trials.iter().filter_map(|trial| memory_row(trial, trials)).collect();
    let caption = "KiB per idle connection:";
    let name = |subject: &(Contender, usize)| subject.0.to_string();
    format!("{caption}\n\n{}{}", markdown(&head, &rows), failures(trials, name))
}

fn memory_row(trial: &Trial<(Contender, usize), PerConnection>, all: &MemoryTrials) -> Option<Vec<String>> {
    let (contender, connections) = trial.subject;
    let Contender::Ours(way) = contender else { return None };
    let python = Contender::Python(way.model());
    let pythons = all.iter().find(|other| other.subject.0 == python);
    let of = |trial: &Trial<_, PerConnection>, part: fn(&PerConnection) -> f64| -> Vec<f64> {
        trial.outcomes.iter().map(|outcome| part(outcome) / 1024.0).collect()
    };
    let middle = |part| median(&of(trial, part)).map_or(String::new(), figure);
    let ours = of(trial, |outcome| outcome.proportional);
    let theirs = pythons.map(|trial| of(trial, |outcome| outcome.proportional)).unwrap_or_default();
    Some(vec![
        way.title(),
        connections.to_string(),
        middle(|outcome| outcome.resident),
        spread(&ours),
        middle(|outcome| outcome.page_tables),
        middle(|outcome| outcome.kernel_stacks),
        or_no_python(spread(&theirs), &theirs),
        ratio(&ours, &theirs).map_or(String::new(), |times| format!("{times:.2}")),
    ])
}

/// What a message costs amid idle connections: a poller a row, a number of them a column.
pub fn pollers(trials: &PollerTrials) -> String {
    let mut idle: Vec<usize> = trials.iter().map(|trial| trial.subject.1).collect();
    idle.sort_unstable();
    idle.dedup();
    let columns = idle.iter().map(|idle| format!("amid {idle}"));
    let head: Vec<String> = std::iter::once(rounds_title(trials)).chain(columns).collect();
    let rows: Vec<Vec<String>> =
        PollerKind::ALL.into_iter().flat_map(|kind| poller_rows(kind, &idle, trials)).collect();
    let mut text = format!(
        "CPU time of the server per message of the one active connection, in µs, amid so many idle ones:\n\n{}",
        markdown(&head, &rows)
    );
    for trial in trials.iter().filter(|trial| is_impossible(trial)) {
        let ((kind, idle), error) = (trial.subject, trial.failure.as_ref());
        // The outermost is what the server said; below it stands what the clients saw of it.
        let words = error.map(|error| own_words(&error.to_string())).unwrap_or_default();
        let _ = writeln!(text, "\nImpossible with {kind} amid {idle}, in its own words: *{words}*.");
    }
    let failed: Vec<&Trial<_, _>> = trials.iter().filter(|trial| !is_impossible(trial)).collect();
    text + &failures(failed, |(kind, idle)| format!("{kind} amid {idle}"))
}

/// Whether the poller cannot watch so many: that is a finding and not a failure of the measurement.
pub fn is_impossible(trial: &Trial<(PollerKind, usize), PerRequest>) -> bool {
    let (kind, idle) = trial.subject;
    trial.failure.is_some() && kind.descriptors_max().is_some_and(|most| idle >= most as usize)
}

fn poller_rows(kind: PollerKind, idle: &[usize], trials: &PollerTrials) -> [Vec<String>; 3] {
    let row = |title: &str, part: fn(&PerRequest) -> f64, missing: &str| {
        let cell = |idle: &usize| {
            let trial = trials.iter().find(|trial| trial.subject == (kind, *idle));
            let values: Vec<f64> = trial.iter().flat_map(|trial| &trial.outcomes).map(part).collect();
            if trial.is_some_and(is_impossible) { missing.to_owned() } else { spread(&values) }
        };
        std::iter::once(title.to_owned()).chain(idle.iter().map(cell)).collect()
    };
    [
        row(kind.name(), |outcome| outcome.total_us(), "impossible"),
        row("· of it user", |outcome| outcome.user_us, ""),
        row("· of it system", |outcome| outcome.system_us, ""),
    ]
}

/// What the server said about the descriptor, without whose request it was.
fn own_words(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let words = line.split_once("cannot take a request: ").map_or(line, |(_, words)| words);
    words.to_owned()
}

fn rounds_title<S, T>(trials: &[Trial<S, T>]) -> String {
    let rounds = trials.iter().map(|trial| trial.outcomes.len()).max().unwrap_or(0);
    format!("median of {rounds} (lowest – highest)")
}

fn ratio(ours: &[f64], pythons: &[f64]) -> Option<f64> {
    Some(median(ours)? / median(pythons)?).filter(|ratio| ratio.is_finite())
}

fn or_no_python(text: String, values: &[f64]) -> String {
    if values.is_empty() { NO_PYTHON.to_owned() } else { text }
}

fn failures<'a, S: 'a, T: 'a>(
    trials: impl IntoIterator<Item = &'a Trial<S, T>>,
    name: impl Fn(&S) -> String,
) -> String {
    let mut text = String::new();
    for trial in trials {
        if let Some(error) = &trial.failure {
            let _ = write!(
                text,
                "\n**FAILED**: {}: {}\n",
                name(&trial.subject),
                format!("{error:#}").replace('\n', "\n> ")
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io_models::way::Handler;
    use anyhow::anyhow;

    fn cost(total_us: f64) -> PerRequest {
        PerRequest { user_us: total_us / 4.0, system_us: total_us * 3.0 / 4.0 }
    }

    fn trial<S, T>(subject: S, outcomes: Vec<T>) -> Trial<S, T> {
        Trial { subject, outcomes, failure: None }
    }

    const THREADS: Contender = Contender::Ours(Way::Threading(Handler::Blocking));
    const PYTHONS: Contender = Contender::Python(Model::Threading);

    fn row_of<'a>(table: &'a str, title: &str) -> Vec<&'a str> {
        let row = table.lines().find(|line| line.starts_with(&format!("| {title} "))).unwrap();
        row.trim_matches('|').split('|').map(str::trim).collect()
    }

    #[test]
    fn more_requests_than_python_meet_the_bound() {
        let trials =
            vec![trial(THREADS, vec![cost(20.0), cost(25.0), cost(50.0)]), trial(PYTHONS, vec![cost(100.0)])];
        let table = requests(Shape::Kept, &trials);
        assert_eq!(
            row_of(&table, "threading, blocking handler")[1..],
            ["40.0 (20.0 – 50.0)", "10.0", "4.00", "≥ 1 ×", "met"]
        );
    }

    #[test]
    fn fewer_requests_than_python_do_not() {
        let table = requests(
            Shape::Kept,
            &vec![trial(THREADS, vec![cost(200.0)]), trial(PYTHONS, vec![cost(100.0)])],
        );
        assert_eq!(row_of(&table, "threading, blocking handler")[3..], ["0.50", "≥ 1 ×", "**NOT MET**"]);
    }

    #[test]
    fn without_python_the_bound_was_not_measured() {
        let table = requests(Shape::Kept, &vec![trial(THREADS, vec![cost(200.0)])]);
        assert_eq!(
            row_of(&table, "threading, blocking handler")[2..],
            [NO_PYTHON, "", "≥ 1 ×", "not measured"]
        );
    }

    #[test]
    fn what_failed_is_said_with_its_name() {
        let failed = Trial { subject: THREADS, outcomes: Vec::new(), failure: Some(anyhow!("no answer")) };
        let table = requests(Shape::Kept, &vec![failed]);
        assert!(table.contains("**FAILED**: threading, blocking handler: no answer"), "{table}");
    }

    #[test]
    fn memory_stands_beside_that_of_python() {
        let kib = |proportional: f64| PerConnection {
            resident: 2048.0,
            proportional: proportional * 1024.0,
            page_tables: 512.0,
            kernel_stacks: 16384.0,
        };
        let trials = vec![trial((THREADS, 200), vec![kib(10.0)]), trial((PYTHONS, 200), vec![kib(40.0)])];
        let table = memory(&trials);
        assert_eq!(
            row_of(&table, "threading, blocking handler")[1..],
            ["200", "2.00", "10.0", "0.500", "16.0", "40.0", "0.25"]
        );
    }

    #[test]
    fn poller_at_its_end_says_so_in_its_own_words() {
        let refused =
            "request of 127.0.0.1:1: cannot take a request: descriptor 1024 is too large\nand so on";
        let trials = vec![
            trial((PollerKind::Select, 0), vec![cost(16.0)]),
            Trial {
                subject: (PollerKind::Select, 1_024),
                outcomes: Vec::new(),
                failure: Some(anyhow!(refused)),
            },
        ];
        let table = pollers(&trials);
        assert_eq!(row_of(&table, "select")[1..], ["16.0", "impossible"]);
        assert_eq!(row_of(&table, "· of it user")[1..], ["4.00", ""]);
        assert!(table.contains("in its own words: *descriptor 1024 is too large*."), "{table}");
        assert!(!table.contains("FAILED"));
    }
}
