//! A check has a name, a time and an outcome; the report runs them one after the other and keeps the list.
//!
//! A check that fails does not end the run: one wants to see everything that is wrong at once. What failed is
//! told again at the end, below everything that scrolled by. Must never hide what a check prints.

use anyhow::Result;
use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a check ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// With what is wrong, in as many lines as it takes.
    Failed(String),
    /// With the reason. Does not make the run fail.
    Skipped(String),
}

/// What a check that did not fail has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    All,
    /// It could not be checked here, for this reason.
    NothingHere(String),
}

#[derive(Debug)]
struct Part {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// The checks so far, in the order in which they ran.
#[derive(Debug)]
pub(crate) struct Report {
    parts: Vec<Part>,
    started: Instant,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { parts: Vec::new(), started: Instant::now() }
    }

    /// Runs one check under its name. The return value says whether what builds on it can go on.
    pub(crate) fn part(&mut self, name: &'static str, check: impl FnOnce() -> Result<()>) -> Outlook {
        self.part_or_skip(name, || check().map(|()| Checked::All))
    }

    /// The same for a check that may find that there is nothing here for it to check.
    pub(crate) fn part_or_skip(
        &mut self,
        name: &'static str,
        check: impl FnOnce() -> Result<Checked>,
    ) -> Outlook {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = match check() {
            Ok(Checked::All) => Outcome::Passed,
            Ok(Checked::NothingHere(reason)) => {
                println!("skipped: {reason}");
                Outcome::Skipped(reason)
            }
            Err(error) => {
                let text = format!("{error:#}");
                println!("{text}");
                Outcome::Failed(text)
            }
        };
        let outlook = if matches!(outcome, Outcome::Failed(_)) { Outlook::Stop } else { Outlook::GoOn };
        self.parts.push(Part { name, outcome, took: started.elapsed() });
        outlook
    }

    /// Notes a check that was not run, and why.
    pub(crate) fn skip(&mut self, name: &'static str, reason: &str) {
        println!("\n== {name}\nskipped: {reason}");
        self.parts.push(Part { name, outcome: Outcome::Skipped(reason.into()), took: Duration::ZERO });
    }

    /// Prints the table, then what failed; the exit status is the process's.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\n{self}");
        if self.failures().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.parts.iter().filter_map(|part| match &part.outcome {
            Outcome::Failed(text) => Some((part.name, text.as_str())),
            Outcome::Passed | Outcome::Skipped(_) => None,
        })
    }
}

/// Whether what builds on a check can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    GoOn,
    Stop,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<32} {:>9}  outcome", "part", "seconds")?;
        for part in &self.parts {
            let outcome = match &part.outcome {
                Outcome::Passed => "passed".to_string(),
                Outcome::Failed(_) => "FAILED".to_string(),
                Outcome::Skipped(reason) => format!("skipped: {reason}"),
            };
            writeln!(formatter, "{:<32} {:>9.1}  {outcome}", part.name, part.took.as_secs_f64())?;
        }
        let failed = self.failures().count();
        let verdict = if failed == 0 { "passed".to_string() } else { format!("{failed} FAILED") };
        writeln!(formatter, "{:<32} {:>9.1}  {verdict}", "total", self.started.elapsed().as_secs_f64())?;
        for (name, text) in self.failures() {
            writeln!(formatter, "\nfailed: {name}\n{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn failed_part_does_not_keep_the_next_from_running_and_is_told_at_the_end() {
        let mut report = Report::new();
        assert_eq!(report.part("first", || bail!("a wheel is missing")), Outlook::Stop);
        assert_eq!(report.part("second", || Ok(())), Outlook::GoOn);
        let text = report.to_string();
        assert!(text.contains("1 FAILED"), "{text}");
        assert!(text.ends_with("failed: first\na wheel is missing\n"), "{text}");
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn skipped_part_says_why_and_is_no_failure() {
        let mut report = Report::new();
        report.skip("advisories", "no network");
        let elsewhere = || Ok(Checked::NothingHere("another toolchain".into()));
        assert_eq!(report.part_or_skip("instructions", elsewhere), Outlook::GoOn);
        assert!(report.to_string().contains("skipped: another toolchain"));
        assert!(report.to_string().contains("skipped: no network"));
        assert_eq!(report.finish(), ExitCode::SUCCESS);
    }
}
