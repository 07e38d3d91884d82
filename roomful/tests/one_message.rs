//! The life of one message: ARCHITECTURE.md tells it as a table of steps, files and functions. The table is true, and a
//! message goes that way.

use crate::harness::{Client, Ears as _, Server};
use std::fs;
use std::path::Path;

const HEADING: &str = "The life of one message";
const COLUMNS: [&str; 3] = ["step", "file", "function"];

/// A row of the table.
struct Step {
    name: String,
    file: String,
    functions: Vec<String>,
}

#[test]
fn one_message_goes_the_way_that_the_architecture_tells() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root of the repository");
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let steps = steps_in(&document).unwrap_or_else(|problem| panic!("ARCHITECTURE.md: {problem}"));
    let faults: Vec<_> = steps.iter().flat_map(|step| faults_of(step, root)).collect();
    assert!(faults.is_empty(), "ARCHITECTURE.md tells what is not so:\n{}", faults.join("\n"));

    let server = Server::start();
    let (mut ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.hears("[bob] entered room");
    ann.says("one message");
    bob.hears("<ann> one message");
}

fn steps_in(document: &str) -> Result<Vec<Step>, String> {
    let is_heading = |line: &&str| line.starts_with('#') && line.contains(HEADING);
    let mut lines = document.lines();
    lines.find(is_heading).ok_or_else(|| format!("there is no heading \"{HEADING}\""))?;
    let section = lines.take_while(|line| !line.starts_with('#'));
    let mut rows = section.filter_map(cells).skip_while(|cells| *cells != COLUMNS);
    let missing = || format!("under \"{HEADING}\" there is no table headed | step | file | function |");
    rows.next().ok_or_else(missing)?;
    // Behind the heads there is a row of dashes.
    let steps: Vec<_> = rows.skip(1).map_while(|cells| step_of(&cells)).collect();
    if steps.is_empty() { Err("the table has no rows".to_owned()) } else { Ok(steps) }
}

/// The cells of a line that is a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).collect())
}

fn step_of(cells: &[&str]) -> Option<Step> {
    let [step, file, functions] = cells else { return None };
    let functions = code_in(functions).iter().map(|path| function_of(path)).collect();
    let file = code_in(file).first().map_or(*file, |path| path).to_owned();
    Some(Step { name: (*step).to_owned(), file, functions })
}

/// What stands between backticks.
fn code_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// `Shard::received(…)` is the function `received`.
fn function_of(path: &str) -> String {
    let path = path.split('(').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).to_owned()
}

fn faults_of(step: &Step, root: &Path) -> Vec<String> {
    let Step { name: step, file, functions } = step;
    let Ok(source) = fs::read_to_string(root.join(file)) else {
        return vec![format!("step {step}: there is no file {file}")];
    };
    if functions.is_empty() {
        return vec![format!("step {step}: no function is named (write it in backticks)")];
    }
    let is_there =
        |name: &&String| ["(", "<"].iter().any(|next| source.contains(&format!("fn {name}{next}")));
    let missing = functions.iter().filter(|name| !is_there(name));
    missing.map(|name| format!("step {step}: {file} has no fn {name}")).collect()
}

#[test]
fn table_is_read_as_it_is_written() {
    let document = "# Map\n## The life of one message\nwords\n\n| step | file | function |\n|---|---|---|\n\
        | 1 read | `server/src/x.rs` | `Shard::read`, `line()` |\n\nmore\n## Next\n| a | b | c |\n";
    let steps = steps_in(document).expect("a table");
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].name.as_str(), steps[0].file.as_str()), ("1 read", "server/src/x.rs"));
    assert_eq!(steps[0].functions, ["read", "line"]);
    assert!(steps_in("## The life of one message\nno table\n").is_err());
    assert!(steps_in("| step | file | function |\n").is_err());
}
