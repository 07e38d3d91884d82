//! What a person sees: keys go in, screens are compared.

mod properties;

use super::completion::CompletionKind;
use super::terminal::Terminal;
use super::*;
use crate::editing::width::{self, columns};
use hub::TEXT_BYTES_MAX;

const FAMILY: &str = "👨‍👩‍👧‍👦";

/// Somebody in front of a terminal.
struct Person {
    editor: Editor,
    terminal: Terminal,
    /// What the editor wrote last.
    written: Vec<u8>,
}

impl Person {
    fn new(columns: u16) -> Person {
        Person::at(Terminal::new(usize::from(columns)), columns)
    }

    fn at(terminal: Terminal, columns: u16) -> Person {
        Person::with(Editor::new(columns), terminal)
    }

    fn at_any_server(columns: u16) -> Person {
        let editor = Editor::for_any_server(columns, "<You> ");
        let terminal = Terminal::new(editor.screen.columns());
        Person::with(editor, terminal)
    }

    fn with(editor: Editor, terminal: Terminal) -> Person {
        let mut person = Person { editor, terminal, written: Vec::new() };
        person.shown("");
        person
    }

    fn types_bytes(&mut self, bytes: &[u8]) -> Vec<Asked> {
        let (mut rest, mut all) = (bytes, Vec::new());
        loop {
            let (used, asked) = self.editor.typed(rest);
            rest = &rest[used..];
            let Some(asked) = asked else { break };
            all.push(asked);
        }
        assert!(rest.is_empty());
        self.shown("");
        all
    }

    fn types(&mut self, keys: &str) -> Vec<Asked> {
        self.types_bytes(keys.as_bytes())
    }

    /// Text arrives.
    fn shown(&mut self, text: &str) {
        self.shown_bytes(&[text.as_bytes()]);
    }

    fn shown_bytes(&mut self, above: &[&[u8]]) {
        let mut bytes = Vec::new();
        self.editor.show(above, &mut bytes);
        self.terminal.write(&bytes);
        self.written = bytes;
        assert!(!self.editor.is_stale());
        self.check();
    }

    /// The last row is what a fresh one would be.
    fn check(&self) {
        let columns_now = self.editor.screen.columns();
        let (row, _) = self.editor.row();
        assert_eq!(self.terminal.input(), (row.text().into(), columns(row.before_cursor())));
        assert!(self.terminal.is_at_bottom());
        assert!(columns(row.text()) < columns_now);
        let cursor = self.editor.line.cursor();
        assert_eq!(cursor, self.editor.line.clusters().place_at(cursor.byte()));
    }

    fn resizes(&mut self, columns: u16) {
        self.terminal.resize(usize::from(columns));
        self.editor.resize(columns);
        assert!(self.editor.is_stale());
        self.shown("");
    }

    fn row(&self) -> String {
        self.terminal.input().0
    }

    fn cursor(&self) -> usize {
        self.terminal.input().1
    }

    fn rows(&self) -> Vec<String> {
        self.terminal.rows()
    }

    fn completes(&mut self, candidates: &[&str]) -> Vec<String> {
        let candidates: Vec<String> = candidates.iter().map(|&name| name.into()).collect();
        let listed = self.editor.completed(&candidates);
        self.shown("");
        listed
    }
}

fn line(text: &str) -> Vec<Asked> {
    vec![Asked::Line(text.into())]
}

fn asks_for(word: &str, kind: CompletionKind) -> Vec<Asked> {
    vec![Asked::Complete(Completion { word: word.into(), kind })]
}

#[test]
fn half_typed_chinese_stays_while_others_talk() {
    let mut person = Person::new(40);
    let typing = "你好,世界".as_bytes();
    for (index, byte) in typing.iter().enumerate() {
        person.types_bytes(&[*byte]);
        person.shown(&format!("<bob> {index}\n"));
    }
    assert_eq!(person.row(), "> 你好,世界");
    assert_eq!(person.cursor(), 11);
    let rows = person.rows();
    assert_eq!(rows.len(), typing.len() + 1);
    assert_eq!(rows[..2], ["<bob> 0", "<bob> 1"]);
    assert_eq!(person.types("\r\n"), line("你好,世界"));
    assert_eq!(person.row(), "> ");
}

