//! `cargo xtask instructions`: how many instructions the hot paths take, compared with the table in the repository.
//!
//! The engine's example `instructions` does one thing so many times; valgrind's callgrind counts. A count does not swing with
//! the machine as a time does, so that a change that costs something is seen in the change itself. It depends on the
//! compiler, the C library (its allocator is counted, too), the architecture and valgrind, which are named above the table:
//! where another one of them is at work nothing is compared, and the check says so. Whoever changes the toolchain runs
//! `cargo xtask instructions --write` before and behind the change, and the difference is the toolchain's.
//!
//! Must never write the table unasked, nor pass a count that is not within the bound of its row.

use crate::command::{answer, cargo, root, run, self_description};
use crate::report::Checked;
use anyhow::{Context, Result, bail, ensure};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// A count may differ from the table by so much, either way, before the table has to be written anew.
const TOLERANCE_PERCENT: u64 = 10;
const TABLE: &str = "docs/bench/instructions.md";
/// The line above the table that names what the counts depend on begins with this.
const TOOLCHAIN: &str = "Toolchain: ";

/// What is done with the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Print them beside the table, and fail if they do not fit.
    Compare,
    /// Make them the table.
    Write,
}

/// A case, and how often it is done in each of the two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Case {
    name: String,
    fewer: u64,
    more: u64,
    what: String,
}

/// A case and its count for one time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    what: String,
    count: u64,
}

/// What a table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    toolchain: String,
    rows: Vec<Row>,
}

/// Counts, and then does what was asked.
///
/// # Errors
/// When something cannot be built or run, or when a count does not fit the table.
pub(crate) fn perform(purpose: Purpose) -> Result<()> {
    match purpose {
        Purpose::Write => {
            let counted = count()?;
            fs::write(root().join(TABLE), counted.to_string())
                .with_context(|| format!("cannot write {TABLE}"))?;
            println!("{counted}\nwritten to {TABLE}");
        }
        Purpose::Compare => {
            let table = read_table()?;
            let counted = count()?;
            println!("{}", beside(&table, &counted));
            match differing_toolchain(&table.toolchain, &counted.toolchain) {
                Some(difference) => println!("nothing is compared: {difference}"),
                None => check(&table, &counted)?,
            }
        }
    }
    Ok(())
}

/// The same as a part of the checks: counts only where there is something to compare with.
///
/// # Errors
/// When something cannot be built or run, or when a count does not fit the table.
pub(crate) fn compare() -> Result<Checked> {
    let table = read_table()?;
    if let Some(difference) = differing_toolchain(&table.toolchain, &toolchain()?) {
        return Ok(Checked::NothingHere(difference));
    }
    let counted = count()?;
    println!("{}", beside(&table, &counted));
    check(&table, &counted).map(|()| Checked::All)
}

// Counting.

fn count() -> Result<Table> {
    run(&mut cargo(&[
        "build",
        "--profile",
        "instructions",
        "--package",
        "engine",
        "--example",
        "instructions",
    ]))?;
    let program = program()?;
    let cases = parse_cases(&answer(Command::new(&program).arg("list"))?)?;
    let rows = cases.iter().map(|case| {
        let [fewer, more] = [case.fewer, case.more].map(|times| count_run(&program, &case.name, times));
        let count = more?.saturating_sub(fewer?) / (case.more - case.fewer);
        Ok(Row { name: case.name.clone(), what: case.what.clone(), count })
    });
    Ok(Table { toolchain: toolchain()?, rows: rows.collect::<Result<_>>()? })
}

/// Where the example stands: beside the directory in which we were built ourselves.
fn program() -> Result<PathBuf> {
    let ourselves = env::current_exe().context("cannot find out where this program stands")?;
    let target = ourselves.ancestors().nth(2).context("this program stands outside a target directory")?;
    Ok(target.join("instructions/examples/instructions"))
}

/// How many instructions one run of the program takes. What was counted where stays beside the program, for
/// `callgrind_annotate`.
fn count_run(program: &PathBuf, name: &str, times: u64) -> Result<u64> {
    let kept = program.with_file_name(format!("{name}.{times}.callgrind"));
    let output = format!("--callgrind-out-file={}", kept.display());
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", &output]).arg(program).args([name, &times.to_string()]);
    answer(&mut valgrind)?;
    let text = fs::read_to_string(&kept).with_context(|| format!("cannot read {}", kept.display()))?;
    total(&text).with_context(|| format!("{} has no total", kept.display()))
}

