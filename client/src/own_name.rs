//! What somebody is called who does not say what to be called: as on their machine.
//!
//! Where it stands: beside the address, in which a nick may stand; whoever connects for somebody who talks asks here for another.
//!
//! What this file must never do: answer with what is no nick.

use hub::Nick;
use std::env;

/// What the person who started it is called, made fit to be a nick.
pub fn user_nick() -> Option<String> {
    let name = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|name| !name.is_empty()))?;
    fit_nick(&name)
}

fn fit_nick(name: &str) -> Option<String> {
    let is_fit = |character: &char| character.is_alphanumeric() || "-_[]{}|^`".contains(*character);
    let fit: String = name.chars().filter(is_fit).take(hub::NICK_CHARS_MAX).collect();
    let fit = fit.trim_start_matches(|first: char| first.is_numeric() || first == '-');
    Nick::parse(fit).is_ok().then(|| fit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::fit_nick;

    #[test]
    fn users_name_is_made_fit() {
        let table = [
            ("ann", Some("ann")),
            ("ann.lee", Some("annlee")),
            ("42nd-street", Some("nd-street")),
            ("-x", Some("x")),
            ("www-data", Some("www-data")),
            ("Łukasz", Some("Łukasz")),
            ("12", None),
            ("", None),
        ];
        for (name, nick) in table {
            assert_eq!(fit_nick(name).as_deref(), nick, "{name}");
        }
        assert_eq!(fit_nick(&"x".repeat(100)).unwrap().len(), 32);
    }
}