#[test]
fn backspace_removes_one_whole_character() {
    for character in ["漢", FAMILY, "e\u{301}", "🇩🇪", "👍🏽", "한", "x"] {
        for key in ["\u{8}", "\u{7f}"] {
            let mut person = Person::new(40);
            person.types(&format!("ab{character}"));
            assert_eq!(person.row(), format!("> ab{character}"));
            person.types(key);
            assert_eq!((person.row().as_str(), person.cursor()), ("> ab", 4), "{character}");
        }
    }
}

#[test]
fn cursor_moves_by_characters_and_words() {
    let mut person = Person::new(40);
    person.types("one 漢字 two");
    let keys = [
        ("\x1b[D", 13),
        ("\x1bb", 11),
        ("\x1b[1;5D", 6),
        ("\x06", 8),
        ("\x1b[C", 10),
        ("\x01", 2),
        ("\x1bf", 5),
        ("\x1b[1;5C", 10),
        ("\x05", 14),
        ("\x1b[H", 2),
        ("\x1bOF", 14),
        ("\x02", 13),
    ];
    for (key, column) in keys {
        person.types(key);
        assert_eq!(person.cursor(), column, "{key:?}");
    }
}

#[test]
fn what_is_typed_in_the_middle_pushes_the_rest_on() {
    let mut person = Person::new(40);
    person.types("ad\x02bc漢");
    assert_eq!((person.row().as_str(), person.cursor()), ("> abc漢d", 7));
    person.types("\x1b[3~");
    assert_eq!((person.row().as_str(), person.cursor()), ("> abc漢", 7));
    person.types("\x01\x04");
    assert_eq!((person.row().as_str(), person.cursor()), ("> bc漢", 2));
}

#[test]
fn few_bytes_are_written_for_a_key() {
    let mut person = Person::new(40);
    let table: [(&str, &[u8]); 8] = [
        ("a", b"a"),
        ("漢", "漢".as_bytes()),
        ("\x08", b"\x08\x08\x1b[K"),
        ("bcd", b"bcd"),
        ("\x02", b"\x08"),
        ("\x06", b"\x1b[C"),
        ("\x01", b"\x08\x08\x08\x08"),
        ("\x05", b"\x1b[4C"),
    ];
    for (key, written) in table {
        person.types(key);
        assert_eq!(person.written, written, "{key:?}");
    }
    person.shown("");
    assert_eq!(person.written, b"");
    person.shown("<bob> hi\n");
    assert_eq!(person.written, b"\r\x1b[K<bob> hi\r\n> abcd");
}

#[test]
fn command_stays_and_talk_makes_room() {
    let mut person = Person::new(40);
    assert_eq!(person.types("/who\r"), line("/who"));
    assert_eq!(person.written, b"\r\x1b[K> /who\r\n> ");
    person.types("/rooms");
    person.types("\r");
    assert_eq!(person.written, b"\r\n> ");
    person.types("hello");
    assert_eq!(person.types("\r"), line("hello"));
    person.shown("<ann> hello\n");
    for talk in ["//who", "/ who"] {
        assert_eq!(person.types(&format!("{talk}\r")), line(talk));
    }
    assert_eq!(person.rows(), ["> /who", "> /rooms", "<ann> hello", ">"]);
}

#[test]
fn any_server_is_sent_lines_and_all_of_them_stay() {
    let mut person = Person::at_any_server(40);
    for text in ["hello", "/who", ""] {
        assert_eq!(person.types(&format!("{text}\r")), line(text));
    }
    person.types("half");
    person.shown("<127.0.0.1:4242> hi\n");
    let rows = ["<You> hello", "<You> /who", "<You>", "<127.0.0.1:4242> hi", "<You> half"];
    assert_eq!(person.rows(), rows);
    assert_eq!(person.cursor(), 10);
}

#[test]
fn any_server_is_asked_for_no_names() {
    let mut person = Person::at_any_server(40);
    assert_eq!(person.types("/wh\tan\t"), []);
    assert_eq!((person.row().as_str(), person.terminal.bells), ("<You> /whan", 1));
}

#[test]
fn longer_prompt_leaves_room_to_type_on_the_narrowest_terminal() {
    let mut person = Person::at_any_server(1);
    assert_eq!(person.editor.screen.columns(), 12);
    person.types("漢字漢字漢字\x02\x02\x02\x01\x05");
}

#[test]
fn command_longer_than_the_row_stays_in_full() {
    let mut person = Person::new(20);
    person.types("/me goes for a long walk");
    person.types("\r");
    assert_eq!(person.rows(), ["> /me goes for a", "  long walk", ">"]);
}