/// The sum in a file of callgrind's: its line `summary: N`.
fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("summary: "))?.trim().parse().ok()
}

fn parse_cases(list: &str) -> Result<Vec<Case>> {
    let parse = |line: &str| {
        let [name, fewer, more, what] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
        let (fewer, more) = (fewer.parse().ok()?, more.parse().ok()?);
        (more > fewer).then(|| Case { name: name.into(), fewer, more, what: what.into() })
    };
    list.lines().map(|line| parse(line).with_context(|| format!("`{line}` is no case"))).collect()
}

/// Everything outside the repository that the counts depend on.
fn toolchain() -> Result<String> {
    let rustc = answer(
        Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").current_dir(root()),
    )?;
    let fact =
        |name: &str| rustc.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown").trim();
    let library = self_description("getconf", "GNU_LIBC_VERSION").unwrap_or_default();
    let library = if library.starts_with("glibc") { library.trim() } else { "no glibc" };
    let valgrind = self_description("valgrind", "--version").context("valgrind is missing")?;
    Ok(format!("rustc {}, {}, {library}, {}", fact("release:"), fact("host:"), valgrind.trim()))
}

// The table.

fn read_table() -> Result<Table> {
    let text = fs::read_to_string(root().join(TABLE))
        .with_context(|| format!("cannot read {TABLE}\nhint: cargo xtask instructions --write"))?;
    parse_table(&text).with_context(|| format!("{TABLE} is not as it is written"))
}

fn parse_table(text: &str) -> Option<Table> {
    let toolchain = text.lines().find_map(|line| line.strip_prefix(TOOLCHAIN))?.to_string();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(parse_row);
    Some(Table { toolchain, rows: rows.collect::<Option<_>>()? })
}

fn parse_row(line: &str) -> Option<Row> {
    let [_, name, count, what, _] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
        return None;
    };
    let count = count.replace(',', "").parse().ok()?;
    Some(Row { name: name.trim_matches('`').into(), what: what.into(), count })
}

impl std::fmt::Display for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widest =
            |width: fn(&Row) -> usize, least| self.rows.iter().map(width).max().unwrap_or(0).max(least);
        let name_width = widest(|row| row.name.len() + 2, 4);
        let count_width = widest(|row| grouped(row.count).len(), 12);
        let what_width = widest(|row| row.what.chars().count(), 8);
        writeln!(formatter, "# Instructions\n")?;
        writeln!(
            formatter,
            "How many instructions one time takes, counted by valgrind's callgrind. Written by `cargo xtask instructions --write`; \
             `cargo xtask test` fails when a count differs from its row by more than {TOLERANCE_PERCENT} %, either way: the table \
             changes in the commit that changes the count. With another toolchain than the one below nothing is compared. The \
             cases are in `engine/examples/instructions.rs`.\n"
        )?;
        writeln!(formatter, "{TOOLCHAIN}{}\n", self.toolchain)?;
        writeln!(
            formatter,
            "| {:name_width$} | {:>count_width$} | {:what_width$} |",
            "case", "instructions", "one time"
        )?;
        writeln!(
            formatter,
            "|{:-<1$}|{2:->3$}:|{4:-<5$}|",
            "",
            name_width + 2,
            "",
            count_width + 1,
            "",
            what_width + 2
        )?;
        for Row { name, what, count } in &self.rows {
            let (name, count) = (format!("`{name}`"), grouped(*count));
            writeln!(formatter, "| {name:name_width$} | {count:>count_width$} | {what:what_width$} |")?;
        }
        Ok(())
    }
}

/// A number with a comma in front of every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

// Comparing.

fn differing_toolchain(of_table: &str, here: &str) -> Option<String> {
    (of_table != here).then(|| format!("the table is of {of_table}; here is {here}"))
}

/// The counts and those of the table, for people.
fn beside(table: &Table, counted: &Table) -> String {
    let mut text = format!("{:<16} {:>12} {:>12} {:>9}\n", "case", "table", "now", "change");
    for row in &counted.rows {
        let known = known(table, row).map(|known| known.count);
        let (was, change) = match known {
            Some(was) => (grouped(was), format!("{:+.1} %", change_percent(was, row.count))),
            None => ("-".into(), "new".into()),
        };
        writeln!(text, "{:<16} {was:>12} {:>12} {change:>9}", row.name, grouped(row.count))
            .expect("a string takes everything");
    }
    text
}

