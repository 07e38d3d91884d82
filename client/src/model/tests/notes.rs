//! How long the line above the input stays.

use super::*;

impl Stage {
    fn note_if_any(&self) -> Option<&str> {
        self.model.note().map(|note| note.text.as_str())
    }

    fn refuses_anything(&mut self, text: &str) {
        self.says(&format!(r#"{{"type":"refusal","code":"c","text":"{text}"}}"#));
    }
}

#[test]
fn hint_that_is_not_true_any_more_goes_with_the_next_character() {
    let mut stage = Stage::in_lobby();
    stage.types("dear");
    stage.keys("Ctrl-C");
    assert_eq!(stage.note_if_any(), Some("Ctrl-C again leaves"));
    stage.keys("Left");
    stage.bob("lobby", 2, "hello");
    assert_eq!(stage.note_if_any(), Some("Ctrl-C again leaves"), "it is still true");
    stage.types("n");
    assert_eq!(stage.note_if_any(), None);
}

#[test]
fn hint_that_is_told_again_is_there() {
    let mut stage = Stage::in_lobby();
    stage.types("one");
    stage.keys("Ctrl-C Up Ctrl-C");
    assert_eq!(stage.note_if_any(), Some("Ctrl-C again leaves"));
}

#[test]
fn problem_stays_while_it_is_mended_and_goes_when_that_is_sent() {
    let mut stage = Stage::in_lobby();
    stage.types("/topik");
    stage.keys("Enter Backspace");
    stage.types("c");
    assert!(
        stage.note_if_any().is_some_and(|note| note.contains("did you mean /topic?")),
        "{:?}",
        stage.note_if_any()
    );
    stage.keys("Enter");
    assert_eq!((stage.draft(), stage.note_if_any()), ("", None));
}

#[test]
fn problem_with_what_is_looked_for_goes_with_the_list() {
    let mut stage = Stage::in_lobby();
    stage.keys("Ctrl-K");
    stage.types("no/name");
    stage.keys("Enter Backspace");
    assert!(
        stage.note_if_any().is_some_and(|note| note.starts_with("'no/name' is no name")),
        "{:?}",
        stage.note_if_any()
    );
    stage.keys("Esc");
    assert_eq!(stage.note_if_any(), None);
}

#[test]
fn what_the_server_tells_is_not_taken_away_by_the_next_key() {
    let mut stage = Stage::in_lobby();
    stage.types("half a wo");
    stage.refuses_anything("no");
    stage.types("rd");
    stage.keys("Enter");
    assert_eq!(stage.note_if_any(), Some("no"));
    stage.says(r#"{"type":"notice","code":"c","text":"the server restarts at noon"}"#);
    stage.types("really?");
    assert_eq!(stage.note_if_any(), Some("the server restarts at noon"));
    stage.pass(Duration::from_secs(8));
    assert_eq!(stage.note_if_any(), None);
}

#[test]
fn notes_go_where_another_room_is_seen() {
    let mut stage = Stage::in_lobby();
    stage.says(r#"{"type":"joined","room":"dev","sequence":0,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}"#);
    stage.refuses_anything("no");
    stage.keys("Alt-2");
    assert_eq!(stage.note_if_any(), None);
    stage.keys("Alt-N");
    assert_eq!(stage.note_if_any(), Some("nothing here is new"));
    stage.keys("Alt-1");
    assert_eq!(stage.note_if_any(), None);
}