#[test]
fn several_lines_at_once_come_one_by_one() {
    let mut person = Person::new(40);
    let asked = person.types("one\r\n/who\r\ntwo\r\nthr");
    assert_eq!(asked, [line("one"), line("/who"), line("two")].concat());
    assert_eq!(person.rows(), ["> /who", "> thr"]);
}

#[test]
fn long_line_is_seen_through_a_window() {
    let mut person = Person::new(20);
    person.types("abcdefghijklmnopq");
    assert_eq!(person.row(), "> abcdefghijklmnopq");
    person.types("r");
    assert_eq!((person.row().as_str(), person.cursor()), ("> <lmnopqr", 10));
    person.types("s");
    assert_eq!(person.written, b"s");
    person.types("\x01");
    assert_eq!((person.row().as_str(), person.cursor()), ("> abcdefghijklmnop>", 2));
    person.types("\x06\x06漢\x04");
    assert_eq!(person.row(), "> ab漢defghijklmno>");
    person.types("\x05");
    assert_eq!(person.cursor(), person.row().chars().count());
}

#[test]
fn narrowest_terminal_shows_where_one_is() {
    for columns in [1, 5, 8] {
        let mut person = Person::new(8);
        person.editor.resize(columns);
        person.types("漢字漢字漢字");
        for _ in 0..8 {
            person.types("\x02");
        }
        for _ in 0..8 {
            person.types("\x06");
        }
    }
}

#[test]
fn absurd_widths_mean_eighty() {
    for columns in [0, 1001, u16::MAX] {
        assert_eq!(Editor::new(columns).screen.columns(), 80);
    }
    assert_eq!(Editor::new(1).screen.columns(), 8);
}

#[test]
fn resizing_keeps_what_is_typed_and_what_stands_above() {
    let mut person = Person::new(60);
    person.shown("<bob> hi\n");
    person.types("a long line with 漢字漢字漢字 in it and more and more");
    for keys in ["", "\x01", "\x1bf\x1bf\x1bf\x1bf"] {
        person.types(keys);
        for columns in [20, 59, 8, 33, 100, 61, 60] {
            person.resizes(columns);
            assert_eq!(person.rows()[0], "<bob> hi", "{columns} columns");
            assert_eq!(person.rows().len(), 2, "{columns} columns");
        }
    }
    person.types("\x05");
    assert_eq!(person.types("!\r"), line("a long line with 漢字漢字漢字 in it and more and more!"));
}

#[test]
fn resizing_to_where_the_cursor_stands_leaves_nothing_behind() {
    for (keys, columns) in [
        ("012345678901234567", 20),
        ("012345678901234567ab\x02\x02", 20),
        ("012345678901234567漢\x02", 20),
        ("012345678901234567漢\x02", 21),
        ("012345678901234567漢", 21),
    ] {
        let mut person = Person::new(60);
        person.shown("<bob> hi\n");
        person.types(keys);
        person.resizes(columns);
        assert_eq!((person.rows()[0].as_str(), person.rows().len()), ("<bob> hi", 2), "{keys:?}");
    }
}

#[test]
fn resizing_at_once_with_text_above_shows_both() {
    let mut person = Person::new(60);
    person.types("0123456789012345678901234567890123456789");
    person.terminal.resize(20);
    person.editor.resize(20);
    person.types("x");
    person.shown("<bob> hi\n");
    assert_eq!(person.rows(), ["<bob> hi", "> <456789x"]);
}

#[test]
fn history_keeps_the_draft() {
    let mut person = Person::new(40);
    person.types("one\r漢字\rdraft");
    for (key, row) in [
        ("\x1b[A", "> 漢字"),
        ("\x10", "> one"),
        ("\x1bOA", "> one"),
        ("\x0e", "> 漢字"),
        ("\x1b[B", "> draft"),
        ("\x1b[B", "> draft"),
    ] {
        person.types(key);
        assert_eq!(person.row(), row, "{key:?}");
    }
    assert_eq!(person.terminal.bells, 2);
    assert_eq!(person.types("\x10\x10!\r"), line("one!"));
}

#[test]
fn what_was_killed_can_be_put_back() {
    let mut person = Person::new(40);
    for (keys, row) in [
        ("one 漢字 two", "> one 漢字 two"),
        ("\x17", "> one 漢字 "),
        ("\x19\x19", "> one 漢字 twotwo"),
        ("\x1b\x7f", "> one 漢字 "),
        ("\x15", "> "),
        ("\x19", "> one 漢字 "),
        ("\x01\x1bf\x0b", "> one"),
        ("\x01\x19", ">  漢字 one"),
        ("\x1bd", ">  漢字 "),
        ("\x01\x0b\x19", ">  漢字 "),
    ] {
        person.types(keys);
        assert_eq!(person.row(), row, "{keys:?}");
    }
}

