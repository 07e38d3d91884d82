//! Somebody who goes from one room into another, and does not wait until the server has answered.

use super::*;

impl Stage {
    /// Types a command and Enter. Answers with the nonce of what is asked for.
    fn asks(&mut self, command: &str) -> String {
        self.types(command);
        self.keys("Enter");
        nonce(&self.sent(), 0)
    }

    fn lets_in(&mut self, nonce: &str, room: &str) {
        self.says(&format!(
            r#"{{"type":"joined","nonce":"{nonce}","room":"{room}","sequence":1,"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}}"#
        ));
        self.answer_pages();
    }

    fn refuses(&mut self, nonce: &str, code: &str, room: &str) {
        self.says(&format!(
            r#"{{"type":"refusal","nonce":"{nonce}","code":"{code}","text":"that room is full","room":"{room}"}}"#
        ));
    }

    fn title(&self) -> String {
        self.model.room().expect("a room is open").title()
    }

    fn presence(&self) -> Presence {
        self.model.room().expect("a room is open").presence
    }

    fn note(&self) -> &str {
        self.model.note().map_or("", |note| &note.text)
    }
}

fn nonce(sent: &[serde_json::Value], nth: usize) -> String {
    sent[nth]["nonce"].as_str().expect("a nonce").to_owned()
}

/// The type of each, and the room.
fn types(sent: &[serde_json::Value]) -> Vec<(&str, &str)> {
    fn word<'v>(request: &'v serde_json::Value, name: &str) -> &'v str {
        request[name].as_str().unwrap_or_default()
    }
    sent.iter().map(|request| (word(request, "type"), word(request, "room"))).collect()
}

#[test]
fn room_that_is_asked_for_is_seen_at_once_and_what_is_typed_is_said_there() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    assert_eq!((stage.title().as_str(), stage.presence()), ("#dev", Presence::Entering));
    stage.types("hello");
    stage.keys("Enter");
    assert!(stage.sent().is_empty(), "nothing is said before we are in");
    stage.types("half");
    stage.lets_in(&join, "dev");
    assert_eq!((stage.title().as_str(), stage.draft(), stage.presence()), ("#dev", "half", Presence::Here));
    stage.keys("Alt-1");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#lobby", ""));
}

#[test]
fn what_was_said_before_we_are_in_follows_the_join() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    stage.types("hello");
    stage.keys("Enter");
    stage.says(&format!(
        r#"{{"type":"joined","nonce":"{join}","room":"dev","sequence":1,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}}"#
    ));
    let sent = stage.sent();
    assert_eq!(types(&sent)[0], ("say", "dev"));
}

#[test]
fn what_was_said_in_a_room_that_does_not_let_us_in_is_there_again() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    stage.types("for dev alone");
    stage.keys("Enter");
    stage.refuses(&join, "room-full", "dev");
    let sent = stage.sent();
    assert_eq!(types(&sent), [("say", "dev")], "the server refuses that, too, and then it comes back");
    stage.refuses(&nonce(&sent, 0), "not-in-room", "dev");
    assert_eq!((stage.title().as_str(), stage.presence()), ("#dev", Presence::Gone));
    assert_eq!(stage.draft(), "for dev alone");
    stage.keys("Enter");
    assert!(stage.sent().is_empty(), "it is said nowhere else");
    assert_eq!((stage.draft(), stage.note()), ("for dev alone", "you are not in #dev; /join enters it"));
    stage.keys("Ctrl-C");
    let again = stage.asks("/join dev");
    stage.lets_in(&again, "dev");
    assert_eq!((stage.presence(), stage.model.rooms().len()), (Presence::Here, 2));
}

#[test]
fn drafts_stay_in_their_rooms() {
    let mut stage = Stage::in_lobby();
    stage.types("/topic for the lobby");
    stage.keys("Ctrl-K");
    stage.types("dev");
    stage.keys("Enter");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#dev", ""));
    stage.asks("/join ops");
    stage.types("for ops");
    stage.keys("Alt-1");
    assert_eq!(stage.draft(), "/topic for the lobby");
    stage.keys("Alt-3");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#ops", "for ops"));
}

#[test]
fn room_is_called_as_the_server_calls_it() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join #DEV");
    assert_eq!(stage.title(), "#DEV");
    stage.lets_in(&join, "Dev");
    assert_eq!((stage.title().as_str(), stage.model.rooms().len()), ("#Dev", 2));
}

#[test]
fn whoever_is_in_a_room_already_is_in_it() {
    let mut stage = Stage::in_lobby();
    stage.asks("/join dev");
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(60));
    stage.comes_in();
    let hello = &stage.sent()[0];
    assert_eq!(hello["rooms"], serde_json::json!(["lobby", "dev"]), "the next connection enters it");
    assert_eq!(stage.title(), "#dev");
    let again = stage.asks("/join nowhere");
    stage.refuses(&again, "already-in-room", "nowhere");
    assert_eq!(stage.presence(), Presence::Entering);
}

