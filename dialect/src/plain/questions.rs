//! What is asked of the past, as it is typed: `/history [ROOM] [N|SINCE|FROM-TO]` and `/search WORDS`.
//!
//! Where it stands: between the handlers and the commands of the hub, which checks who may read what.
//!
//! What this file must never do: refuse what the hub can refuse better.

use super::calendar;
use super::commands::split_word;
use hub::{Place, Search, Sequence, Time};
use jiff::tz::TimeZone;

/// A search shows at most so many messages.
const FOUND_MAX: u32 = 20;
/// Without a word about how many, so many messages are shown.
const MESSAGES_UNASKED: u64 = 50;

/// A part of a room's past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// The last so many messages; at least one.
    Last(u64),
    /// Everything since then.
    Since(Time),
    /// Everything from one number to another, both included.
    Between(Sequence, Sequence),
}

/// What `/history` is asked for.
#[derive(PartialEq, Eq, Debug)]
pub struct HistoryAsked<'a> {
    /// Where, if it was said.
    pub room: Option<&'a str>,
    /// Which part.
    pub extent: Extent,
}

/// What a search is asked for.
#[derive(PartialEq, Eq, Debug)]
pub struct SearchAsked {
    /// Where, if it was said.
    pub room: Option<Place>,
    /// For what.
    pub search: Search,
}

/// A word that should have named a part of the past, or a moment, and does not.
#[derive(PartialEq, Eq, Debug)]
pub struct NotUnderstood<'a>(pub &'a str);

/// Every part of the past begins with a digit; a room that does so, too, is named with its `#`. No room begins with a minus, so
/// that it is taken for a wrong number.
///
/// # Errors
/// The words that should have named a part of the past and name none.
pub fn history<'a>(
    zone: &TimeZone,
    now: Time,
    typed: &'a str,
) -> Result<HistoryAsked<'a>, NotUnderstood<'a>> {
    let is_part = |first: char| first.is_ascii_digit() || first == '-';
    let names_room = !typed.is_empty() && !typed.starts_with(is_part);
    let (room, extent) = if names_room { split_word(typed) } else { ("", typed) };
    let room = Some(room).filter(|room| !room.is_empty());
    let found =
        if extent.is_empty() { Some(Extent::Last(MESSAGES_UNASKED)) } else { find(zone, now, extent) };
    Ok(HistoryAsked { room, extent: found.ok_or(NotUnderstood(extent))? })
}

fn find(zone: &TimeZone, now: Time, typed: &str) -> Option<Extent> {
    let last = || number(typed).filter(|count| *count > 0).map(Extent::Last);
    let since = || calendar::moment(zone, now, typed).map(Extent::Since);
    last().or_else(|| range(typed)).or_else(since)
}

fn number(typed: &str) -> Option<u64> {
    if typed.bytes().all(|byte| byte.is_ascii_digit()) { typed.parse().ok() } else { None }
}

fn range(typed: &str) -> Option<Extent> {
    let (from, to) = typed.split_once('-')?;
    let (from, to) = (number(from)?, number(to)?);
    (from <= to).then_some(Extent::Between(Sequence(from), Sequence(to)))
}

/// Words, and among them `from:NICK`, `in:ROOM`, `since:MOMENT` and `before:MOMENT`, of which the last one holds.
///
/// # Errors
/// The word that should have been a moment and is none.
pub fn search<'a>(zone: &TimeZone, now: Time, typed: &'a str) -> Result<SearchAsked, NotUnderstood<'a>> {
    let mut asked = SearchAsked { room: None, search: Search { lines_max: FOUND_MAX, ..Search::default() } };
    let moment = |typed| calendar::moment(zone, now, typed).map(Some).ok_or(NotUnderstood(typed));
    for word in typed.split_whitespace() {
        let search = &mut asked.search;
        match word.split_once(':') {
            Some(("from", nick)) => search.author = Some(nick.into()),
            Some(("in", room)) => asked.room = Some(Place::Name(room.into())),
            Some(("since", typed)) => search.since = moment(typed)?,
            Some(("before", typed)) => search.before = moment(typed)?,
            _ => {
                if !search.words.is_empty() {
                    search.words.push(' ');
                }
                search.words.push_str(word);
            }
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Setup;
    use hub::RoomName;

    const NOW: Time = Time(1_795_197_900_000);

    fn setup() -> Setup {
        Setup::new(RoomName::parse("lobby").expect("a name"))
    }

    #[test]
    fn part_of_the_past_is_understood() {
        let between = |from, to| Extent::Between(Sequence(from), Sequence(to));
        let table = [
            ("", None, Extent::Last(50)),
            ("20", None, Extent::Last(20)),
            ("17-428", None, between(17, 428)),
            ("17-17", None, between(17, 17)),
            ("2h", None, Extent::Since(Time(NOW.0 - 7_200_000))),
            ("2026-11-20 10:00", None, Extent::Since(Time(1_795_168_800_000))),
            ("dev", Some("dev"), Extent::Last(50)),
            ("dev 20", Some("dev"), Extent::Last(20)),
            ("#3d 3d", Some("#3d"), Extent::Since(Time(NOW.0 - 3 * 86_400_000))),
            ("@12  1-9", Some("@12"), between(1, 9)),
        ];
        for (typed, room, extent) in table {
            assert_eq!(history(&setup().zone, NOW, typed), Ok(HistoryAsked { room, extent }), "{typed}");
        }
    }

    #[test]
    fn what_is_no_part_of_the_past_is_named() {
        for typed in ["0", "-1", "5minutes", "9-3", "1-", "2026-13-01", "20 dev", "99999999999999999999"] {
            assert_eq!(history(&setup().zone, NOW, typed), Err(NotUnderstood(typed)));
        }
        assert_eq!(history(&setup().zone, NOW, "dev yesterday"), Err(NotUnderstood("yesterday")));
    }

    #[test]
    fn words_of_a_search_are_told_from_what_narrows_it_down() {
        let asked = search(&setup().zone, NOW, "re:  hello from:ann in:#dev since:2h world before:10:00");
        let expected = Search {
            words: "re: hello world".into(),
            author: Some("ann".into()),
            since: Some(Time(NOW.0 - 7_200_000)),
            before: Some(Time(1_795_168_800_000)),
            lines_max: FOUND_MAX,
        };
        assert_eq!(asked, Ok(SearchAsked { room: Some(Place::Name("#dev".into())), search: expected }));
        assert_eq!(search(&setup().zone, NOW, "x since:then"), Err(NotUnderstood("then")));
        assert_eq!(search(&setup().zone, NOW, "x before:"), Err(NotUnderstood("")));
    }
}
