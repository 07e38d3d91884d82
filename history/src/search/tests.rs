//! Search against a naive model, which looks at every line: whatever is changed, erased, let go of, not written or not indexed.
//! It must never ask the index what is right.

use super::*;
use crate::book::{Book, ROOMS, looking_for, places, room_ref};
use hub::Event;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which of these lines are found by these words, once they are indexed; the same must be found before.
#[track_caller]
fn check(texts: &[&str], words: &str, expected: &[u64]) {
    let indexed = Book::with(texts);
    assert_eq!(indexed.find(words), expected, "{words:?} in the index");
    let mut scanned = Book::new();
    for text in texts {
        scanned.say(1, "ann", text);
    }
    assert_eq!(scanned.find(words), expected, "{words:?} in what is not written");
    scanned.write_all();
    assert_eq!(scanned.find(words), expected, "{words:?} in what is not indexed");
}

#[test]
fn every_word_has_to_be_there_as_a_word_or_a_part_of_one() {
    let texts = ["hello world", "hello there", "say hello to the underworld"];
    check(&texts, "hello", &[3, 2, 1]);
    check(&texts, "HELLO World", &[3, 1]);
    check(&texts, "ell orl", &[3, 1]);
    check(&texts, "under", &[3]);
    check(&texts, "lo", &[3, 2, 1]);
    check(&texts, "y", &[3]);
    check(&texts, "hello nobody", &[]);
}

#[test]
fn chinese_japanese_and_korean_are_found_by_one_two_and_more_characters() {
    let texts = [
        "我们明天开会",
        "明 天",
        "会議は明日です。よろしく",
        "カタカナ and ひらがな",
        "안녕하세요 여러분",
        "𠀀𠀁",
    ];
    check(&texts, "明天", &[1]);
    check(&texts, "明", &[3, 2, 1]);
    check(&texts, "明天开会", &[1]);
    check(&texts, "開会", &[]);
    check(&texts, "ですよ", &[]);
    check(&texts, "です。よ", &[3]);
    check(&texts, "ﾀｶ", &[4]);
    check(&texts, "ﾀｶﾅ", &[4]);
    check(&texts, "하세", &[5]);
    check(&texts, "여", &[5]);
    check(&texts, "𠀁", &[6]);
    check(&texts, "𠀀𠀁", &[6]);
}

#[test]
fn scripts_side_by_side_are_found_across_their_border() {
    let texts = ["用Rust写的server", "iPhone手机"];
    check(&texts, "rust写", &[1]);
    check(&texts, "用r", &[1]);
    check(&texts, "e手", &[2]);
    check(&texts, "手机", &[2]);
}

#[test]
fn other_scripts_are_found() {
    let texts = ["สวัสดีครับ", "مرحبا بالعالم", "Привет, мир", "שלום עולם", "नमस्ते दुनिया", "ΟΔΥΣΣΕΥΣ"];
    check(&texts, "ครับ", &[1]);
    check(&texts, "ดี", &[1]);
    check(&texts, "عالم", &[2]);
    check(&texts, "привет", &[3]);
    check(&texts, "я", &[]);
    check(&texts, "м", &[3]);
    check(&texts, "עול", &[4]);
    check(&texts, "स्ते", &[5]);
    check(&texts, "οδυσ", &[6]);
}

#[test]
fn compatible_and_composed_forms_are_one() {
    let texts = ["ｃａｆé", "cafe\u{301}", "ﬁne", "x²", "na\u{ad}ive"];
    check(&texts, "café", &[2, 1]);
    check(&texts, "CAFE\u{301}", &[2, 1]);
    check(&texts, "fine", &[3]);
    check(&texts, "x2", &[4]);
    check(&texts, "naive", &[5]);
}

#[test]
fn emoji_are_found_with_and_without_their_joiners() {
    let texts = ["👨‍👩‍👧 family", "👍🏽", "❤️", "🇩🇪", "👩"];
    check(&texts, "👩", &[5, 1]);
    check(&texts, "👨‍👩‍👧", &[1]);
    check(&texts, "👨👩👧", &[1]);
    check(&texts, "👍", &[2]);
    check(&texts, "❤", &[3]);
    check(&texts, "🇩🇪", &[4]);
    check(&texts, "🦀", &[]);
}

