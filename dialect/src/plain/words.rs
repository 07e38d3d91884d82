//! What one person is told, and nobody else: answers, and news of this connection.
//!
//! Where it stands: behind the session, which knows what an event means for it. Each line begins with `-- `, as no line
//! of a member does.
//!
//! What this file must never do: show a text, topic or reason but through `Text::lines` and `Line::shown`.

use super::session::Greeting;
use crate::{Output, Setup, Skipped, SkippedPlace};
use hub::{
    Crowd, Event, Hearing, Line, Present, RoomLine, RoomRef, RoomView, TEXT_BYTES_MAX, TextProblem, Topic,
};
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// A list of names is wrapped so that no line has more columns.
const COLUMNS_MAX: usize = 76;
/// A list of names has at most so many in a line.
const NAMES_IN_LINE_MAX: usize = 10;
/// A list of rooms shows so many characters of a topic.
const TOPIC_CHARS_MAX: usize = 60;

/// Adds a line of the server's to a person's words.
macro_rules! remark {
    ($output:expr, $($words:tt)+) => {
        $crate::plain::words::add_remark(&mut $output.words, format_args!($($words)+))
    };
}
pub(super) use remark;

pub(super) fn add_remark(words: &mut Vec<u8>, remark: fmt::Arguments<'_>) {
    words.extend_from_slice(b"-- ");
    // Writing to a vector cannot fail.
    let _ = words.write_fmt(remark);
    words.push(b'\n');
}

/// What is left to be said when the session has noted what it needs.
pub(super) fn told(event: &Event, output: &mut Output) {
    match event {
        Event::Connected { nick, .. } => remark!(output, "you are {nick}; /nick NAME changes that"),
        Event::Renamed { nick, .. } => remark!(output, "you are now {nick}"),
        Event::Away { message: Some(message), .. } => remark!(output, "you are away: {}", message.shown()),
        Event::Away { message: None, .. } => remark!(output, "you are back"),
        Event::TopicIs { room, topic } => topic_is(room, topic.as_ref(), output),
        Event::Ignoring { other, hearing: Hearing::Nothing } => {
            let nick = &other.nick;
            remark!(output, "you hear nothing of {nick} any more; /ignore {nick} again undoes it");
        }
        Event::Ignoring { other, hearing: Hearing::Everything } => {
            remark!(output, "you hear {} again", other.nick);
        }
        Event::IgnoreList { nicks } if nicks.is_empty() => remark!(output, "you ignore nobody"),
        Event::IgnoreList { nicks } => {
            wrapped("you ignore: ", nicks.iter().map(|nick| nick.as_ref().into()), output);
        }
        Event::RecipientAway { nick, message } => remark!(output, "{nick} is away: {}", message.shown()),
        _ => {}
    }
}

/// What may be meant, for somebody who has typed the beginning.
pub(super) fn possible(words: &[String], output: &mut Output) {
    if !words.is_empty() {
        wrapped("", words.iter().map(|word| word.as_str().into()), output);
    }
}

/// Somebody sends too fast.
pub(super) fn throttled(lines_per_second: u32, output: &mut Output) {
    let lines = if lines_per_second == 1 { "line" } else { "lines" };
    remark!(
        output,
        "you send more than {lines_per_second} {lines} a second; the rest waits its turn; stay until it is said"
    );
}

/// The person is in a room now.
pub(super) fn admitted(view: &RoomView, listening: u32, greeting: Greeting, output: &mut Output) {
    let room = &view.room.name;
    let here = who_is_here(&view.members, listening);
    match greeting {
        Greeting::Due => remark!(output, "#{room}: {here}"),
        Greeting::Done => remark!(output, "you now talk in #{room}: {here}"),
    }
    if let Some(topic) = &view.topic {
        remark!(output, "topic: {} (set by {})", topic.text.shown(), topic.by);
    }
    if greeting == Greeting::Due {
        remark!(output, "type to talk; /help lists what else you can do");
    }
}

