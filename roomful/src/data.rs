//! Where what is said is kept: what can be written for that, and which directory it comes to.
//!
//! Where it stands: under the configuration, beside the table of keys.
//!
//! What this file must never do: make, open or look at anything.

use anyhow::{Result, bail};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What is written for the usual directory.
const USUAL: &str = "default";
/// What is written for a server that keeps nothing.
const NOWHERE: &str = ":memory:";

/// Where what is said is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Data {
    /// In the user's data directory.
    Usual,
    /// Nowhere.
    Nowhere,
    /// There.
    Directory(PathBuf),
}

impl Data {
    /// # Errors
    /// Says what is wrong with it and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Data, String> {
        match text {
            USUAL => Ok(Data::Usual),
            NOWHERE => Ok(Data::Nowhere),
            "" => Err(format!("that is no directory; write one, {NOWHERE} or {USUAL}")),
            text if text.chars().any(char::is_control) => Err(format!(
                "'{}' has a control character in it; write a directory without",
                text.escape_debug()
            )),
            text => Ok(Data::Directory(text.into())),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Data::Usual => USUAL.into(),
            Data::Nowhere => NOWHERE.into(),
            Data::Directory(path) => path.display().to_string(),
        }
    }

    /// The directory; none if nothing is kept.
    ///
    /// # Errors
    /// If nobody's home is known, and so no usual directory.
    pub(crate) fn directory(&self) -> Result<Option<PathBuf>> {
        match self {
            Data::Usual => match usual(env::var_os("XDG_DATA_HOME"), env::var_os("HOME")) {
                Some(directory) => Ok(Some(directory)),
                None => bail!(
                    "there is no home directory to keep what is said in; name a directory with --data, or keep nothing \
                     with --data {NOWHERE}"
                ),
            },
            Data::Nowhere => Ok(None),
            Data::Directory(path) => Ok(Some(path.clone())),
        }
    }
}

/// The XDG Base Directory Specification: a relative path in the variable counts as not set.
fn usual(data_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let base = data_home.and_then(absolute);
    let base = base.or_else(|| Some(home.and_then(absolute)?.join(Path::new(".local/share"))));
    Some(base?.join("roomful"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_directory_is_the_one_of_the_specification() {
        let table = [
            (Some("/data"), Some("/home/ann"), Some("/data/roomful")),
            (Some("data"), Some("/home/ann"), Some("/home/ann/.local/share/roomful")),
            (Some(""), Some("/home/ann"), Some("/home/ann/.local/share/roomful")),
            (None, Some("/home/ann"), Some("/home/ann/.local/share/roomful")),
            (None, Some("ann"), None),
            (None, None, None),
        ];
        for (data_home, home, expected) in table {
            assert_eq!(usual(data_home.map(Into::into), home.map(Into::into)), expected.map(Into::into));
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["default", ":memory:", "/var/lib/roomful", "here"] {
            assert_eq!(Data::parse(text).unwrap().text(), text);
        }
        assert!(Data::parse("").unwrap_err().contains(":memory:"));
        assert!(Data::parse("a\nb").is_err());
    }
}