#[test]
fn transposing_exchanges_characters() {
    let mut person = Person::new(40);
    person.types("a漢\x14");
    assert_eq!((person.row().as_str(), person.cursor()), ("> 漢a", 5));
    person.types("b\x02\x02\x14");
    assert_eq!((person.row().as_str(), person.cursor()), ("> a漢b", 5));
}

#[test]
fn interrupt_clears_and_then_asks() {
    let mut person = Person::new(40);
    assert_eq!(person.types("abc\x03"), []);
    assert_eq!(person.row(), "> ");
    assert_eq!(person.types("\x03"), [Asked::Interrupt]);
    assert_eq!(person.types("a\x01\x04\x04"), [Asked::End]);
}

#[test]
fn redrawing_repairs_a_row_that_something_else_wrote_over() {
    let mut person = Person::new(40);
    person.types("abc");
    person.terminal.write(b"\rgarbage of another program");
    person.types("\x0c");
    assert_eq!(person.row(), "> abc");
}

#[test]
fn command_is_completed() {
    let mut person = Person::new(40);
    assert_eq!(person.types("/WH\t"), asks_for("/WH", CompletionKind::Command));
    assert!(person.completes(&["/who"]).is_empty());
    assert_eq!(person.row(), "> /who ");
}

#[test]
fn nick_at_the_beginning_is_spoken_to() {
    let mut person = Person::new(40);
    assert_eq!(person.types("an\t"), asks_for("an", CompletionKind::Name));
    person.completes(&["Ann"]);
    assert_eq!(person.row(), "> Ann: ");
    assert_eq!(person.types("漢\t"), asks_for("漢", CompletionKind::Name));
    person.completes(&["漢字"]);
    assert_eq!(person.row(), "> Ann: 漢字 ");
}

#[test]
fn kind_of_a_word_is_told_by_where_it_stands() {
    for (typed, word, kind) in [
        ("/join de", "de", CompletionKind::Room),
        ("/LEAVE  #", "#", CompletionKind::Room),
        ("/who ", "", CompletionKind::Room),
        ("/msg an", "an", CompletionKind::Name),
        ("/join dev an", "an", CompletionKind::Name),
        ("see #d", "#d", CompletionKind::Room),
        ("//wh", "//wh", CompletionKind::Name),
        ("", "", CompletionKind::Name),
    ] {
        let mut person = Person::new(40);
        assert_eq!(person.types(&format!("{typed}\t")), asks_for(word, kind), "{typed:?}");
    }
}

#[test]
fn several_candidates_are_completed_as_far_as_they_agree_and_then_listed() {
    let mut person = Person::new(40);
    person.types("hi a\t");
    assert!(person.completes(&["Anna", "annbe\u{301}", "ANNbe"]).is_empty());
    assert_eq!(person.row(), "> hi Ann");
    person.types("\t");
    assert_eq!(person.completes(&["Anna", "annbe\u{301}", "bob"]), ["Anna", "annbe\u{301}"]);
    assert_eq!(person.row(), "> hi Ann");
    person.types("x\t");
    assert!(person.completes(&[]).is_empty());
    assert_eq!(person.terminal.bells, 1);
}

#[test]
fn answer_that_comes_too_late_changes_nothing() {
    let mut person = Person::new(40);
    person.types("an\t");
    person.types("y");
    assert!(person.completes(&["ann"]).is_empty());
    assert_eq!(person.row(), "> any");
    assert!(person.completes(&["ann"]).is_empty());
}

#[test]
fn candidate_that_would_be_dangerous_is_cleaned() {
    let mut person = Person::new(40);
    person.types("a\t");
    person.completes(&["a\x1b[2J\u{202e}b"]);
    assert_eq!(person.row(), "> a[2Jb: ");
}

#[test]
fn what_may_not_be_shown_is_not_in_the_line() {
    let mut person = Person::new(60);
    person.types_bytes(b"a\xc2\x9b31m\x00\x07\xe2\x80\xae\xe2\x80\xa8b\xff\xe2\x80\x8b");
    assert_eq!(person.row(), "> a31mb\u{fffd}");
}