fn who_is_here(members: &Crowd, listening: u32) -> String {
    let mut here = match head_count(members) {
        0 => "nobody else is here yet".into(),
        1 => format!("{} is here", names_of(members, usize::MAX)),
        _ => format!("{} are here", names_of(members, usize::MAX)),
    };
    add_listening(&mut here, listening);
    here
}

/// A room as it is after something was missed there.
pub(super) fn pictured(view: &RoomView, listening: u32, output: &mut Output) {
    let mut here = match head_count(&view.members) {
        0 => "nobody else is here".into(),
        _ => names_of(&view.members, usize::MAX),
    };
    add_listening(&mut here, listening);
    remark!(output, "#{} now: {here}", view.room.name);
    if let Some(topic) = &view.topic {
        remark!(output, "topic: {} (set by {})", topic.text.shown(), topic.by);
    }
}

fn add_listening(here: &mut String, listening: u32) {
    if listening > 0 {
        // Writing to a string cannot fail.
        let _ = write!(here, ", {listening} listening");
    }
}

fn head_count(crowd: &Crowd) -> usize {
    crowd.nicks.len() + crowd.others as usize
}

/// `ann`, `ann and bob`, `ann, bob and carol`, `ann, bob and 3 others`: at most `names_max` names.
pub(super) fn names_of(crowd: &Crowd, names_max: usize) -> String {
    let shown = &crowd.nicks[..crowd.nicks.len().min(names_max)];
    let others = head_count(crowd) - shown.len();
    let (in_front, last) = match (others, shown.split_last()) {
        (0, None) => return String::new(),
        (0, Some((last, in_front))) => (in_front, last.to_string()),
        (1, _) => (shown, "1 other".into()),
        (_, _) => (shown, format!("{others} others")),
    };
    if in_front.is_empty() { last } else { format!("{} and {last}", in_front.join(", ")) }
}

