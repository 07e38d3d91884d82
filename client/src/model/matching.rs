//! How well what is typed matches a name.
//!
//! Where it stands: below the lists that get shorter as one types.
//!
//! What this file must never do: know what the names are of.

/// How well a name matches, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Match {
    /// It is what is typed.
    Exact,
    /// It begins with it.
    Beginning,
    /// It has it in it.
    Part,
    /// It has its characters in it, in this order and with others between them.
    Characters,
}

/// How well, if it does; both are folded by [`hub::key_of`]. What is empty matches everything alike.
pub(super) fn matched(name: &str, typed: &str) -> Option<Match> {
    if name == typed {
        return Some(Match::Exact);
    }
    if name.starts_with(typed) {
        return Some(Match::Beginning);
    }
    if name.contains(typed) {
        return Some(Match::Part);
    }
    let mut left = name.chars();
    typed.chars().all(|character| left.any(|other| other == character)).then_some(Match::Characters)
}

/// Those that match at all, the best first; those that match alike stay in their order.
pub(super) fn best_first<T, M: Ord>(all: impl Iterator<Item = T>, how: impl Fn(&T) -> Option<M>) -> Vec<T> {
    let mut found: Vec<(M, T)> = all.filter_map(|one| Some((how(&one)?, one))).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_match_stands_first() {
        let names = ["slobby", "bulb", "lobby", "lb", "lbs", "dev"];
        let found = best_first(names.into_iter(), |name| matched(name, "lb"));
        assert_eq!(found, ["lb", "lbs", "bulb", "slobby", "lobby"]);
        let found = best_first(names.into_iter(), |name| matched(name, "lob"));
        assert_eq!(found, ["lobby", "slobby"]);
        let found = best_first(names.into_iter(), |name| matched(name, ""));
        assert_eq!(found, names, "they stay in their order");
    }

    #[test]
    fn characters_match_in_their_order_alone() {
        assert_eq!(matched("lobby", "lby"), Some(Match::Characters));
        assert_eq!(matched("lobby", "yl"), None);
        assert_eq!(matched("lobby", "lll"), None);
        assert_eq!(matched("世界-厨房", "世厨"), Some(Match::Characters));
    }
}