#[test]
fn signs_are_found_as_they_stand() {
    let texts =
        ["I write c++ and c#", "see https://example.org/a?b=c&d=%20#e", "a*b NEAR(c) -x ^y {z}: \"q\""];
    check(&texts, "c++", &[1]);
    check(&texts, "c#", &[1]);
    check(&texts, "https://example.org/a?b=c", &[2]);
    check(&texts, "%20#", &[2]);
    check(&texts, "*", &[3]);
    check(&texts, "near(c)", &[3]);
    check(&texts, "-x", &[3]);
    check(&texts, "^y", &[3]);
    check(&texts, "{z}:", &[3]);
    check(&texts, "'", &[]);
    check(&texts, "\\", &[]);
}

#[test]
fn operators_are_words_like_any_other() {
    let texts = ["this and that", "this or that", "not this"];
    check(&texts, "this AND that", &[1]);
    check(&texts, "this OR that", &[2]);
    check(&texts, "NOT this", &[3]);
    check(&texts, "this NOT that", &[]);
    check(&texts, "th*", &[]);
    check(&texts, "tokens:this", &[]);
    check(&texts, "(this)", &[]);
    check(&texts, "this NEAR that", &[]);
    check(&texts, "'; DROP TABLE facts", &[]);
}

#[test]
fn quotes_keep_words_together_if_they_come_in_pairs() {
    let texts = ["to be or not", "be to", "to  be\nor", "say \"to be\"", "12\" disk"];
    check(&texts, "\"to be\"", &[4, 3, 1]);
    check(&texts, "\"TO BE OR\"", &[3, 1]);
    check(&texts, "to be", &[4, 3, 2, 1]);
    check(&texts, "\"to be", &[4]);
    check(&texts, "12\"", &[5]);
    check(&texts, "be\"", &[4]);
    check(&texts, "\"o b\" not", &[1]);
    check(&texts, "\"\" not", &[1]);
}

#[test]
fn formatting_is_not_looked_at() {
    check(&["a \u{2}bo\u{2}ld \u{3}04,12red\u{3} word"], "bold red", &[1]);
    check(&["\u{3}4red"], "4", &[]);
}

#[test]
fn private_characters_pass_for_no_author_and_no_room() {
    let mut book = Book::with(&["\u{e000}bob", "\u{e001}1"]);
    book.say(1, "bob", "hello");
    book.write_all();
    book.index_all();
    assert_eq!(book.find("\u{e000}bob"), [1]);
    let by_bob = Search { author: Some("bob".into()), ..looking_for("") };
    assert_eq!(places(&book.search(&book.rooms(), &by_bob)), [(1, 3)]);
}

#[test]
fn question_of_any_length_is_answered() {
    let long = "lorem ipsum dolor sit amet ".repeat(600);
    let texts = [long.trim(), "lorem"];
    check(&texts, &long, &[1]);
    check(&texts, &"x".repeat(20_000), &[]);
    check(&texts, &"\"".repeat(16_384), &[]);
    check(&texts, "   ", &[2, 1]);
}

#[test]
fn author_is_found_by_the_key_of_the_nick() {
    let mut book = Book::new();
    for nick in ["ann", "Ann", "anna", "ＡＮＮ", "bob"] {
        book.say(1, nick, "hello");
    }
    let by = |author: &str| Search { author: Some(author.into()), ..looking_for("hell") };
    for _ in 0..2 {
        assert_eq!(places(&book.search(&book.rooms(), &by("ANN"))), [(1, 4), (1, 2), (1, 1)]);
        assert_eq!(places(&book.search(&book.rooms(), &by("ann bob"))), []);
        assert_eq!(places(&book.search(&book.rooms(), &by("\" OR \""))), []);
        book.write_all();
        book.index_all();
    }
}

#[test]
fn only_rooms_that_are_given_are_searched_and_only_so_far() {
    let mut book = Book::new();
    for _ in 0..3 {
        for room in 1..=4 {
            book.say(room, "ann", "hello");
        }
    }
    for _ in 0..3 {
        let rooms = [(room_ref(2), Sequence(2)), (room_ref(4), Sequence(1))];
        let found = places(&book.search(&rooms, &looking_for("hello")));
        assert_eq!(found, [(2, 2), (4, 1), (2, 1)]);
        assert_eq!(places(&book.search(&[], &looking_for("hello"))), []);
        assert_eq!(places(&book.search(&[(room_ref(9), Sequence(9))], &looking_for("hello"))), []);
        match book.pending.len() {
            0 => book.index_all(),
            _ => book.write_all(),
        }
    }
}