#[test]
fn room_that_is_left_is_gone_at_once_and_stays_so() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    stage.lets_in(&join, "dev");
    let leave = stage.asks("/leave");
    assert_eq!((stage.title().as_str(), stage.model.rooms().len()), ("#lobby", 1));
    stage.types("for the lobby");
    stage.bob("dev", 2, "too late");
    stage.says(&format!(r#"{{"type":"left","nonce":"{leave}","room":"dev"}}"#));
    assert_eq!((stage.model.rooms().len(), stage.draft()), (1, "for the lobby"));
    // Nor does it come back with a connection that ends before the server has heard of it.
    stage.keys("Ctrl-C");
    let join = stage.asks("/join dev");
    stage.lets_in(&join, "dev");
    stage.asks("/leave");
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(60));
    stage.give(Input::Connected);
    assert_eq!(stage.sent()[0]["rooms"], serde_json::json!(["lobby"]));
}

#[test]
fn room_that_is_left_before_it_was_entered_does_not_open() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    stage.types("/leave");
    stage.keys("Enter");
    stage.lets_in(&join, "dev");
    assert_eq!((stage.title().as_str(), stage.model.rooms().len()), ("#lobby", 1));
}

#[test]
fn what_was_said_in_a_room_that_was_left_can_be_had_again_if_it_is_refused() {
    let mut stage = Stage::in_lobby();
    let join = stage.asks("/join dev");
    stage.lets_in(&join, "dev");
    let say = stage.asks("last words");
    stage.asks("/leave");
    stage.refuses(&say, "bad-text", "dev");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#lobby", ""));
    stage.keys("Up");
    assert_eq!(stage.draft(), "last words");
}

#[test]
fn whoever_is_put_out_can_still_read() {
    let mut stage = Stage::in_lobby();
    stage.bob("lobby", 2, "hello");
    stage.types("half");
    stage.says(r#"{"type":"left","room":"lobby"}"#);
    assert_eq!((stage.presence(), stage.draft()), (Presence::Gone, "half"));
    assert_eq!(stage.said(), ["hello"]);
}

#[test]
fn room_that_is_refused_after_a_reconnect_can_be_left_and_entered_again() {
    let mut stage = Stage::in_lobby();
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(60));
    stage.give(Input::Connected);
    stage.says(WELCOME);
    stage.says(r#"{"type":"refusal","request":"hello","code":"room-full","text":"that room is full","room":"lobby"}"#);
    assert_eq!((stage.presence(), stage.note()), (Presence::Gone, "that room is full"));
    stage.sent();
    let again = stage.asks("/join lobby");
    stage.lets_in(&again, "lobby");
    assert_eq!(stage.presence(), Presence::Here);
    stage.types("/leave");
    stage.keys("Enter");
    assert!(stage.model.rooms().is_empty());
}

#[test]
fn lines_are_said_where_they_were_meant_to_be_said() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    for line in ["here", "/join dev", "in dev", "/leave dev", "back here"] {
        stage.give(Input::Line(line.into()));
    }
    let sent = stage.sent();
    assert_eq!(types(&sent), [("say", "lobby"), ("join", "dev")], "the rest waits in the link");
    stage.says(&format!(
        r#"{{"type":"joined","nonce":"{}","room":"dev","sequence":1,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}}"#,
        nonce(&sent, 1)
    ));
    assert_eq!(types(&stage.sent()), [("say", "dev"), ("leave", "dev"), ("say", "lobby")]);
    assert_eq!(stage.model.undone(), 0);
}

#[test]
fn lines_for_a_room_that_cannot_be_entered_are_said_nowhere() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    stage.give(Input::Line("/join dev".into()));
    let join = nonce(&stage.sent(), 0);
    stage.refuses(&join, "room-full", "dev");
    for line in ["secret", "/jion dev", "/join bad/name", "/join two words"] {
        stage.give(Input::Line(line.into()));
    }
    assert!(stage.sent().is_empty());
    assert_eq!(stage.model.undone(), 5);
    stage.give(Input::Line("/join lobby".into()));
    stage.give(Input::Line("hello".into()));
    assert_eq!(types(&stage.sent()), [("say", "lobby")]);
}

#[test]
fn rooms_that_are_named_are_there_before_the_server_is() {
    let wanted = Wanted { rooms: vec!["ops".into(), "dev".into()], ..Wanted::default() };
    let size = Size { columns: 80, rows: 24 };
    let mut model = Model::new(options(), Medium::Screen, wanted, &State::default(), size, 7);
    model.start(Moment { time: Time(0), now: Duration::ZERO });
    let titles: Vec<String> = model.rooms().iter().map(Room::title).collect();
    assert_eq!((titles, model.current()), (vec!["#ops".to_owned(), "#dev".to_owned()], 0));
}
