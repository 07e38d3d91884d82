//! What holds for any keys, any text and any terminal.

use super::{FAMILY, Person};
use crate::editing::width;
use crate::plain::editor::terminal::Terminal;
use crate::plain::editor::{Asked, Editor};
use hub::TEXT_BYTES_MAX;
use proptest::prelude::*;

/// What hostile and ordinary people send.
fn typing() -> impl Strategy<Value = Vec<u8>> {
    let keys = [
        "a",
        "漢",
        "字",
        " ",
        FAMILY,
        "e\u{301}",
        "\u{301}",
        "\u{200d}",
        "🇩",
        "🇪",
        "\u{1100}",
        "\u{1161}",
        "\u{600}",
        "❤\u{fe0f}",
        "hello world ",
        "\r\n",
        "\r",
        "\n",
        "\r\0",
        "/who\r",
        "\t",
        "\x7f",
        "\x08",
        "\x01",
        "\x02",
        "\x05",
        "\x06",
        "\x0b",
        "\x15",
        "\x17",
        "\x19",
        "\x14",
        "\x0c",
        "\x10",
        "\x0e",
        "\x03",
        "\x04",
        "\x1b[A",
        "\x1b[D",
        "\x1b[C",
        "\x1b[1;5D",
        "\x1bf",
        "\x1bd",
        "\x1b",
        "\x1b[",
        "\x1b[200~",
        "\x1b]0;x\x07",
        "\u{9b}",
        "\u{202e}",
        "-- news",
    ];
    let key = proptest::sample::select(keys.map(|key| key.as_bytes().to_vec()).to_vec());
    let junk = proptest::collection::vec(any::<u8>(), 1..6);
    proptest::collection::vec(prop_oneof![6 => key, 1 => junk], 0..60).prop_map(|parts| parts.concat())
}

fn above() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "<bob> hi\n",
        "<eve> ",
        "漢字漢字漢字漢字",
        FAMILY,
        "a long line of words that goes on and on and on ",
        "\n",
        "\t",
        "\x1b[2J",
        "e\u{301}",
        "\u{1100}\u{1100}\u{1100}\u{1100}\u{1100}",
        "🇩🇪🇫",
        "\u{200b}",
        "\r",
    ];
    let part = proptest::sample::select(parts.map(|part| part.as_bytes().to_vec()).to_vec());
    let junk = proptest::collection::vec(any::<u8>(), 1..6);
    proptest::collection::vec(prop_oneof![6 => part, 1 => junk], 0..12).prop_map(|parts| parts.concat())
}

#[derive(Clone, Debug)]
enum Happening {
    Typed(Vec<u8>),
    Above(Vec<u8>),
    Resized(u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => typing().prop_map(Happening::Typed),
        4 => above().prop_map(Happening::Above),
        2 => (8_u16..60).prop_map(Happening::Resized),
    ]
}

/// Types and answers every Tab; what was asked for comes back, and what was listed.
fn conversation(editor: &mut Editor, parts: &[&[u8]]) -> Vec<(Asked, Vec<String>)> {
    let candidates = ["/who", "ann", "Anna", "hello", "漢字", "a"].map(String::from);
    let mut all = Vec::new();
    for part in parts {
        let mut rest = *part;
        while let (used, Some(asked)) = editor.typed(rest) {
            rest = &rest[used..];
            let listed =
                if matches!(asked, Asked::Complete(_)) { editor.completed(&candidates) } else { Vec::new() };
            all.push((asked, listed));
        }
    }
    all
}

proptest! {
    /// An old terminal shows a family as four people: then the row may be narrower than need be, and never too wide.
    #[test]
    fn old_terminal_is_right_after_anything(
        columns in 8_u16..60,
        happenings in proptest::collection::vec((typing(), above()), 1..8),
    ) {
        let mut editor = Editor::new(columns);
        let mut terminal = Terminal::old(usize::from(columns));
        for (typed, above) in happenings {
            conversation(&mut editor, &[&typed]);
            let mut bytes = Vec::new();
            editor.show(&[&above], &mut bytes);
            terminal.write(&bytes);
            let (row, _) = editor.row();
            prop_assert_eq!(terminal.input(), (row.text().into(), width::room(row.before_cursor())));
            prop_assert!(!terminal.has_wrapped());
        }
    }

    #[test]
    fn any_split_gives_the_same(bytes in typing(), cuts in proptest::collection::vec(1_usize..20, 0..30)) {
        let mut whole = Editor::new(40);
        let mut parted = Editor::new(40);
        let mut parts = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (part, behind) = rest.split_at(cut.min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        parts.push(rest);
        prop_assert_eq!(conversation(&mut whole, &[&bytes]), conversation(&mut parted, &parts));
        let mut shown = [Vec::new(), Vec::new()];
        whole.show(&[], &mut shown[0]);
        parted.show(&[], &mut shown[1]);
        prop_assert_eq!(&shown[0], &shown[1]);
    }

    /// `Person::shown_bytes` compares the last row with a fresh one, and the terminal refuses whatever may not be sent.
    #[test]
    fn screen_is_right_after_anything(columns in 8_u16..60, happenings in proptest::collection::vec(happening(), 1..12)) {
        let mut person = Person::new(columns);
        for happening in happenings {
            let before = person.terminal.lines_above();
            let adds_lines = matches!(happening, Happening::Typed(_) | Happening::Above(_));
            match happening {
                Happening::Typed(bytes) => {
                    conversation(&mut person.editor, &[&bytes]);
                }
                Happening::Above(bytes) => person.shown_bytes(&[&bytes]),
                Happening::Resized(columns) => {
                    person.terminal.resize(usize::from(columns));
                    person.editor.resize(columns);
                }
            }
            person.shown("");
            let above = person.terminal.lines_above();
            prop_assert!(above.starts_with(&before), "{before:?} became {above:?}");
            prop_assert!(adds_lines || above.len() == before.len(), "{before:?} became {above:?}");
        }
        let mut bytes = Vec::new();
        person.editor.leave(&mut bytes);
        prop_assert!(person.editor.line.text().len() <= TEXT_BYTES_MAX);
    }

    #[test]
    fn any_bytes_at_all_are_survived(
        typed in proptest::collection::vec(any::<u8>(), 0..400),
        above in proptest::collection::vec(any::<u8>(), 0..400),
        columns in any::<u16>(),
    ) {
        let mut editor = Editor::new(columns);
        let mut terminal = Terminal::new(editor.screen.columns());
        conversation(&mut editor, &[&typed]);
        let mut bytes = Vec::new();
        editor.show(&[&above], &mut bytes);
        terminal.write(&bytes);
    }
}