#[test]
fn newest_lines_come_first_over_all_rooms_and_more_is_told() {
    let mut book = Book::new();
    for number in 0..40 {
        book.say(1 + number % ROOMS, "ann", "hello");
    }
    book.write_all();
    book.index_all();
    let some = |lines_max| book.search(&book.rooms(), &Search { lines_max, ..looking_for("hello") });
    let all = places(&some(200));
    assert_eq!(all.len(), 40);
    assert_eq!(some(40).rest, Rest::Nothing);
    for lines_max in [1, 7, 39] {
        let findings = some(lines_max);
        assert_eq!(places(&findings), all[..lines_max as usize]);
        assert_eq!(findings.rest, Rest::More);
    }
}

#[test]
fn clock_that_was_set_back_hides_nothing_from_a_search_without_times() {
    let book = Book::with(&["hello one", "hello two", "hello three"]);
    book.connection.execute("UPDATE facts SET time = 9000 - time WHERE id & 1", ()).unwrap();
    assert_eq!(book.find("hello"), [3, 2, 1]);
}

#[test]
fn time_that_is_up_ends_a_search_with_what_was_found() {
    let mut book = Book::new();
    for _ in 0..3000 {
        book.say(1, "ann", "hello");
    }
    for _ in 0..2 {
        assert_eq!(search_with_patience(&book, "nothing", 3).0.rest, Rest::OutOfTime);
        let (findings, looks) = search_with_patience(&book, "nothing", usize::MAX);
        assert_eq!(findings.rest, Rest::Nothing);
        assert!(looks > 5, "asked for the time only {looks} times");
        let found = search_with_patience(&book, "hello", 9).0;
        assert!(found.lines.first().is_some_and(|past| past.event.sequence() == Some(Sequence(3000))));
        book.write_all();
    }
}

#[test]
fn index_that_is_at_work_for_long_is_stopped() {
    let mut book = Book::new();
    // Small pages, so that a short room takes many of them.
    book.connection.execute("INSERT INTO words (words, rank) VALUES ('pgsz', 64)", ()).unwrap();
    for number in 0..20_000 {
        // Both words are everywhere, and nowhere together.
        book.say(1, "ann", if number % 2 == 0 { "abc" } else { "xyz" });
    }
    book.write_all();
    while index_slice(&book) {}
    let (findings, looks) = search_with_patience(&book, "abc xyz", usize::MAX);
    assert_eq!((findings.lines.len(), findings.rest), (0, Rest::Nothing));
    assert!(looks > 5, "asked for the time only {looks} times");
    assert_eq!(search_with_patience(&book, "abc xyz", looks / 2).0.rest, Rest::OutOfTime);
    // The connection is as good as before.
    assert_eq!(book.find("abc").len(), 200);
}

/// What is found if time is up when it was asked for so many times, and how often it was.
fn search_with_patience(book: &Book, words: &str, patience: usize) -> (Findings, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let is_time_up = move || counter.fetch_add(1, Ordering::Relaxed) >= patience;
    let findings =
        search(&book.connection, &book.rooms(), &looking_for(words), &book.batches(), is_time_up).unwrap();
    (findings, asked.load(Ordering::Relaxed))
}

fn index_slice(book: &Book) -> bool {
    crate::index::index_some(&book.connection, 5000).unwrap().rest == crate::index::Behind::Some
}

#[test]
fn changed_line_is_found_by_its_new_text_and_tells_that_it_was_changed() {
    let mut book = Book::with(&["hello world", "hello there"]);
    book.edit(1, 1, "goodbye world");
    for _ in 0..2 {
        assert_eq!(book.find("hello"), [2]);
        let findings = book.search(&book.rooms(), &looking_for("goodbye"));
        assert_eq!(places(&findings), [(1, 1)]);
        assert_eq!(findings.lines[0].edited, Some(Sequence(3)));
        book.write_all();
    }
}

#[test]
fn erased_line_is_never_found() {
    let mut book = Book::with(&["hello world", "hello there"]);
    book.edit(1, 1, "goodbye world");
    book.redact(1, 1);
    for _ in 0..2 {
        assert!(book.find("world").is_empty());
        book.write_all();
    }
}

#[test]
fn what_was_written_since_the_batches_were_collected_is_read_from_the_file() {
    let mut book = Book::new();
    book.say(1, "ann", "hello");
    let collected = book.batches();
    book.redact(1, 1);
    book.write_all();
    let findings =
        search(&book.connection, &book.rooms(), &looking_for("hello"), &collected, || false).unwrap();
    assert_eq!(places(&findings), []);
}

