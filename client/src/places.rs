//! Where a person's files are, by the XDG Base Directory Specification.
//!
//! Where it stands: asked once at the start, for the settings and for what is remembered.
//!
//! What this file must never do: touch a file, or guess a place that nobody named.

use std::ffi::OsString;
use std::path::PathBuf;

/// Names a file with settings that is read instead of the person's own.
const SETTINGS_VARIABLE: &str = "ROOMFUL_CLIENT_CONFIG";

/// Where files are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// The settings.
    pub settings: SettingsPlace,
    /// The directory of what is remembered; nowhere if there is no home.
    pub state: Option<PathBuf>,
}

/// Where the settings are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SettingsPlace {
    /// Nowhere: there is no home.
    #[default]
    Nowhere,
    /// Where they are if there are any.
    Usual(PathBuf),
    /// Where they have to be, because somebody said so.
    Named(PathBuf),
}

impl Places {
    /// Asks the variables of the environment. `named` is the file that the command line names.
    pub fn of(named: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Places {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // A relative path there is to be ignored, says the specification.
        let absolute = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let below = |name: &str, usual: &str| {
            let base = absolute(name).or_else(|| Some(absolute("HOME")?.join(usual)));
            base.map(|base| base.join("roomful"))
        };
        let named = named.or_else(|| set(SETTINGS_VARIABLE).map(PathBuf::from));
        let usual = below("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("client.toml"));
        let settings = match (named, usual) {
            (Some(file), _) => SettingsPlace::Named(file),
            (None, Some(file)) => SettingsPlace::Usual(file),
            (None, None) => SettingsPlace::Nowhere,
        };
        Places { settings, state: below("XDG_STATE_HOME", ".local/state") }
    }

    /// Asks the environment of this process.
    pub fn here(named: Option<PathBuf>) -> Places {
        Places::of(named, |name| std::env::var_os(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Places {
        Places::of(None, |name| {
            let (_, value) = variables.iter().find(|(other, _)| *other == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn files_are_where_the_specification_says() {
        let home = places(&[("HOME", "/home/ann"), ("XDG_CONFIG_HOME", ""), ("XDG_STATE_HOME", "relative")]);
        assert_eq!(home.settings, SettingsPlace::Usual("/home/ann/.config/roomful/client.toml".into()));
        assert_eq!(home.state, Some("/home/ann/.local/state/roomful".into()));
        let named = [("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s")];
        assert_eq!(places(&named).settings, SettingsPlace::Usual("/c/roomful/client.toml".into()));
        assert_eq!(places(&named).state, Some("/s/roomful".into()));
        assert_eq!(places(&[]), Places::default());
    }

    #[test]
    fn command_line_goes_before_the_environment() {
        let variable = |name: &str| (name == SETTINGS_VARIABLE).then(|| OsString::from("b.toml"));
        assert_eq!(Places::of(None, variable).settings, SettingsPlace::Named("b.toml".into()));
        let named = Places::of(Some("a.toml".into()), variable);
        assert_eq!(named.settings, SettingsPlace::Named("a.toml".into()));
    }
}