#[test]
fn bell_rings_at_every_bound() {
    let mut person = Person::new(40);
    for key in ["\x7f", "\x1b[3~", "\x02", "\x06", "\x10", "\x0e", "\x19", "\x15", "\x14"] {
        let before = person.terminal.bells;
        person.types(key);
        assert_eq!(person.terminal.bells, before + 1, "{key:?}");
    }
    let before = person.terminal.bells;
    person.types(&"x".repeat(TEXT_BYTES_MAX));
    assert_eq!(person.terminal.bells, before);
    person.types("é");
    assert_eq!(person.terminal.bells, before + 1);
    assert_eq!(person.types("\r"), line(&"x".repeat(TEXT_BYTES_MAX)));
}

#[test]
fn text_above_waits_for_the_end_of_its_line() {
    let mut person = Person::new(40);
    person.types("abc");
    let text = "<bob> 漢字\n<cat> hi\n".as_bytes();
    person.shown_bytes(&[&text[..7], &text[7..8]]);
    assert_eq!(person.written, b"");
    person.shown_bytes(&[&text[8..20]]);
    assert_eq!(person.rows(), ["<bob> 漢字", "> abc"]);
    person.shown_bytes(&[&text[20..]]);
    assert_eq!(person.rows(), ["<bob> 漢字", "<cat> hi", "> abc"]);
}

#[test]
fn no_wrapped_row_looks_like_the_servers() {
    let spaces = " ".repeat(31);
    for text in
        [format!("<eve>{spaces}xxxx-- the server stops"), format!("<eve> {}-- gone", FAMILY.repeat(4))]
    {
        for terminal in [Terminal::new(40), Terminal::old(40)] {
            let mut person = Person::at(terminal, 40);
            person.shown(&format!("{text}\n"));
            assert!(!person.terminal.has_wrapped());
            let rows = person.rows();
            assert!(
                rows.len() > 2 && rows[1..rows.len() - 1].iter().all(|row| row.starts_with("  ")),
                "{rows:?}"
            );
        }
    }
}

#[test]
fn row_as_wide_as_the_terminal_leaves_no_empty_one_behind() {
    let mut person = Person::new(20);
    person.shown("<ann> 45678901234567\n<bob> hi\n");
    assert_eq!(person.rows(), ["<ann> 45678901234567", "<bob> hi", ">"]);
}

#[test]
fn terminal_that_knows_no_families_shows_the_right_row_and_never_wraps() {
    let mut editor = Editor::new(30);
    let mut terminal = Terminal::old(30);
    let keys = format!("ab{FAMILY}c❤\u{fe0f}\x02\x02\x02\x02xy\x06\x06\x7f{FAMILY}{FAMILY}\x01z\x05!");
    for byte in keys.as_bytes() {
        editor.typed(&[*byte]);
        let mut bytes = Vec::new();
        editor.show(&[], &mut bytes);
        terminal.write(&bytes);
        let (row, _) = editor.row();
        assert_eq!(terminal.input(), (row.text().into(), width::room(row.before_cursor())));
        assert!(!terminal.has_wrapped());
    }
}

#[test]
fn leaving_takes_the_row_away_and_gives_up_what_was_held() {
    let mut person = Person::new(40);
    person.types("abc");
    person.shown_bytes(&[b"<bob> \xe6\xbc"]);
    let mut bytes = Vec::new();
    person.editor.leave(&mut bytes);
    assert_eq!(bytes, b"\r\x1b[K<bob> \xe6\xbc");
    let mut person = Person::new(40);
    person.types("/plain");
    assert_eq!(person.editor.typed(b"\r").1, line("/plain").pop());
    let mut bytes = Vec::new();
    person.editor.leave(&mut bytes);
    assert_eq!(bytes, b"\r\n");
}

#[test]
fn nothing_grows_without_a_bound() {
    let mut editor = Editor::new(80);
    let long = "é".repeat(TEXT_BYTES_MAX);
    for _ in 0..60 {
        for keys in [&long, "\x15\x19\x19\x10\x0e", "\r/me ", &long, "\r", "\x1b["] {
            let mut bytes = keys.as_bytes();
            while let (used, Some(_)) = editor.typed(bytes) {
                bytes = &bytes[used..];
            }
        }
    }
    let finished: usize = editor.finished.iter().map(String::len).sum();
    let held = [editor.line.text().len(), editor.killed.text().len(), finished];
    assert!(held.iter().all(|&bytes| bytes <= FINISHED_BYTES_MAX), "{held:?}");
    let mut bytes = Vec::new();
    editor.show(&[&b"x".repeat(100_000)], &mut bytes);
    assert!(editor.finished.is_empty());
}