fn known<'a>(table: &'a Table, row: &Row) -> Option<&'a Row> {
    table.rows.iter().find(|known| known.name == row.name)
}

fn change_percent(was: u64, is: u64) -> f64 {
    (is as f64 - was as f64) * 100.0 / (was.max(1) as f64)
}

fn check(table: &Table, counted: &Table) -> Result<()> {
    let gone = table.rows.iter().filter(|row| known(counted, row).is_none());
    let gone = gone.map(|row| format!("{}: there is no such case any more", row.name));
    let changed = counted.rows.iter().filter_map(|row| finding(known(table, row), row));
    let findings: Vec<String> = changed.chain(gone).collect();
    if !findings.is_empty() {
        bail!(
            "{}\nhint: `cargo xtask instructions --write` writes the table anew; it changes in the same commit, which says why",
            findings.join("\n")
        );
    }
    ensure!(!counted.rows.is_empty(), "nothing was counted");
    Ok(())
}

fn finding(known: Option<&Row>, row: &Row) -> Option<String> {
    let Some(known) = known else { return Some(format!("{}: a new case, not in the table", row.name)) };
    let is_within = row.count.abs_diff(known.count) * 100 <= known.count * TOLERANCE_PERCENT;
    let way = if row.count > known.count { "grew" } else { "shrank" };
    let (was, is) = (grouped(known.count), grouped(row.count));
    let percent = change_percent(known.count, row.count);
    (!is_within).then(|| format!("{}: {way} from {was} to {is} ({percent:+.1} %)", row.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, count: u64) -> Row {
        Row { name: name.into(), what: "a line is said".into(), count }
    }

    fn table(rows: &[Row]) -> Table {
        Table { toolchain: "rustc 1.0.0, here".into(), rows: rows.to_vec() }
    }

    fn checked(was: &[Row], is: &[Row]) -> String {
        check(&table(was), &table(is)).map_or_else(|error| error.to_string(), |()| "fits".into())
    }

    #[test]
    fn table_is_read_as_it_was_written() {
        let written = table(&[row("say", 868), row("message", 1_234_567)]);
        assert_eq!(parse_table(&written.to_string()), Some(written));
    }

    #[test]
    fn count_within_a_tenth_of_its_row_fits() {
        assert_eq!(checked(&[row("say", 1000)], &[row("say", 1100)]), "fits");
        assert_eq!(checked(&[row("say", 1000)], &[row("say", 900)]), "fits");
    }

    #[test]
    fn count_that_grew_or_shrank_by_more_is_named_with_both_numbers() {
        let grown = checked(&[row("say", 1000)], &[row("say", 1101)]);
        assert!(grown.starts_with("say: grew from 1,000 to 1,101 (+10.1 %)"), "{grown}");
        let shrunk = checked(&[row("say", 1000)], &[row("say", 899)]);
        assert!(
            shrunk.starts_with("say: shrank from 1,000 to 899") && shrunk.contains("--write"),
            "{shrunk}"
        );
    }

    #[test]
    fn table_and_cases_name_the_same() {
        assert!(checked(&[], &[row("say", 1)]).starts_with("say: a new case"));
        assert!(checked(&[row("say", 1)], &[]).starts_with("say: there is no such case"));
    }

    #[test]
    fn other_toolchain_is_told_with_both_names() {
        assert_eq!(differing_toolchain("rustc 1", "rustc 1"), None);
        let difference = differing_toolchain("rustc 1", "rustc 2").expect("a difference");
        assert!(difference.contains("rustc 1") && difference.contains("rustc 2"), "{difference}");
    }

    #[test]
    fn list_of_the_program_is_understood_and_rubbish_refused() {
        let cases = parse_cases("say\t10\t20\ta line is said\n").expect("a list");
        assert_eq!(cases, [Case { name: "say".into(), fewer: 10, more: 20, what: "a line is said".into() }]);
        assert!(parse_cases("say\t20\t10\tless and less\n").is_err());
        assert!(parse_cases("say\n").is_err());
    }

    #[test]
    fn total_is_found_in_what_callgrind_writes() {
        assert_eq!(total("version: 1\nevents: Ir\nsummary: 25412\n\nob=(1) x\n"), Some(25412));
        assert_eq!(total("version: 1\n"), None);
    }
}