/// Where talk goes after a room was left.
pub(super) enum Talk<'a> {
    /// Somewhere else than before.
    Now(&'a str),
    /// Where it went before.
    Still(&'a str),
    /// Nowhere; the way back is through this room.
    Nowhere(&'a str),
}

/// The person is not in that room any more.
pub(super) fn dismissed(room: &RoomRef, talk: &Talk<'_>, output: &mut Output) {
    let left = &room.name;
    match talk {
        Talk::Now(room) => remark!(output, "you left #{left}; you now talk in #{room}"),
        Talk::Still(room) => remark!(output, "you left #{left}; you still talk in #{room}"),
        Talk::Nowhere(home) => {
            remark!(output, "you left #{left}; you are in no room now; /join {home} takes you back");
        }
    }
}

/// Something needs a room, and the person is in none.
pub(super) fn in_no_room(setup: &Setup, output: &mut Output) {
    remark!(output, "you are in no room; /join {} takes you back", setup.home.shown);
}

/// Only the beginning of a line was said.
pub(super) fn line_cut(bytes: usize, bytes_said: usize, output: &mut Output) {
    remark!(output, "that line had {bytes} bytes; the first {bytes_said} were said, the rest was cut");
}

/// A command was not done, because only the beginning of it could be read.
pub(super) fn command_too_long(bytes: usize, output: &mut Output) {
    remark!(
        output,
        "that command had {bytes} bytes; at most {TEXT_BYTES_MAX} of text are possible; nothing was done"
    );
}

fn topic_is(room: &RoomRef, topic: Option<&Topic>, output: &mut Output) {
    let room = &room.name;
    match topic {
        Some(topic) => remark!(output, "topic of #{room}: {} (set by {})", topic.text.shown(), topic.by),
        None => remark!(output, "#{room} has no topic; /topic TEXT sets one"),
    }
}

/// A page of the names of a room.
pub(super) struct NamesPage<'a> {
    pub(super) room: &'a RoomRef,
    pub(super) names: &'a [Present],
    pub(super) listening: u32,
    /// How many names were on the pages before.
    pub(super) shown: usize,
    pub(super) is_last: bool,
}

/// One page is headed by the count. Of several only the last knows it.
pub(super) fn names(page: &NamesPage<'_>, output: &mut Output) {
    let room = &page.room.name;
    let mut count = (page.shown + page.names.len()).to_string();
    if page.shown > 0 {
        count.push_str(" in all");
    }
    add_listening(&mut count, page.listening);
    let names = page.names.iter().map(|present| match present.away {
        Some(_) => format!("{} (away)", present.nick),
        None => present.nick.as_ref().into(),
    });
    match (page.shown, page.is_last) {
        (0, true) if page.names.is_empty() => remark!(output, "#{room} has {count}"),
        (0, true) => wrapped(&format!("#{room} has {count}: "), names, output),
        (0, false) => wrapped(&format!("#{room}: "), names, output),
        (_, is_last) => {
            wrapped(CONTINUED, names, output);
            if is_last {
                remark!(output, "#{room} has {count}");
            }
        }
    }
}

/// What a wrapped line begins with, but for the first.
const CONTINUED: &str = "  ";

fn wrapped(heading: &str, names: impl Iterator<Item = String>, output: &mut Output) {
    let mut line = String::from(heading);
    let mut names_in_line = 0;
    for name in names {
        let is_full = columns(&line) + columns(&name) + "-- , ,".len() > COLUMNS_MAX;
        if names_in_line == NAMES_IN_LINE_MAX || (names_in_line > 0 && is_full) {
            remark!(output, "{line},");
            line = CONTINUED.into();
            names_in_line = 0;
        }
        if names_in_line > 0 {
            line.push_str(", ");
        }
        line.push_str(&name);
        names_in_line += 1;
    }
    if names_in_line > 0 {
        remark!(output, "{line}");
    }
}

/// How wide a terminal shows this at most: no character takes more than two columns.
fn columns(text: &str) -> usize {
    text.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum()
}

/// A page of the list of rooms.
pub(super) fn rooms(rooms: &[RoomLine], output: &mut Output) {
    for room in rooms {
        match &room.topic {
            Some(topic) => remark!(output, "#{}  {}  {}", room.name, room.members, shortened(topic)),
            None => remark!(output, "#{}  {}", room.name, room.members),
        }
    }
}

fn shortened(topic: &Line) -> String {
    let topic = topic.shown();
    let mut shortened: String = topic.chars().take(TOPIC_CHARS_MAX).collect();
    if shortened.len() < topic.len() {
        shortened.push('…');
    }
    shortened
}

/// How what was skipped can be read after all, if it can be.
pub(super) enum WayBack<'a> {
    /// Not.
    None,
    /// In the room that the person talks in.
    Here,
    /// In another.
    In(&'a str),
}

/// Messages were jumped over, because this connection did not read them in time.
pub(super) fn skipped(skipped: &Skipped, way_back: &WayBack<'_>, output: &mut Output) {
    let kind = match skipped.place {
        SkippedPlace::Room(_) => "",
        SkippedPlace::Inbox => "direct ",
    };
    let (messages, them) = match skipped.messages {
        // Arrivals and departures are not missed: the fresh picture has them.
        0 => return,
        1 => (format!("1 {kind}message"), "it"),
        messages => (format!("{messages} {kind}messages"), "them"),
    };
    let (from, to) = (skipped.from.0, skipped.to.0);
    match way_back {
        WayBack::None => remark!(output, "{messages} skipped"),
        WayBack::Here => remark!(output, "{messages} skipped; /history {from}-{to} shows {them}"),
        WayBack::In(room) => {
            remark!(output, "{messages} skipped; /history #{room} {from}-{to} shows {them}");
        }
    }
}

/// What `/history` was asked for is nothing that it knows.
pub(super) fn no_part_of_the_past(typed: &str, output: &mut Output) {
    let typed = hub::quoted(typed);
    remark!(
        output,
        "'{typed}' is no part of the past; '200', '2h', '10:00', '2026-11-20' or '17-428' is one"
    );
}

/// What was typed behind `/history` was taken for a room, and there is none of that name.
pub(super) fn no_room_with_a_past(output: &mut Output) {
    remark!(output, "/help history lists what else can stand there");
}

/// What should have been a moment is none.
pub(super) fn no_moment(typed: &str, output: &mut Output) {
    let typed = hub::quoted(typed);
    remark!(output, "'{typed}' is no time; '2h', '10:00', '2026-11-20' or '2026-11-20T10:00' is one");
}

/// There is nothing that could be shown of the past.
pub(super) fn no_past(output: &mut Output) {
    remark!(output, "there is nothing to show");
}

/// What was said before the lines that follow is gone.
pub(super) fn forgotten(output: &mut Output) {
    remark!(output, "what was said before is not kept any more");
}

/// What should have been said cannot be.
pub(super) fn no_text(problem: TextProblem, output: &mut Output) {
    remark!(output, "that cannot be said: {problem}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::RoomNumber;

    fn room() -> RoomRef {
        RoomRef { number: RoomNumber(1), name: "lobby".into() }
    }

    fn page_of(names: &[Present], shown: usize, is_last: bool) -> String {
        let mut output = Output::default();
        names_page(names, shown, is_last, &mut output);
        String::from_utf8(output.words).expect("text")
    }

    fn names_page(present: &[Present], shown: usize, is_last: bool, output: &mut Output) {
        names(&NamesPage { room: &room(), names: present, listening: 2, shown, is_last }, output);
    }

    fn people(nick: &str, count: usize) -> Vec<Present> {
        (0..count).map(|number| Present { nick: format!("{nick}{number}").into(), away: None }).collect()
    }

    #[test]
    fn names_are_wrapped() {
        let text = page_of(&people("somebody-with-a-long-name-", 7), 0, true);
        assert!(
            text.starts_with("-- #lobby has 7, 2 listening: somebody-with-a-long-name-0,\n--   somebody")
        );
        assert!(text.lines().all(|line| line.len() <= COLUMNS_MAX), "{text}");
        assert_eq!(text.matches("somebody").count(), 7);

        let text = page_of(&people("y", 23), 0, true);
        let counts: Vec<_> =
            text.lines().map(|line| line.matches('y').count() - line.matches("lobby").count()).collect();
        assert_eq!(counts, [10, 10, 3]);
    }

    #[test]
    fn only_the_last_page_knows_the_count() {
        assert_eq!(page_of(&people("ann", 2), 0, false), "-- #lobby: ann0, ann1\n");
        assert_eq!(page_of(&people("ann", 2), 2, false), "--   ann0, ann1\n");
        let last = "--   ann0\n-- #lobby has 5 in all, 2 listening\n";
        assert_eq!(page_of(&people("ann", 1), 4, true), last);
        assert_eq!(page_of(&[], 0, true), "-- #lobby has 0, 2 listening\n");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(columns("ann"), 3);
        assert_eq!(columns("小明"), 4);
    }

    #[test]
    fn crowds_are_named_like_people_speak() {
        let crowd =
            |nicks: &[&str], others| Crowd { nicks: nicks.iter().map(|&n| n.into()).collect(), others };
        let table = [
            (crowd(&[], 0), "nobody else is here yet"),
            (crowd(&["ann"], 0), "ann is here"),
            (crowd(&["ann", "bob"], 0), "ann and bob are here"),
            (crowd(&["ann", "bob", "cat"], 0), "ann, bob and cat are here"),
            (crowd(&["ann", "bob"], 1), "ann, bob and 1 other are here"),
            (crowd(&["ann", "bob"], 3), "ann, bob and 3 others are here"),
        ];
        for (crowd, words) in table {
            assert_eq!(who_is_here(&crowd, 0), words);
            assert_eq!(who_is_here(&crowd, 2), format!("{words}, 2 listening"));
        }
    }

    #[test]
    fn long_topic_is_cut_in_the_list_of_rooms() {
        let mut output = Output::default();
        let topic = Line::new(&"é".repeat(100), 1000).ok();
        rooms(&[RoomLine { name: "dev".into(), members: 12, topic }], &mut output);
        let expected = format!("-- #dev  12  {}…\n", "é".repeat(TOPIC_CHARS_MAX));
        assert_eq!(String::from_utf8(output.words).expect("text"), expected);
    }
}
