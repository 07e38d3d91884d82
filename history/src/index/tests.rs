//! The index row by row: what of a fact is in it, and that nothing stays of what was erased. It must never take for granted that
//! a search would notice.

use super::*;
use crate::book::{Book, id};
use hub::RoomNumber;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What the index has of a fact, term by term.
fn terms(connection: &Connection, id: i64) -> BTreeSet<String> {
    let vocabulary =
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab (main, words, 'instance')";
    connection.execute_batch(vocabulary).unwrap();
    let mut statement = connection.prepare("SELECT term FROM temp.terms WHERE doc = ?1").unwrap();
    statement.query_map([id], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn written_tokens(nick: &str, text: &str) -> BTreeSet<String> {
    let tokens = words::tokens(RoomNumber(1), &key_of(nick), &words::fold(&Text::kept(text)));
    tokens.split_terminator(' ').map(str::to_owned).collect()
}

fn is_sound(connection: &Connection) -> bool {
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')", ()).is_ok()
}

#[test]
fn slices_follow_behind_until_nothing_is_left() {
    let mut book = Book::new();
    for room in 1..=3 {
        for _ in 0..5 {
            book.say(room, "ann", "hello");
        }
    }
    book.write_all();
    assert_eq!(book.count_behind(), 15);
    assert_eq!(index_some(&book.connection, 4).unwrap(), Indexed { facts: 4, rest: Behind::Some });
    assert_eq!(index_some(&book.connection, 4).unwrap(), Indexed { facts: 1, rest: Behind::Some });
    assert_eq!(book.count_behind(), 10);
    book.index_all();
    assert_eq!(index_some(&book.connection, 4).unwrap(), Indexed { facts: 0, rest: Behind::Nothing });
}

#[test]
fn lost_sequences_are_stepped_over() {
    let book = Book::with(&["hello"]);
    book.connection.execute("UPDATE rooms SET sequence = 5000", ()).unwrap();
    book.index_all();
    assert_eq!(book.find("hello"), [1]);
}

#[test]
fn erased_fact_leaves_no_term() {
    let mut book = Book::with(&["secret", "hello"]);
    assert!(!terms(&book.connection, id(1, 1)).is_empty());
    book.redact(1, 1);
    book.write_all();
    assert_eq!(terms(&book.connection, id(1, 1)), BTreeSet::new());
    assert_eq!(terms(&book.connection, id(1, 2)), written_tokens("ann", "hello"));
    assert!(is_sound(&book.connection));
}

#[test]
fn edited_fact_has_the_terms_of_its_new_text_only() {
    let mut book = Book::with(&["secret", "hello"]);
    book.edit(1, 1, "public");
    book.write_all();
    assert_eq!(terms(&book.connection, id(1, 1)), written_tokens("ann", "public"));
    book.edit(1, 1, "hello");
    book.write_all();
    assert_eq!(terms(&book.connection, id(1, 1)), written_tokens("ann", "hello"));
}

#[test]
fn fact_whose_turn_has_not_come_is_left_alone() {
    let mut book = Book::new();
    book.say(1, "ann", "secret");
    book.edit(1, 1, "public");
    book.write_all();
    assert_eq!(terms(&book.connection, id(1, 1)), BTreeSet::new());
    book.index_all();
    assert_eq!(terms(&book.connection, id(1, 1)), written_tokens("ann", "public"));
    assert_eq!(terms(&book.connection, id(1, 2)), BTreeSet::new(), "the edit itself is not indexed");
}

#[test]
fn facts_that_were_let_go_of_have_no_terms_and_erased_ones_still_go_at_once() {
    let mut book = Book::with(&["one", "two", "three", "four"]);
    book.forget(1, 2);
    for sequence in [1, 2] {
        assert_eq!(terms(&book.connection, id(1, sequence)), BTreeSet::new());
    }
    assert_eq!(terms(&book.connection, id(1, 3)), written_tokens("ann", "three"));
    assert!(is_sound(&book.connection));
    let is_secure = "SELECT v FROM words_config WHERE k = 'secure-delete'";
    assert_eq!(book.connection.query_row(is_secure, (), |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn slice_that_is_rolled_back_has_changed_nothing() {
    let mut book = Book::new();
    book.say(1, "ann", "hello");
    book.write_all();
    book.connection
        .execute_batch("CREATE TRIGGER no UPDATE ON rooms BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    assert!(index_some(&book.connection, 9).is_err());
    assert_eq!(terms(&book.connection, id(1, 1)), BTreeSet::new());
    book.connection.execute_batch("DROP TRIGGER no").unwrap();
    book.index_all();
    assert_eq!(book.find("hello"), [1]);
}

/// Three characters that no other file has side by side.
const MARK: &str = "\u{a66e}\u{2603}\u{1f980}";

#[test]
fn erased_words_are_in_no_byte_of_the_file() {
    let directory = std::env::temp_dir().join(format!("roomful-index-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("erased.db");
    let has_mark = || {
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes())
    };
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL;").unwrap();
    let checkpoint = |book: &Book| {
        book.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, i64>(0)).unwrap()
    };
    let mut book = Book::on(connection);
    for number in 0..2000 {
        book.say(1, "ann", &format!("number {number}"));
        if number == 1000 {
            book.say(1, "ann", MARK);
        }
    }
    book.write_all();
    book.index_all();
    assert_eq!(checkpoint(&book), 0);
    assert!(has_mark());
    assert_eq!(book.find(MARK), [1002]);
    book.redact(1, 1002);
    book.write_all();
    assert_eq!(checkpoint(&book), 0);
    assert!(!has_mark());
    assert!(is_sound(&book.connection));
    drop(book);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,40}",
        "[ -~]{1,40}",
        "[a-c漢字かなカナ한글ก็ا́ß\"'*^ ]{1,40}",
        "[\u{e000}-\u{e0ff}\u{1f000}-\u{1f9ff}\u{200d}]{1,9}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn terms_are_the_tokens_character_by_character(text in texts(), nick in "[a-zA-Z^`{|}_-]{1,8}|\\p{L}{1,8}") {
        prop_assume!(Text::new(&text).is_ok());
        let mut book = Book::new();
        book.say(1, &nick, &text);
        book.write_all();
        book.index_all();
        let shown = Text::new(&text).unwrap();
        prop_assert_eq!(terms(&book.connection, id(1, 1)), written_tokens(&nick, shown.formatted()));
        book.redact(1, 1);
        book.write_all();
        prop_assert_eq!(terms(&book.connection, id(1, 1)), BTreeSet::new());
    }
}
