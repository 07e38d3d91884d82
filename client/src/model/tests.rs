//! The client's conversation with a server that the test plays.

mod anything;
mod arrivals;
mod choosing;
mod direct;
mod entering;
mod notes;
mod own;
mod past;

use super::*;
use crate::keys::KeyPress;
use crate::link::Failure;

const WELCOME: &str = r#"{"type":"welcome","version":1,"server":"roomful 0.1.0","epoch":"e","nick":"ann","resume":{"secret":"s"},"conversations":[]}"#;

/// A model, and a server that the test plays.
pub(crate) struct Stage {
    pub(crate) model: Model,
    now: Duration,
    effects: Vec<Effect>,
}

pub(crate) fn options() -> Options {
    Options {
        time_format: "%H:%M".into(),
        zone: TimeZone::UTC,
        highlights: Vec::new(),
        items_max: 1_000,
        arrivals: Arrivals::All,
        members: MembersShown::Auto,
        server: "127.0.0.1:8008".into(),
        notify_on: NotifyOn::Mention,
    }
}

impl Stage {
    pub(crate) fn new(medium: Medium) -> Stage {
        Stage::before(medium, &State::default())
    }

    pub(crate) fn before(medium: Medium, before: &State) -> Stage {
        let wanted = Wanted { nick: Some("ann".into()), ..Wanted::default() };
        let size = Size { columns: 80, rows: 24 };
        let model = Model::new(options(), medium, wanted, before, size, 7);
        let mut stage = Stage { model, now: Duration::ZERO, effects: Vec::new() };
        let moment = stage.moment();
        stage.effects = stage.model.start(moment);
        stage
    }

    /// In the lobby with bob, with an empty past.
    pub(crate) fn in_lobby() -> Stage {
        let mut stage = Stage::new(Medium::Screen);
        stage.enter();
        stage
    }

    pub(crate) fn enter(&mut self) {
        self.comes_in();
        self.answer_pages();
        self.sent();
    }

