//! Which processors the server runs on and which the generator.
//!
//! Left to themselves on a small machine, the two are moved onto one processor or onto two, by what else runs there,
//! and stay so for seconds. On one they alternate: the server finds larger batches, and in a busy room a delivery costs half.
//! That hits one column or the other by chance, so by default they are kept apart. `run` asks for it before it
//! starts a server and again before the members come; it must treat every contender alike.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How server and generator share the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Placement {
    /// The generator has the last processor to itself, the server all others.
    Apart,
    /// Wherever the kernel puts them.
    Free,
    /// Both have the last processor.
    Together,
}

/// The processors of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    server: CpuSet,
    generator: CpuSet,
}

impl Places {
    /// Shares out the processors that this thread may use. A single one is shared by both.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell which they are.
    pub fn share_out(placement: Placement) -> Result<Self> {
        let all = sched_getaffinity(None).context("cannot ask for the processors")?;
        Ok(split(&all, placement))
    }

    /// Whether the generator has a processor to itself.
    pub fn are_apart(&self) -> bool {
        self.server != self.generator
    }

    /// What is started from now on runs where servers belong.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn place_server(&self) -> Result<()> {
        sched_setaffinity(None, &self.server).context("cannot choose the server's processors")
    }

    /// This thread goes on where the generator belongs.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn place_generator(&self) -> Result<()> {
        sched_setaffinity(None, &self.generator).context("cannot choose the generator's processor")
    }
}

fn split(all: &CpuSet, placement: Placement) -> Places {
    let both = |processors: CpuSet| Places { server: processors, generator: processors };
    let last = (0..CpuSet::MAX_CPU).rev().find(|processor| all.is_set(*processor));
    let Some(last) = last else { return both(*all) };
    let mut only_last = CpuSet::new();
    only_last.set(last);
    match placement {
        Placement::Together => both(only_last),
        Placement::Apart if all.count() > 1 => {
            let mut others = *all;
            others.unset(last);
            Places { server: others, generator: only_last }
        }
        Placement::Apart | Placement::Free => both(*all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processors(numbers: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        for number in numbers {
            set.set(*number);
        }
        set
    }

    #[test]
    fn apart_gives_the_generator_the_last_processor() {
        let places = split(&processors(&[1, 4, 6]), Placement::Apart);
        assert_eq!(places, Places { server: processors(&[1, 4]), generator: processors(&[6]) });
        assert!(places.are_apart());
    }

    #[test]
    fn together_is_on_the_last_processor() {
        let places = split(&processors(&[1, 4, 6]), Placement::Together);
        assert_eq!(places, Places { server: processors(&[6]), generator: processors(&[6]) });
    }

    #[test]
    fn single_processor_is_shared() {
        let only = processors(&[3]);
        let places = split(&only, Placement::Apart);
        assert_eq!(places, Places { server: only, generator: only });
        assert!(!places.are_apart());
    }

    #[test]
    fn free_leaves_all_to_both() {
        let all = processors(&[0, 1]);
        assert_eq!(split(&all, Placement::Free), Places { server: all, generator: all });
    }
}
