//! What keys make of a text of many lines, and what can be undone.

use super::line::Lines::{Many, One};
use super::*;
use hub::{TEXT_BYTES_MAX, TEXT_LINES_MAX, is_showable};
use proptest::prelude::*;

const FAMILY: &str = "👨‍👩‍👧‍👦";

/// A text in which `|` is the cursor.
fn line(marked: &str) -> Line {
    let (before, behind) = marked.split_once('|').expect("a cursor");
    let mut line = Line::new(Many).with_undo();
    assert_eq!(line.paste(&format!("{before}{behind}")), 0);
    line.go_to_byte(before.len());
    line
}

fn marked(line: &Line) -> String {
    let (before, behind) = line.text().split_at(line.cursor().byte());
    format!("{before}|{behind}")
}

fn types(line: &mut Line, text: &str) {
    for character in text.chars() {
        line.insert(character);
    }
}

#[test]
fn many_lines_are_typed_and_one_line_knows_no_ends() {
    for (lines, text) in [(Many, "one\ntwo"), (One, "onetwo")] {
        let mut line = Line::new(lines);
        types(&mut line, "one\ntwo");
        assert_eq!(line.text(), text);
    }
}

#[test]
fn every_line_end_that_is_pasted_is_one() {
    for (lines, text) in [(Many, "a\nb\nc\n\nd    e"), (One, "a b c  d e")] {
        let mut line = Line::new(lines);
        assert_eq!(line.paste("a\r\nb\rc\n\nd\te\u{1b}\u{202e}"), 0);
        assert_eq!(line.text(), text);
        assert_eq!(line.cursor(), line.clusters().end());
    }
}

#[test]
fn motions_keep_to_the_line_or_cross_it() {
    use Motion::{BlankLeft, End, Left, Right, Start, TextEnd, TextStart, WordLeft, WordRight};
    for (before, motion, behind) in [
        ("one\ntw|o\nthree", Start, "one\n|two\nthree"),
        ("one\n|two\nthree", Start, "one\n|two\nthree"),
        ("one\nt|wo\nthree", End, "one\ntwo|\nthree"),
        ("one\ntwo|\nthree", End, "one\ntwo|\nthree"),
        ("one\ntwo\nth|ree", End, "one\ntwo\nthree|"),
        ("one\nt|wo", TextStart, "|one\ntwo"),
        ("o|ne\ntwo", TextEnd, "one\ntwo|"),
        ("one\n|two", Left, "one|\ntwo"),
        ("one|\ntwo", Right, "one\n|two"),
        ("one\n|two", WordLeft, "|one\ntwo"),
        ("one|\n漢字 b", WordRight, "one\n漢字| b"),
        ("one a-b\n|two", BlankLeft, "one |a-b\ntwo"),
    ] {
        let mut line = line(before);
        line.go(motion);
        assert_eq!(marked(&line), behind, "{before:?} {motion:?}");
    }
}

#[test]
fn kills_go_to_the_end_of_the_line_and_then_take_that() {
    for (before, motion, behind, cut) in [
        ("one\ntw|o\nthree", Motion::Start, "one\n|o\nthree", "tw"),
        ("one\n|o\nthree", Motion::Start, "one|o\nthree", "\n"),
        ("|one", Motion::Start, "|one", ""),
        ("one\nt|wo\nthree", Motion::End, "one\nt|\nthree", "wo"),
        ("one\nt|\nthree", Motion::End, "one\nt|three", "\n"),
        ("one|", Motion::End, "one|", ""),
        ("one\n|two", Motion::WordLeft, "|two", "one\n"),
    ] {
        let mut line = line(before);
        assert_eq!(line.cut(motion).text(), cut, "{before:?} {motion:?}");
        assert_eq!(marked(&line), behind, "{before:?} {motion:?}");
    }
}

#[test]
fn line_end_stands_between_a_character_and_its_mark() {
    let mut line = line("e|");
    types(&mut line, "\n\u{301}x");
    assert_eq!(line.text(), "e\nx");
    line.go(Motion::Start);
    line.cut(Motion::Left);
    assert_eq!(marked(&line), "e|x");
}