    fn comes_in(&mut self) {
        self.give(Input::Connected);
        self.says(WELCOME);
        self.says(r#"{"type":"joined","room":"lobby","sequence":1,"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}"#);
    }

    fn moment(&self) -> Moment {
        Moment { time: Time(1_795_255_200_000 + self.now.as_millis() as u64), now: self.now }
    }

    pub(crate) fn give(&mut self, input: Input) {
        let moment = self.moment();
        let effects = self.model.update(moment, input);
        self.effects.extend(effects);
    }

    /// A line of the server's.
    pub(crate) fn says(&mut self, line: &str) {
        self.give(Input::Received(format!("{line}\n").into_bytes()));
    }

    /// What bob says.
    pub(crate) fn bob(&mut self, room: &str, sequence: u64, text: &str) {
        let text = serde_json::to_string(text).unwrap();
        self.says(&format!(
            r#"{{"type":"event","kind":"said","room":"{room}","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z","from":{{"nick":"bob"}},"text":{text}}}"#
        ));
    }

    /// Keys with blanks between them.
    pub(crate) fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.give(Input::Key(KeyPress::parse(key).unwrap()));
        }
    }

    /// Characters.
    pub(crate) fn types(&mut self, text: &str) {
        for character in text.chars() {
            self.give(Input::Key(KeyPress::plain(crate::keys::Key::Character(character))));
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.give(Input::Tick);
    }

    /// The requests that were sent since this was asked last.
    pub(crate) fn sent(&mut self) -> Vec<serde_json::Value> {
        let mut lines = Vec::new();
        for effect in std::mem::take(&mut self.effects) {
            if let Effect::Send(bytes) = effect {
                for line in String::from_utf8(bytes).unwrap().lines() {
                    lines.push(serde_json::from_str(line).unwrap());
                }
            }
        }
        lines
    }

    /// Empty pages for all that are asked for; nobody but bob is anywhere.
    pub(crate) fn answer_pages(&mut self) {
        loop {
            let asked = self.sent();
            if asked.is_empty() {
                return;
            }
            for request in asked {
                let (nonce, room) = (&request["nonce"], &request["room"]);
                match request["type"].as_str().unwrap() {
                    "history" => self.says(&format!(r#"{{"type":"history","nonce":{nonce},"room":{room},"events":[]}}"#)),
                    "who" => self.says(&format!(
                        r#"{{"type":"names","nonce":{nonce},"room":{room},"names":[{{"nick":"ann"}},{{"nick":"bob"}}],"listening":0,"more":false}}"#
                    )),
                    _ => {}
                }
            }
        }
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn printed(&mut self) -> Vec<String> {
        let print = |effect| if let Effect::Print(line) = effect { Some(line) } else { None };
        self.effects().into_iter().filter_map(print).collect()
    }

    fn said(&self) -> Vec<String> {
        let room = self.model.room().expect("a room is open");
        room.timeline
            .items()
            .iter()
            .filter_map(|item| Some(item.said()?.text.formatted().to_owned()))
            .collect()
    }

    fn draft(&self) -> &str {
        self.model.draft().line.text()
    }
}

#[test]
fn what_is_typed_is_said_and_stands_where_the_server_puts_it() {
    let mut stage = Stage::in_lobby();
    stage.types("hello");
    stage.keys("Enter");
    let sent = stage.sent();
    assert_eq!((sent[0]["type"].as_str(), sent[0]["text"].as_str()), (Some("say"), Some("hello")));
    assert_eq!(stage.draft(), "");
    assert_eq!(stage.model.room().unwrap().pending.len(), 1);
    stage.bob("lobby", 3, "behind it");
    stage.bob("lobby", 2, "never, for it is known already");
    let nonce = sent[0]["nonce"].as_str().unwrap();
    stage.says(&format!(r#"{{"type":"ack","nonce":"{nonce}","room":"lobby","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z"}}"#));
    assert_eq!(stage.said(), ["hello", "behind it"]);
    assert!(stage.model.room().unwrap().pending.is_empty());
}

#[test]
fn draft_stays_while_others_talk_and_over_a_lost_connection() {
    let mut stage = Stage::in_lobby();
    stage.types("half a sen");
    stage.keys("Left");
    stage.bob("lobby", 2, "hey");
    stage.give(Input::Disconnected(Failure::Closed));
    assert_eq!((stage.draft(), stage.model.draft().line.before_cursor()), ("half a sen", "half a se"));
    stage.types("X");
    assert_eq!(stage.draft(), "half a seXn");
}

#[test]
fn what_was_said_without_a_connection_is_sent_once_in_order() {
    let mut stage = Stage::in_lobby();
    stage.types("one");
    stage.keys("Enter");
    let first = stage.sent()[0]["nonce"].clone();
    stage.give(Input::Disconnected(Failure::Closed));
    stage.types("two");
    stage.keys("Enter");
    assert!(stage.effects().contains(&Effect::Connect), "Enter tries at once");
    stage.give(Input::Connected);
    let hello = &stage.sent()[0];
    assert_eq!(hello["resume"]["secret"], "s");
    assert_eq!(hello["resume"]["rooms"]["lobby"], 1);
    stage.says(WELCOME);
    let says: Vec<_> = stage.sent().into_iter().filter(|request| request["type"] == "say").collect();
    assert_eq!(says[0]["nonce"], first);
    assert_eq!((says[0]["text"].as_str(), says[1]["text"].as_str()), (Some("one"), Some("two")));
    assert_eq!(says.len(), 2);
}

#[test]
fn refused_text_is_there_again_to_be_changed() {
    let mut stage = Stage::in_lobby();
    stage.types("//slash");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    stage.says(&format!(
        r#"{{"type":"refusal","nonce":{nonce},"request":"say","code":"bad-text","text":"no"}}"#
    ));
    assert_eq!(stage.draft(), "//slash");
    assert_eq!(stage.model.note().unwrap().text, "no");
}

#[test]
fn pasted_lines_are_one_message() {
    let mut stage = Stage::in_lobby();
    let text: Vec<String> = (1..=200).map(|number| format!("line {number}")).collect();
    stage.give(Input::Paste(text.join("\n")));
    assert!(stage.sent().is_empty(), "nothing is said before Enter");
    stage.keys("Enter");
    let sent = stage.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["text"].as_str().unwrap(), text.join("\n"));
}

#[test]
fn pasted_lines_that_begin_with_a_slash_are_no_commands() {
    let mut stage = Stage::in_lobby();
    stage.give(Input::Paste("/usr/bin\n/etc".into()));
    stage.keys("Enter");
    assert_eq!(stage.sent()[0]["text"], "/usr/bin\n/etc");
}

#[test]
fn unread_messages_are_counted_where_nobody_looks() {
    let mut stage = Stage::in_lobby();
    stage.says(r#"{"type":"joined","room":"dev","sequence":0,"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}"#);
    stage.bob("dev", 1, "psst");
    stage.bob("dev", 2, "Ann, look");
    let dev = &stage.model.rooms()[1];
    assert_eq!((dev.unread, dev.mentions, dev.timeline.marker()), (2, 1, Some(0)));
    assert!(
        stage
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Notify { body, .. } if body == "Ann, look"))
    );
    stage.keys("Alt-A");
    let dev = stage.model.room().unwrap();
    assert_eq!((dev.title().as_str(), dev.unread, dev.timeline.marker()), ("#dev", 0, Some(0)));
    stage.keys("Alt-1 Alt-2");
    assert_eq!(stage.model.room().unwrap().timeline.marker(), None, "what was seen is not new any more");
}

#[test]
fn drafts_belong_to_their_rooms() {
    let mut stage = Stage::in_lobby();
    stage.says(r#"{"type":"joined","room":"dev","sequence":0,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}"#);
    stage.types("for the lobby");
    stage.keys("Ctrl-K");
    stage.types("dev");
    stage.keys("Enter");
    stage.types("for dev");
    assert_eq!(stage.model.room().unwrap().title(), "#dev");
    stage.keys("Alt-1");
    assert_eq!(stage.draft(), "for the lobby");
    let remembered = stage.model.remembered();
    assert_eq!(remembered.rooms[1].draft, "for dev");
    let mut stage = Stage::before(Medium::Screen, &remembered);
    stage.enter();
    assert_eq!(stage.draft(), "for the lobby");
}

#[test]
fn past_comes_in_pages_and_what_is_missing_is_fetched_when_it_is_near() {
    let mut stage = Stage::new(Medium::Screen);
    stage.give(Input::Connected);
    stage.says(WELCOME);
    stage.says(r#"{"type":"joined","room":"lobby","sequence":500,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}"#);
    let asked = stage.sent().into_iter().find(|request| request["type"] == "history").unwrap();
    assert_eq!(asked["before"], 501);
    let events: Vec<String> = (490..=500)
        .map(|sequence| format!(r#"{{"kind":"said","room":"lobby","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z","from":{{"nick":"bob"}},"text":"m{sequence}"}}"#))
        .collect();
    stage.says(&format!(
        r#"{{"type":"history","nonce":{},"room":"lobby","events":[{}],"before":490}}"#,
        asked["nonce"],
        events.join(",")
    ));
    assert_eq!(stage.said().len(), 11);
    let asked = stage.sent().into_iter().find(|request| request["type"] == "history").unwrap();
    assert_eq!(asked["before"], 490, "the screen is not full");
    stage.says(&format!(r#"{{"type":"history","nonce":{},"room":"lobby","events":[]}}"#, asked["nonce"]));
    assert!(stage.sent().is_empty());
    assert!(
        stage.model.room().unwrap().timeline.items().iter().all(|item| !matches!(item.what, What::Hole(_)))
    );
}

#[test]
fn gap_is_a_hole_that_is_filled() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "two");
    stage.says(r#"{"type":"gap","room":"lobby","from":3,"to":9,"messages":7}"#);
    stage.bob("lobby", 10, "ten");
    let asked = stage.sent().into_iter().find(|request| request["type"] == "history").unwrap();
    assert_eq!(asked["before"], 10);
    let event = r#"{"kind":"said","room":"lobby","id":"x","sequence":5,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"text":"five"}"#;
    stage.says(&format!(
        r#"{{"type":"history","nonce":{},"room":"lobby","events":[{event}],"before":3}}"#,
        asked["nonce"]
    ));
    assert_eq!(stage.said(), ["two", "five", "ten"]);
}

#[test]
fn what_was_skipped_is_still_said_where_nothing_is_kept() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "two");
    stage.says(r#"{"type":"gap","room":"lobby","from":3,"to":9,"messages":7}"#);
    let asked = stage.sent().into_iter().find(|request| request["type"] == "history").unwrap();
    let nonce = &asked["nonce"];
    stage.says(&format!(r#"{{"type":"refusal","nonce":{nonce},"code":"nothing-kept","text":"no history"}}"#));
    stage.bob("lobby", 10, "ten");
    let items = stage.model.room().unwrap().timeline.items();
    let words = items.iter().map(|item| match &item.what {
        What::Told(words) => words.to_string(),
        _ => item.said().unwrap().text.formatted().to_owned(),
    });
    let skipped = "7 messages were skipped; they came too fast and were not kept";
    assert_eq!(words.collect::<Vec<_>>(), ["two", skipped, "ten"]);
}

#[test]
fn own_words_that_come_back_behind_a_reconnect_stand_there_once() {
    let mut stage = Stage::in_lobby();
    stage.types("once");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(1));
    stage.give(Input::Connected);
    stage.says(WELCOME);
    stage.says(r#"{"type":"joined","room":"lobby","sequence":2,"resumed":true,"topic":null,"members":["bob"],"others":0,"listening":0}"#);
    stage.says(r#"{"type":"event","kind":"said","room":"lobby","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"ann"},"text":"once"}"#);
    stage.says(&format!(
        r#"{{"type":"ack","nonce":{nonce},"room":"lobby","id":"x","sequence":2,"repeated":true}}"#
    ));
    assert_eq!(stage.said(), ["once"]);
    assert!(stage.model.room().unwrap().pending.is_empty());
}

#[test]
fn edits_and_redactions_change_what_stands_there() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "teh");
    stage.says(r#"{"type":"event","kind":"edited","room":"lobby","id":"x","sequence":3,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"target":2,"text":"the"}"#);
    assert_eq!(stage.said(), ["the"]);
    stage.says(r#"{"type":"event","kind":"redacted","room":"lobby","id":"x","sequence":4,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"target":2}"#);
    assert_eq!(stage.said(), [""; 0]);
    assert!(matches!(stage.model.room().unwrap().timeline.items()[0].what, What::Erased { .. }));
}

#[test]
fn last_message_is_changed_with_a_key() {
    let mut stage = Stage::in_lobby();
    stage.types("helo");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    stage.says(&format!(r#"{{"type":"ack","nonce":{nonce},"room":"lobby","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z"}}"#));
    stage.keys("Alt-E Left");
    stage.types("l");
    stage.keys("Enter");
    let edit = &stage.sent()[0];
    assert_eq!(
        (edit["type"].as_str(), edit["target"].as_u64(), edit["text"].as_str()),
        (Some("edit"), Some(2), Some("hello"))
    );
    let nonce = &edit["nonce"];
    stage.says(&format!(r#"{{"type":"ack","nonce":{nonce},"room":"lobby","id":"x","sequence":3}}"#));
    assert_eq!(stage.said(), ["hello"]);
    assert_eq!(stage.draft(), "");
}

#[test]
fn direct_messages_have_a_place_of_their_own() {
    let mut stage = Stage::in_lobby();
    stage.types("/msg bob psst");
    stage.keys("Enter");
    let direct = &stage.sent()[0];
    assert_eq!((direct["type"].as_str(), direct["to"].as_str()), (Some("direct"), Some("bob")));
    stage.says(&format!(
        r#"{{"type":"ack","nonce":{},"room":"@3","id":"x","sequence":1,"time":"2026-11-21T10:00:00.000Z"}}"#,
        direct["nonce"]
    ));
    stage.says(r#"{"type":"event","kind":"direct","room":"@3","id":"x","sequence":2,"time":"2026-11-21T10:00:01.000Z","from":{"nick":"bob"},"to":{"nick":"ann"},"text":"what?"}"#);
    assert_eq!(stage.model.rooms().len(), 2);
    assert_eq!((stage.model.rooms()[1].unread, stage.model.rooms()[1].mentions), (1, 1));
    stage.keys("Alt-2");
    assert_eq!(stage.said(), ["psst", "what?"]);
    stage.types("nothing");
    stage.keys("Enter");
    assert_eq!(stage.sent()[0]["to"], "bob");
}

#[test]
fn tab_completes_names_and_commands() {
    let mut stage = Stage::in_lobby();
    stage.types("bo");
    stage.keys("Tab");
    assert_eq!(stage.draft(), "bob: ");
    stage.keys("Ctrl-U");
    stage.types("/sea");
    stage.keys("Tab");
    assert_eq!(stage.draft(), "/search ");
}

#[test]
fn search_leads_to_the_message() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "tea?");
    stage.keys("Ctrl-R");
    stage.types("tea");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    let event = r#"{"kind":"said","room":"lobby","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"text":"tea?"}"#;
    stage.says(&format!(r#"{{"type":"found","nonce":{nonce},"events":[{event}],"rest":"nothing"}}"#));
    let Some(Overlay::Search(search)) = stage.model.overlay() else { panic!("a search is open") };
    assert_eq!(search.findings.len(), 1);
    stage.keys("Enter");
    assert!(stage.model.overlay().is_none());
}

#[test]
fn command_that_is_misspelled_stays_to_be_mended() {
    let mut stage = Stage::in_lobby();
    stage.types("/jion dev");
    stage.keys("Enter");
    assert!(stage.sent().is_empty());
    assert_eq!(stage.draft(), "/jion dev");
    assert!(stage.model.note().unwrap().text.contains("did you mean /join?"));
}

#[test]
fn control_c_clears_first_and_leaves_then() {
    let mut stage = Stage::in_lobby();
    stage.types("dear");
    stage.keys("Ctrl-C");
    assert_eq!(stage.draft(), "");
    assert!(!stage.effects().contains(&Effect::Quit));
    stage.keys("Up");
    assert_eq!(stage.draft(), "dear", "nothing that was typed is lost");
    stage.keys("Ctrl-C Ctrl-C");
    assert!(stage.effects().contains(&Effect::Quit));
}

#[test]
fn plain_lines_say_who_says_what() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    stage.bob("lobby", 2, "hello\nann");
    stage.says(r#"{"type":"event","kind":"quit","time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"reason":"late"}"#);
    assert_eq!(stage.printed(), ["<bob> hello", "<bob> ann", "-- bob is offline (late)"]);
    stage.give(Input::Line("hi".into()));
    assert_eq!(stage.sent()[0]["text"], "hi");
}

/// What is told in the lobby and in a conversation with bob if bob and eve, who said nothing, leave.
fn told_of_departures(arrivals: Arrivals, hours: u64) -> (Vec<String>, Vec<String>) {
    let mut stage = Stage::in_lobby();
    stage.model.options.arrivals = arrivals;
    stage.says(r#"{"type":"event","kind":"direct","room":"@3","id":"x","sequence":1,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"to":{"nick":"ann"},"text":"psst"}"#);
    stage.bob("lobby", 2, "hello");
    for (minute, nick) in [(1, "eve"), (2, "bob")] {
        let time = format!("2026-11-21T{}:0{minute}:00.000Z", 10 + hours);
        stage
            .says(&format!(r#"{{"type":"event","kind":"quit","time":"{time}","from":{{"nick":"{nick}"}}}}"#));
        stage.says(&format!(
            r#"{{"type":"event","kind":"joined","room":"lobby","time":"{time}","from":{{"nick":"{nick}"}}}}"#
        ));
    }
    let told = |room: &Room| {
        let items = room.timeline.items().iter();
        let told =
            |item: &Item| if let What::Told(text) = &item.what { Some(text.to_string()) } else { None };
        items.filter_map(told).collect()
    };
    assert_eq!(stage.model.rooms()[0].members.count(), 3, "the list of members is right whatever is told");
    (told(&stage.model.rooms()[0]), told(&stage.model.rooms()[1]))
}

#[test]
fn comings_and_goings_are_told_of_those_of_whom_one_wants_to_know() {
    let (bob, eve) = (["bob is offline", "bob came in"], ["eve came in"]);
    let all = [&eve[..], &bob].concat();
    assert_eq!(told_of_departures(Arrivals::All, 0).0, all);
    assert_eq!(told_of_departures(Arrivals::Talking, 0).0, bob);
    assert!(told_of_departures(Arrivals::Talking, 2).0.is_empty(), "that was long ago");
    assert!(told_of_departures(Arrivals::None, 0).0.is_empty());
    for arrivals in [Arrivals::All, Arrivals::Talking, Arrivals::None] {
        assert_eq!(told_of_departures(arrivals, 0).1, ["bob is offline"], "{arrivals:?}");
    }
}

#[test]
fn hostile_names_and_texts_are_clean_before_they_are_kept() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{202e}x");
    assert_eq!(stage.said(), ["]52;c;eA==2Jx"]);
}

#[test]
fn whoever_leaves_is_patient_until_what_they_said_is_acknowledged() {
    let mut stage = Stage::in_lobby();
    stage.types("bye");
    stage.keys("Enter Ctrl-C");
    let nonce = stage.sent()[0]["nonce"].clone();
    assert!(!stage.effects().contains(&Effect::Quit));
    assert!(stage.model.deadline().is_some_and(|deadline| deadline <= Duration::from_secs(2)));
    stage.says(&format!(r#"{{"type":"ack","nonce":{nonce},"room":"lobby","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z"}}"#));
    assert!(stage.effects().contains(&Effect::Quit));
    assert_eq!(stage.model.link().unacknowledged(), 0);
}

#[test]
fn whoever_leaves_is_not_kept_for_long() {
    let mut stage = Stage::in_lobby();
    stage.types("bye");
    stage.keys("Enter Ctrl-C Ctrl-C");
    assert!(stage.effects().contains(&Effect::Quit), "who says so twice leaves at once");
    let mut stage = Stage::in_lobby();
    stage.types("bye");
    stage.keys("Enter Ctrl-D");
    stage.pass(Duration::from_secs(2));
    assert!(stage.effects().contains(&Effect::Quit));
    let mut stage = Stage::in_lobby();
    stage.types("bye");
    stage.keys("Enter");
    stage.give(Input::Leave);
    assert!(stage.effects().contains(&Effect::Quit), "a signal does not wait");
}

#[test]
fn conversation_that_was_closed_leaves_no_draft_behind() {
    let mut stage = Stage::in_lobby();
    for command in ["/query bob", "/close", "/query bob"] {
        stage.types(command);
        stage.keys("Enter");
    }
    assert_eq!((stage.model.room().unwrap().title().as_str(), stage.draft()), ("bob", ""));
}

#[test]
fn lists_that_nobody_asked_for_are_passed_over() {
    let mut stage = Stage::in_lobby();
    stage.says(r#"{"type":"rooms","nonce":"x","rooms":[{"room":"dev","members":1}],"more":false}"#);
    stage.keys("Ctrl-R");
    stage.says(r#"{"type":"found","nonce":"x","events":[],"rest":"nothing"}"#);
    let Some(Overlay::Search(search)) = stage.model.overlay() else { panic!("a search is open") };
    assert_eq!(search.progress, SearchProgress::Typing);
    stage.says(r#"{"type":"conversations","conversations":[{"room":"@3","with":"eve","sequence":1}]}"#);
    stage.says(r#"{"type":"topic","room":"lobby","topic":{"text":"t","by":"eve","time":"2026-11-21T10:00:00.000Z"}}"#);
    assert_eq!((stage.model.rooms().len(), stage.model.room().unwrap().topic.as_ref()), (1, None));
}

#[test]
fn rooms_without_an_end_are_not_all_kept() {
    let mut stage = Stage::in_lobby();
    stage.types("/rooms");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    for page in 0..20 {
        let rooms: Vec<String> =
            (0..1_000).map(|nth| format!(r#"{{"room":"r{page}-{nth}","members":1}}"#)).collect();
        stage.says(&format!(
            r#"{{"type":"rooms","nonce":{nonce},"rooms":[{}],"more":true}}"#,
            rooms.join(",")
        ));
    }
    assert_eq!(stage.model.known_rooms.len(), 10_000);
}

#[test]
fn members_are_asked_for_once_at_a_time() {
    let mut stage = Stage::in_lobby();
    for _ in 0..10 {
        stage.says(r#"{"type":"picture","room":"lobby","sequence":1,"members":["bob"],"others":3}"#);
        stage.says(r#"{"type":"gap"}"#);
    }
    let asked = stage.sent();
    let count = |kind: &str| asked.iter().filter(|request| request["type"] == kind).count();
    assert_eq!((count("who"), count("conversations")), (1, 1));
}

#[test]
fn sequences_at_the_ends_of_numbers_do_no_harm() {
    let mut stage = Stage::in_lobby();
    stage.says(
        r#"{"type":"joined","room":"dev","sequence":18446744073709551615,"members":[],"others":4294967295}"#,
    );
    stage.says(r#"{"type":"gap","room":"dev","from":1,"to":18446744073709551615}"#);
    stage.says(r#"{"type":"event","kind":"sum","room":"dev","time":"2026-11-21T10:00:00.000Z","arrived":{"nicks":[],"others":4294967295},"departed":{}}"#);
    stage.says(r#"{"type":"event","kind":"direct","room":"@9","id":"x","sequence":0,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"to":{"nick":"ann"},"text":"zero"}"#);
    assert_eq!(stage.model.rooms()[2].timeline.marker(), Some(0));
}

fn direct_from(stage: &mut Stage, room: &str, sequence: u64, nick: &str, text: &str) {
    stage.says(&format!(
        r#"{{"type":"event","kind":"direct","room":"{room}","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z","from":{{"nick":"{nick}"}},"to":{{"nick":"ann"}},"text":"{text}"}}"#
    ));
}

#[test]
fn somebody_else_of_the_same_name_is_in_another_conversation() {
    let mut stage = Stage::in_lobby();
    direct_from(&mut stage, "@3", 1, "bob", "the real one");
    stage.says(r#"{"type":"event","kind":"quit","time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"}}"#);
    direct_from(&mut stage, "@7", 1, "bob", "another one");
    stage.keys("Alt-2");
    assert_eq!(stage.said(), ["the real one"]);
    stage.keys("Alt-3");
    assert_eq!(stage.said(), ["another one"]);
}

#[test]
fn conversations_of_another_history_are_not_mixed_with_new_ones() {
    let mut stage = Stage::in_lobby();
    direct_from(&mut stage, "@3", 1, "bob", "before");
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(1));
    stage.give(Input::Connected);
    stage.says(&WELCOME.replace(r#""epoch":"e""#, r#""epoch":"f""#));
    direct_from(&mut stage, "@3", 1, "eve", "behind it");
    let place = |name: &str| stage.model.rooms().iter().find(|room| room.title() == name);
    let eve = place("eve").expect("a conversation of her own");
    assert_eq!(eve.timeline.items().len(), 1);
    let bob = place("bob").expect("it can still be read");
    assert_eq!(bob.name(), None);
}

#[test]
fn new_nick_is_that_of_the_list_of_members_too() {
    let mut stage = Stage::in_lobby();
    stage.types("/nick anna");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    stage.says(&format!(r#"{{"type":"nick","nonce":{nonce},"nick":"anna"}}"#));
    let nicks = stage.model.room().unwrap().members.iter().map(|member| member.nick.to_string());
    assert_eq!(nicks.collect::<Vec<_>>(), ["anna", "bob"]);
}

#[test]
fn trouble_of_a_server_that_was_restarted_is_over() {
    let mut stage = Stage::in_lobby();
    stage.says(r#"{"type":"event","kind":"journal","time":"2026-11-21T10:00:00.000Z","trouble":"full"}"#);
    assert!(stage.model.trouble().is_some());
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(1));
    stage.give(Input::Connected);
    stage.says(WELCOME);
    assert!(stage.model.trouble().is_none());
}

#[test]
fn unread_conversations_stand_behind_the_rooms() {
    let conversation = remembered::Room { name: "@3".into(), read: Some(1), ..remembered::Room::default() };
    let before = State { epoch: Some("e".into()), rooms: vec![conversation], ..State::default() };
    let mut stage = Stage::before(Medium::Screen, &before);
    stage.give(Input::Connected);
    stage.says(
        &WELCOME
            .replace(r#""conversations":[]"#, r#""conversations":[{"room":"@3","with":"bob","sequence":2}]"#),
    );
    let ping = stage.sent().into_iter().find(|request| request["type"] == "ping").expect("it is asked");
    for room in ["lobby", "dev"] {
        stage.says(&format!(r#"{{"type":"joined","room":"{room}","sequence":1,"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}}"#));
    }
    stage.says(&format!(r#"{{"type":"pong","nonce":{}}}"#, ping["nonce"]));
    let titles: Vec<String> = stage.model.rooms().iter().map(Room::title).collect();
    assert_eq!(titles, ["#lobby", "#dev", "bob"]);
    assert_eq!((stage.model.current(), stage.model.rooms()[2].unread), (0, 1));
}

#[test]
fn how_far_a_conversation_was_read_is_remembered_once() {
    let mut stage = Stage::in_lobby();
    stage.types("/msg bob psst");
    stage.keys("Enter");
    let nonce = stage.sent()[0]["nonce"].clone();
    stage.says(&format!(
        r#"{{"type":"ack","nonce":{nonce},"room":"@3","id":"x","sequence":1,"time":"2026-11-21T10:00:00.000Z"}}"#
    ));
    let remembered = stage.model.remembered();
    let mut stage = Stage::before(Medium::Screen, &remembered);
    stage.enter();
    stage.says(
        r#"{"type":"event","kind":"direct","room":"@3","id":"x","sequence":2,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"bob"},"to":{"nick":"ann"},"text":"yes?"}"#,
    );
    let remembered = stage.model.remembered();
    let conversations: Vec<_> = remembered.rooms.iter().filter(|room| room.name == "@3").collect();
    assert_eq!(conversations.len(), 1);
    assert!(conversations[0].read.is_some());
}

#[test]
fn nothing_is_said_to_whoever_took_a_nick_where_somebody_else_had_it() {
    let mut stage = Stage::in_lobby();
    for (conversation, sequence) in [("@3", 1), ("@4", 1), ("@3", 2)] {
        stage.says(&format!(
            r#"{{"type":"event","kind":"direct","room":"{conversation}","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z","from":{{"nick":"bob"}},"to":{{"nick":"ann"}},"text":"hi"}}"#
        ));
    }
    let presences: Vec<Presence> = stage.model.rooms()[1..].iter().map(|room| room.presence).collect();
    assert_eq!(presences, [Presence::Here, Presence::Gone], "the one that wrote last has the nick");
    stage.keys("Alt-3");
    stage.types("secret");
    stage.keys("Enter");
    assert!(stage.sent().iter().all(|request| request["type"] != "direct"));
    assert_eq!(stage.draft(), "secret");
}

#[test]
fn all_rooms_together_are_bounded() {
    let mut stage = Stage::in_lobby();
    for room in ["dev", "ops"] {
        stage.says(&format!(
            r#"{{"type":"joined","room":"{room}","sequence":0,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}}"#
        ));
        for sequence in 1..=500 {
            stage.bob(room, sequence, "a message of the usual length, which is not much");
        }
    }
    let bytes = |stage: &Stage| stage.model.rooms().iter().map(|room| room.timeline.bytes()).sum::<usize>();
    assert!(bytes(&stage) > 100_000);
    stage.model.bound_timelines(50_000);
    assert!((10_000..=50_000).contains(&bytes(&stage)), "{}", bytes(&stage));
    let last = |room: usize| stage.model.rooms()[room].timeline.last_order();
    assert_eq!((last(1), last(2)), (500, 500), "what is newest stays");
}
