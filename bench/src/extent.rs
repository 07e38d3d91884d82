//! What the benches are asked for alike: some parts or all, a report here or there, of a product that has been built.
//!
//! Where it stands: between the options of each bench and what it runs.
//!
//! What this file must never do: let a run that leaves something out replace the report of one that does not.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Those that are named, in the order in which they are listed; all, if none is.
pub fn chosen<P: ValueEnum + Copy + PartialEq>(only: &[P]) -> Vec<P> {
    P::value_variants().iter().filter(|part| only.is_empty() || only.contains(part)).copied().collect()
}

/// How much of a bench is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it, and as often as it takes.
    Whole,
    /// Less.
    Partial,
}

impl Extent {
    /// By the flags of a bench.
    pub fn of<P>(quick: bool, only: &[P]) -> Extent {
        if quick || !only.is_empty() { Extent::Partial } else { Extent::Whole }
    }

    /// Where the report goes: where somebody says, and that of a whole run where it usually stands.
    pub fn folder(self, asked: Option<&Path>, usual: &str) -> Option<PathBuf> {
        asked.map(Path::to_owned).or_else(|| (self == Extent::Whole).then(|| usual.into()))
    }
}

/// Whether the product is there.
///
/// # Errors
///
/// If it is not; says how it is built.
pub fn ensure_built(binary: &Path) -> Result<()> {
    ensure!(
        binary.is_file(),
        "{} is not there\nhint: cargo build --release --package roomful",
        binary.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_that_leaves_something_out_replaces_no_report() {
        let usual = Some(PathBuf::from("docs/bench"));
        assert_eq!(Extent::of::<u8>(false, &[]).folder(None, "docs/bench"), usual);
        assert_eq!(Extent::of::<u8>(true, &[]).folder(None, "docs/bench"), None);
        assert_eq!(Extent::of(false, &[1]).folder(None, "docs/bench"), None);
        assert_eq!(Extent::of(true, &[1]).folder(Some(Path::new("x")), "docs/bench"), Some("x".into()));
    }
}