#[test]
fn cursor_put_into_a_character_stands_before_it() {
    let mut line = line(&format!("a{FAMILY}b|"));
    for byte in 1..=FAMILY.len() {
        line.go_to_byte(byte);
        assert_eq!((line.cursor().byte(), line.cursor().index()), (1, 1));
    }
    line.go_to_byte(1 + FAMILY.len());
    assert_eq!((line.cursor().byte(), line.cursor().index()), (1 + FAMILY.len(), 2));
    line.go_to_byte(usize::MAX);
    assert_eq!(line.cursor(), line.clusters().end());
}

#[test]
fn paste_ends_at_the_bounds_and_says_what_is_left() {
    let mut line = Line::new(Many);
    assert_eq!(line.paste(&"x\n".repeat(TEXT_LINES_MAX)), 1);
    assert_eq!(line.text().lines().count(), TEXT_LINES_MAX);
    assert_eq!((line.insert('\n'), line.insert('x')), (Effect::Nothing, Effect::Done));
    assert_eq!(line.paste("y\r\nz"), 3);
    let mut line = Line::new(Many);
    assert_eq!(line.paste(&"é".repeat(TEXT_BYTES_MAX)), TEXT_BYTES_MAX);
    assert_eq!(line.text().len(), TEXT_BYTES_MAX);
    assert_eq!((line.insert('x'), line.paste("x"), line.paste("\u{202e}")), (Effect::Nothing, 1, 0));
}

#[test]
fn what_was_killed_in_many_lines_is_put_into_one() {
    let killed = line("|one\ntwo").clusters().clone();
    let mut one = Line::new(One);
    assert_eq!(one.insert_text(0, &killed), Effect::Done);
    assert_eq!(one.text(), "one two");
    one.set(killed);
    assert_eq!(one.text(), "one two");
    one.set(Clusters::new(&"x".repeat(2 * TEXT_BYTES_MAX), usize::MAX));
    assert_eq!(one.text().len(), TEXT_BYTES_MAX);
}

#[test]
fn words_are_undone_one_by_one_and_done_again() {
    let mut line = Line::new(Many).with_undo();
    types(&mut line, "one two  three");
    let steps = ["one two  |", "one |", "|"];
    for step in steps {
        assert_eq!((line.undo(), marked(&line).as_str()), (Effect::Done, step));
    }
    assert_eq!(line.undo(), Effect::Nothing);
    for step in ["one |", "one two  |", "one two  three|"] {
        assert_eq!((line.redo(), marked(&line).as_str()), (Effect::Done, step));
    }
    assert_eq!(line.redo(), Effect::Nothing);
}

#[test]
fn each_of_these_is_one_step() {
    let edits: [fn(&mut Line); 7] = [
        |line| types(line, "word"),
        |line| {
            line.cut(Motion::Left);
            line.cut(Motion::Left);
        },
        |line| {
            line.cut(Motion::Start);
        },
        |line| {
            line.paste("some\nmore");
        },
        |line| {
            line.set(Clusters::new("else", 100));
        },
        |line| {
            line.transpose();
        },
        |line| {
            line.insert_text(2, &Clusters::new("in their place", 100));
        },
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut line = line("a text|\nof lines");
        types(&mut line, "!?");
        line.go(Motion::Left);
        let before = marked(&line);
        edit(&mut line);
        assert_ne!(marked(&line), before, "{index}");
        assert_eq!((line.undo(), marked(&line)), (Effect::Done, before), "{index}");
    }
}

#[test]
fn moving_ends_a_step_and_changing_something_forgets_what_was_undone() {
    let mut line = Line::new(Many).with_undo();
    types(&mut line, "ad");
    line.go(Motion::Left);
    types(&mut line, "bc");
    line.undo();
    assert_eq!(marked(&line), "a|d");
    types(&mut line, "x");
    assert_eq!((line.redo(), marked(&line).as_str()), (Effect::Nothing, "ax|d"));
}

#[test]
fn nothing_is_undone_once_a_text_is_finished_or_where_nobody_asked_for_it() {
    let mut line = Line::new(Many).with_undo();
    types(&mut line, "sent");
    assert_eq!(line.take().text(), "sent");
    assert_eq!((line.undo(), line.text()), (Effect::Nothing, ""));
    let mut line = Line::new(Many);
    types(&mut line, "a");
    assert_eq!((line.undo(), line.text()), (Effect::Nothing, "a"));
}

