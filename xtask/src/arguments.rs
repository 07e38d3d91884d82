//! What was asked of `cargo xtask`: words become a [`Verb`], or a sentence that says what would be right.
//!
//! Six verbs are too few for a parser from outside, which would take longer to build than everything else here.
//! It must never run anything.

use crate::instructions::Purpose;

/// What `cargo xtask --help` prints.
pub(crate) const HELP: &str = "\
Runs the checks and the measurements of this repository.

Usage: cargo xtask <VERB>

Verbs:
  test           install what the checks need, then run every check that a change must pass
  test --all     also licences and advisories (cargo deny), many more seeds and fuzzing; takes longer
  sim [ARGS]     build the simulator with optimisation and run it; ARGS go to it unchanged
  bench [ARGS]   build `roomful` and `bench` with optimisation and run `bench run ARGS`
  bench history [ARGS]
                 the same for `bench history ARGS`: what it costs to keep what is said, into docs/bench/history.md
  bench client [ARGS]
                 the same for `bench client ARGS`: how fast the terminal client is, into docs/bench/client.md
  bench io [ARGS]
                 the same for `bench io ARGS`: ways to serve and pollers beside Python's, into docs/io-models.md
  instructions   count with valgrind what the hot paths cost, beside docs/bench/instructions.md
  instructions --write
                 make the counts that table
  screenshot     build `roomful`, let people talk there, and draw what its client shows into docs/client.svg
  help           print this (also -h, --help)

Examples:
  cargo xtask test
  cargo xtask sim --seeds 1000 --from 0
  cargo xtask bench --help
";

const VERBS: [&str; 6] = ["test", "sim", "bench", "instructions", "screenshot", "help"];

/// One thing that this program can do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Help,
    Test(Scope),
    /// The words are the simulator's own.
    Sim(Vec<String>),
    /// The words are those of `bench run`, or of another of its measurements if they begin with `history`, `client` or `io`.
    Bench(Vec<String>),
    Instructions(Purpose),
    Screenshot,
}

/// How much `cargo xtask test` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What every change must pass, in minutes.
    EveryChange,
    /// That, and what needs more tools or more time.
    All,
}

/// Understands the words after `cargo xtask`.
///
/// # Errors
/// A sentence for the person who typed them, without a final stop.
pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Verb, String> {
    let mut words = words.into_iter();
    let Some(verb) = words.next() else {
        return Err(format!("no verb given, expected one of: {}", VERBS.join(", ")));
    };
    let rest: Vec<String> = words.collect();
    match verb.as_str() {
        "test" => parse_test(&rest),
        "sim" => Ok(Verb::Sim(rest)),
        "bench" => Ok(Verb::Bench(rest)),
        "instructions" => parse_instructions(&rest),
        "screenshot" => parse_screenshot(&rest),
        "help" | "--help" | "-h" => Ok(Verb::Help),
        _ => Err(unknown_verb(&verb)),
    }
}

fn parse_test(rest: &[String]) -> Result<Verb, String> {
    let mut scope = Scope::EveryChange;
    for word in rest {
        match word.as_str() {
            "--all" => scope = Scope::All,
            "--help" | "-h" => return Ok(Verb::Help),
            _ => {
                return Err(format!(
                    "unknown argument `{word}` after `test`, which takes only `--all`\n\
                     hint: one crate's tests are run by `cargo test -p CRATE`"
                ));
            }
        }
    }
    Ok(Verb::Test(scope))
}

fn parse_instructions(rest: &[String]) -> Result<Verb, String> {
    match rest.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(Verb::Instructions(Purpose::Compare)),
        ["--write"] => Ok(Verb::Instructions(Purpose::Write)),
        ["--help" | "-h", ..] => Ok(Verb::Help),
        words => {
            let words = words.join(" ");
            Err(format!("unknown argument `{words}` after `instructions`, which takes only `--write`"))
        }
    }
}

fn parse_screenshot(rest: &[String]) -> Result<Verb, String> {
    match rest.first().map(String::as_str) {
        None => Ok(Verb::Screenshot),
        Some("--help" | "-h") => Ok(Verb::Help),
        Some(word) => Err(format!("unknown argument `{word}` after `screenshot`, which takes none")),
    }
}

fn unknown_verb(word: &str) -> String {
    let expected = VERBS.join(", ");
    match VERBS.iter().find(|verb| is_near(word, verb)) {
        Some(verb) => {
            format!("unknown verb `{word}`, expected one of: {expected}\nhint: did you mean `{verb}`?")
        }
        None => format!("unknown verb `{word}`, expected one of: {expected}"),
    }
}

/// Near enough to be a slip or another word for the same: one begins with the other's first two letters.
fn is_near(word: &str, verb: &str) -> bool {
    word.trim_start_matches('-').get(..2).is_some_and(|start| verb.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Verb, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn test_checks_what_every_change_must_pass() {
        assert_eq!(parsed("test"), Ok(Verb::Test(Scope::EveryChange)));
    }

    #[test]
    fn test_all_checks_everything() {
        assert_eq!(parsed("test --all"), Ok(Verb::Test(Scope::All)));
    }

    #[test]
    fn unknown_flag_of_test_is_refused_and_the_right_one_named() {
        let mistake = parsed("test --al").unwrap_err();
        assert!(mistake.contains("`--al`") && mistake.contains("`--all`"), "{mistake}");
    }

    #[test]
    fn words_after_sim_and_bench_are_passed_on_unchanged() {
        let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(parsed("sim --seeds 5 --from 7"), Ok(Verb::Sim(words("--seeds 5 --from 7"))));
        assert_eq!(parsed("bench --help"), Ok(Verb::Bench(words("--help"))));
    }

    #[test]
    fn instructions_are_compared_unless_they_are_to_be_written() {
        assert_eq!(parsed("instructions"), Ok(Verb::Instructions(Purpose::Compare)));
        assert_eq!(parsed("instructions --write"), Ok(Verb::Instructions(Purpose::Write)));
        assert!(parsed("instructions --wirte").unwrap_err().contains("only `--write`"));
    }

    #[test]
    fn screenshot_takes_nothing() {
        assert_eq!(parsed("screenshot"), Ok(Verb::Screenshot));
        assert!(parsed("screenshot x.svg").unwrap_err().contains("takes none"));
    }

    #[test]
    fn unknown_verb_is_refused_with_the_list_and_the_nearest() {
        let mistake = parsed("tets").unwrap_err();
        assert!(mistake.contains("test, sim, bench, instructions, screenshot, help"), "{mistake}");
        assert!(mistake.contains("did you mean `test`?"), "{mistake}");
    }

    #[test]
    fn unknown_verb_that_is_near_nothing_gets_no_guess() {
        assert!(!parsed("ö").unwrap_err().contains("did you mean"));
    }

    #[test]
    fn no_verb_is_a_mistake_that_lists_them() {
        assert!(parsed("").unwrap_err().contains("test, sim, bench, instructions, screenshot, help"));
    }

    #[test]
    fn help_is_found_under_all_its_names() {
        for line in ["help", "--help", "-h", "test --help"] {
            assert_eq!(parsed(line), Ok(Verb::Help), "{line}");
        }
    }

    #[test]
    fn help_names_every_verb() {
        for verb in VERBS {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(verb)), "{verb}");
        }
    }
}