#[test]
fn topics_are_found() {
    let mut book = Book::new();
    book.set_topic(1, "ann", "All about crabs");
    for _ in 0..2 {
        let findings = book.search(&book.rooms(), &looking_for("crab"));
        assert!(matches!(&findings.lines[0].event, Event::TopicSet { topic: Some(_), .. }));
        book.write_all();
        book.index_all();
    }
}

/// Something that happens to a book.
#[derive(Clone, Debug)]
enum Deed {
    Say { room: u32, author: usize, text: String },
    Topic { room: u32, text: String },
    Edit { which: usize, text: String },
    Redact { which: usize },
    Write { count: usize },
    Index { rows_max: u32 },
    Forget { room: u32, upto: u64 },
}

const AUTHORS: [&str; 4] = ["ann", "Ann", "bob", "Ωmega"];

/// Few characters of many kinds, so that much is found.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab ]{1,8}",
        2 => "[aB\"*' +é]{1,8}",
        2 => "[明天会 aか]{1,6}",
        1 => "[한국 กา\u{e000}👍\u{200d}]{1,6}",
        1 => "[a-z ]{1,30}",
    ]
    .prop_filter("nothing is said", |text| Text::new(text).is_ok())
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => (1..=ROOMS, 0..AUTHORS.len(), text()).prop_map(|(room, author, text)| Deed::Say { room, author, text }),
        1 => (1..=ROOMS, text()).prop_map(|(room, text)| Deed::Topic { room, text }),
        2 => (any::<usize>(), text()).prop_map(|(which, text)| Deed::Edit { which, text }),
        1 => any::<usize>().prop_map(|which| Deed::Redact { which }),
        3 => (0..9_usize).prop_map(|count| Deed::Write { count }),
        3 => (1..9_u32).prop_map(|rows_max| Deed::Index { rows_max }),
        1 => (1..=ROOMS, 0..9_u64).prop_map(|(room, upto)| Deed::Forget { room, upto }),
    ]
}

fn perform(book: &mut Book, deed: Deed) {
    match deed {
        Deed::Say { room, author, text } => {
            book.say(room, AUTHORS[author], &text);
        }
        Deed::Topic { room, text } => {
            book.set_topic(room, "ann", &text);
        }
        Deed::Edit { which, text } => {
            if let Some((room, sequence)) = standing(book, which) {
                book.edit(room, sequence, &text);
            }
        }
        Deed::Redact { which } => {
            if let Some((room, sequence)) = standing(book, which) {
                book.redact(room, sequence);
            }
        }
        Deed::Write { count } => book.write(count.min(book.pending.len())),
        Deed::Index { rows_max } => {
            crate::index::index_some(&book.connection, rows_max).unwrap();
        }
        Deed::Forget { room, upto } => book.forget(room, upto),
    }
}

/// One of the lines that can still be changed.
fn standing(book: &Book, which: usize) -> Option<(u32, u64)> {
    let standing: Vec<_> = book.model.iter().filter(|line| line.text.is_some()).collect();
    let line = standing.get(which.checked_rem(standing.len())?)?;
    Some((line.room, line.sequence))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn search_finds_what_looking_at_every_line_finds(
        deeds in prop::collection::vec(deed(), 0..60),
        questions in prop::collection::vec(
            (text(), prop::option::of(0..AUTHORS.len()), prop::option::of(0..30_u64), prop::option::of(0..60_u64), 1..9_u32),
            1..6,
        ),
        asked in prop::collection::vec((1..=ROOMS, 0..20_u64), 0..5),
    ) {
        let mut book = Book::new();
        for deed in deeds {
            perform(&mut book, deed);
        }
        let mut rooms = book.rooms();
        for (room, upto) in asked {
            if let Some(limited) = rooms.iter_mut().find(|(other, _)| other.number.0 == room) {
                limited.1 = limited.1.min(Sequence(upto));
            }
        }
        rooms.retain(|(_, upto)| upto.0 > 0);
        for (words, author, since, before, lines_max) in questions {
            // What quotes mean has a test of its own.
            let search = Search {
                words: words.replace('"', ""),
                author: author.map(|author| AUTHORS[author].to_owned()),
                since: since.map(|since| Time(since * 1000)),
                before: before.map(|before| Time(before * 1000)),
                lines_max,
            };
            let expected = book.expected(&rooms, &search);
            let findings = book.search(&rooms, &search);
            let lines_max = lines_max as usize;
            prop_assert_eq!(places(&findings), &expected[..expected.len().min(lines_max)]);
            let rest = if expected.len() > lines_max { Rest::More } else { Rest::Nothing };
            prop_assert_eq!(findings.rest, rest);
        }
    }
}