#[test]
fn what_can_be_undone_is_bounded() {
    let mut line = Line::new(Many).with_undo();
    for _ in 0..2 * UNDO_STEPS_MAX {
        line.paste("a");
    }
    assert_eq!(std::iter::from_fn(|| (line.undo() == Effect::Done).then_some(())).count(), UNDO_STEPS_MAX);
    let mut line = Line::new(Many).with_undo();
    for _ in 0..UNDO_STEPS_MAX {
        line.paste(&"x".repeat(TEXT_BYTES_MAX));
        line.cut(Motion::TextStart);
    }
    let steps = std::iter::from_fn(|| (line.undo() == Effect::Done).then_some(())).count();
    assert_eq!(steps, 2 * UNDO_BYTES_MAX / TEXT_BYTES_MAX);
}

#[derive(Clone, Debug)]
enum Edit {
    Type(char),
    Paste(String),
    Go(Motion),
    GoTo(usize),
    Cut(Motion),
    Yank(usize),
    Transpose,
    Undo,
    Redo,
}

fn motion() -> impl Strategy<Value = Motion> {
    proptest::sample::select(vec![
        Motion::Start,
        Motion::End,
        Motion::TextStart,
        Motion::TextEnd,
        Motion::Left,
        Motion::Right,
        Motion::WordLeft,
        Motion::WordRight,
        Motion::BlankLeft,
    ])
}

fn edit() -> impl Strategy<Value = Edit> {
    let characters = "a漢 \n\n\r\t\u{301}\u{200d}👨👩🇩🇪\u{202e}\u{85}ᄀ\u{1161}".chars().collect::<Vec<_>>();
    prop_oneof![
        6 => proptest::sample::select(characters).prop_map(Edit::Type),
        2 => "[a漢 \n\r\t\u{301}\u{200d}👨🇩\u{1b}]{0,12}".prop_map(Edit::Paste),
        3 => motion().prop_map(Edit::Go),
        1 => (0_usize..80).prop_map(Edit::GoTo),
        2 => motion().prop_map(Edit::Cut),
        1 => (0_usize..6).prop_map(Edit::Yank),
        1 => Just(Edit::Transpose),
        2 => Just(Edit::Undo),
        1 => Just(Edit::Redo),
    ]
}

fn do_it(line: &mut Line, killed: &mut Clusters, edit: Edit) {
    match edit {
        Edit::Type(character) => _ = line.insert(character),
        Edit::Paste(text) => _ = line.paste(&text),
        Edit::Go(motion) => _ = line.go(motion),
        Edit::GoTo(byte) => line.go_to_byte(byte),
        Edit::Cut(motion) => *killed = line.cut(motion),
        Edit::Yank(bytes_before) => _ = line.insert_text(bytes_before, killed),
        Edit::Transpose => _ = line.transpose(),
        Edit::Undo => _ = line.undo(),
        Edit::Redo => _ = line.redo(),
    }
}

/// The cursor stands between two clusters, a LF is one of its own, and nothing is there that may not be shown.
fn check(line: &Line, lines: Lines) {
    assert_eq!(line.clusters().place_at(line.cursor().byte()), line.cursor());
    let mut place = Place::START;
    while let Some(next) = line.clusters().after(place) {
        let cluster = line.clusters().at(place);
        assert!(cluster == "\n" && lines == Many || cluster.chars().all(is_showable), "{cluster:?}");
        place = next;
    }
    assert_eq!(place, line.clusters().end());
}

proptest! {
    #[test]
    fn text_is_sound_after_anything(
        lines in proptest::sample::select(vec![One, Many]),
        edits in proptest::collection::vec(edit(), 0..60),
    ) {
        let (mut line, mut killed) = (Line::new(lines).with_undo(), Clusters::default());
        for edit in edits {
            do_it(&mut line, &mut killed, edit);
            check(&line, lines);
        }
    }

    /// Whatever was done: undoing all of it ends at the beginning, and doing all of it again at the end.
    #[test]
    fn all_can_be_undone_and_done_again(edits in proptest::collection::vec(edit(), 0..60)) {
        let (mut line, mut killed) = (Line::new(Many).with_undo(), Clusters::default());
        for edit in edits {
            do_it(&mut line, &mut killed, edit);
        }
        while line.redo() == Effect::Done {}
        let end = line.text().to_owned();
        while line.undo() == Effect::Done {}
        prop_assert_eq!(line.text(), "");
        while line.redo() == Effect::Done {}
        prop_assert_eq!(line.text(), end);
    }
}
