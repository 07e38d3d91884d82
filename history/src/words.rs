//! What of a text can be looked for: folding, and the tokens that stand in the index for a fact and for a question.
//!
//! Where it stands: below the index, which writes the tokens of facts, and below the search, which asks for the tokens of
//! what somebody typed and then looks into the folded text itself.
//!
//! What this file must never do: fold what is indexed and what is asked for in two ways, or give a question a token that a
//! text with it in it may lack. A token too few costs time; one too many hides what was said.
//!
//! A text is cut into runs at blanks, and where Chinese, Japanese or Korean begins or ends. Of each run the index has
//! every three neighbours, every two, and such single characters as people look for: in Chinese, Japanese or Korean, where
//! two are a word and one often is, every two and every one. A part of a word that is asked for is then found by the
//! longest of these that fit into it. Prefixes are left alone: FTS5 would have to merge all that begin so, which takes as
//! long as they are many, and cannot be stopped.

use hub::{RoomNumber, Search, Text, key_of};

/// The first character of the token that tells the author; none of a text's tokens begins so.
const AUTHOR: char = '\u{e000}';
/// The first character of the token that tells the room; none of a text's tokens begins so.
const ROOM: char = '\u{e001}';
/// So many characters that are no Chinese, Japanese or Korean make the longest token.
const GRAM_CHARS: usize = 3;
/// So many that are make the longest.
const GRAM_CHARS_CJK: usize = 2;
/// A question asks for at most so many tokens of the index; the text itself is looked at for everything.
const ASKED_TOKENS_MAX: usize = 24;

/// A text as it is compared: without formatting and what nobody sees, compatible and composed forms and cases made one
/// (as for names), any blanks a single space, none at the ends.
pub(crate) fn fold(text: &Text) -> String {
    let mut folded = String::with_capacity(text.formatted().len());
    for line in text.lines() {
        fold_line(&line, &mut folded);
    }
    folded.truncate(folded.trim_end_matches(' ').len());
    folded
}

/// Appends the folded line and a blank.
fn fold_line(line: &str, folded: &mut String) {
    if line.is_ascii() {
        line.bytes().for_each(|byte| push_folded(byte.to_ascii_lowercase().into(), folded));
    } else if line.contains(is_invisible) {
        key_of(&line.replace(is_invisible, "")).chars().for_each(|character| push_folded(character, folded));
    } else {
        key_of(line).chars().for_each(|character| push_folded(character, folded));
    }
    push_folded(' ', folded);
}

fn push_folded(character: char, folded: &mut String) {
    match character {
        AUTHOR | ROOM => folded.push(char::REPLACEMENT_CHARACTER),
        _ if !character.is_whitespace() && !character.is_control() => folded.push(character),
        _ if folded.is_empty() || folded.ends_with(' ') => {}
        _ => folded.push(' '),
    }
}

/// Characters that only say how others are drawn or joined: soft hyphens, joiners, zero-width blanks, variation selectors,
/// tags. People do not know whether they typed them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Chinese, Japanese and Korean letters, which are written without blanks between the words, or of which a few make a word.
/// Compatible and halfwidth forms are not among them: folding has made them plain ones.
fn is_cjk(character: char) -> bool {
    matches!(
        character,
        '\u{1100}'..='\u{11ff}' // Hangul Jamo
            | '\u{2e80}'..='\u{2fdf}' // radicals
            | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303c}'
            | '\u{3041}'..='\u{318f}' // Hiragana, Katakana, Bopomofo, Hangul
            | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' // Han
            | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' // Hangul
            | '\u{f900}'..='\u{faff}' // Han that stayed compatible
            | '\u{1aff0}'..='\u{1b16f}' // Kana that were found later
            | '\u{20000}'..='\u{3ffff}' // Han that were found later
    )
}

/// The tokens of a fact, one blank between two; `author` is a nick's key. A token may be there more than once: the index
/// writes it once.
pub(crate) fn tokens(room: RoomNumber, author: &str, folded: &str) -> String {
    let mut tokens = String::with_capacity(folded.len() * 8 + author.len() + 16);
    push_token(&room_token(room), &mut tokens);
    push_token(&author_token(author), &mut tokens);
    runs(folded).for_each(|run| push_tokens(run, &mut tokens));
    tokens
}

fn room_token(room: RoomNumber) -> String {
    format!("{ROOM}{room}")
}

/// In one piece whatever the key: only in a foreign file, or in a question, has one a blank in it.
fn author_token(key: &str) -> String {
    let is_gap = |character: char| character.is_whitespace() || character.is_control();
    format!("{AUTHOR}{}", key.replace(is_gap, "\u{fffd}"))
}

fn push_token(token: &str, tokens: &mut String) {
    tokens.push_str(token);
    tokens.push(' ');
}

/// The runs of a folded text: no blank in them, and either all or nothing of it Chinese, Japanese or Korean.
fn runs(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').flat_map(halves).filter(|run| !run.is_empty())
}

/// A word, cut where Chinese, Japanese or Korean begins or ends.
fn halves(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|character| is_cjk(character) != is_cjk(first)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some(run)
    })
}

/// How many neighbours of a run make a token at most.
fn gram_chars(run: &str) -> usize {
    if run.starts_with(is_cjk) { GRAM_CHARS_CJK } else { GRAM_CHARS }
}

/// Whether a single character is in the index: letters of alphabets are everywhere, and only cost room there.
fn is_single_token(character: char) -> bool {
    is_cjk(character) || !(character.is_ascii() || character.is_alphanumeric())
}

fn push_tokens(run: &str, tokens: &mut String) {
    let chars_max = gram_chars(run);
    for (start, character) in run.char_indices() {
        if is_single_token(character) {
            push_token(&run[start..start + character.len_utf8()], tokens);
        }
        for chars in 2..=chars_max {
            if let Some(gram) = gram(&run[start..], chars) {
                push_token(gram, tokens);
            }
        }
    }
}

/// The first so many characters, if there are so many.
fn gram(run: &str, chars: usize) -> Option<&str> {
    let (last, character) = run.char_indices().nth(chars - 1)?;
    Some(&run[..last + character.len_utf8()])
}

/// What somebody looks for.
#[derive(Debug)]
pub(crate) struct Question {
    /// Folded; each must be in the folded text.
    needles: Vec<String>,
    /// The key of the author's nick.
    author: Option<String>,
}

impl Question {
    pub(crate) fn new(search: &Search) -> Question {
        let author = search.author.as_deref().map(str::trim).filter(|author| !author.is_empty());
        Question { needles: needles(&fold(&Text::kept(&search.words))), author: author.map(key_of) }
    }

    /// Whether a text that was said under a nick is looked for.
    pub(crate) fn matches(&self, nick: &str, text: &Text) -> bool {
        self.author.as_ref().is_none_or(|author| *author == key_of(nick)) && self.matches_text(text)
    }

    fn matches_text(&self, text: &Text) -> bool {
        if self.needles.is_empty() {
            return true;
        }
        let folded = fold(text);
        self.needles.iter().all(|needle| folded.contains(needle.as_str()))
    }

    /// What to ask the index for in these rooms, in the words of FTS5; `None` if it has no token of it.
    pub(crate) fn expression(&self, rooms: impl Iterator<Item = RoomNumber>) -> Option<String> {
        let author = self.author.as_deref().map(author_token);
        let asked: Vec<_> =
            author.into_iter().chain(asked_tokens(&self.needles)).map(|token| quoted(&token)).collect();
        // The rooms' own tokens stand first: where a room ends all others stop, however far the next hit would be.
        let rooms: Vec<_> = rooms.map(|room| quoted(&room_token(room))).collect();
        (!asked.is_empty()).then(|| format!("({}) AND {}", rooms.join(" OR "), asked.join(" AND ")))
    }
}

/// Words are cut at blanks, but `"` keeps what is between it and the next one together. One without a next one is just a
/// character, as is one in the middle of a word. Where there is nothing but `"`, these are looked for: only a question that shows
/// nothing looks for nothing.
fn needles(folded: &str) -> Vec<String> {
    let mut needles = Vec::new();
    let mut rest = folded;
    while let Some(start) = rest.find(|character| character != ' ') {
        let (needle, behind) = first_needle(&rest[start..]);
        rest = behind;
        if !needle.is_empty() && !needles.iter().any(|other| other == needle) {
            needles.push(needle.to_owned());
        }
    }
    if needles.is_empty() && !folded.is_empty() {
        needles.push(folded.to_owned());
    }
    needles
}

/// The first needle, and what is behind it.
fn first_needle(rest: &str) -> (&str, &str) {
    let phrase = rest.strip_prefix('"').and_then(|behind| behind.split_once('"'));
    match phrase {
        Some((phrase, behind)) => (phrase.trim_matches(' '), behind),
        None => rest.split_once(' ').unwrap_or((rest, "")),
    }
}

/// The longest tokens that all texts with the needles in them have; of long ones some from everywhere.
fn asked_tokens(needles: &[String]) -> Vec<String> {
    let mut all: Vec<&str> = Vec::new();
    for needle in needles {
        runs(needle).for_each(|run| push_asked(run, &mut all));
    }
    all.sort_unstable();
    all.dedup();
    // Those of most characters first: they are the rarest.
    all.sort_by_key(|token| std::cmp::Reverse(token.chars().count()));
    let step = all.len().div_ceil(ASKED_TOKENS_MAX).max(1);
    all.into_iter().step_by(step).map(str::to_owned).collect()
}

fn push_asked<'needle>(run: &'needle str, asked: &mut Vec<&'needle str>) {
    let chars = run.chars().count().min(gram_chars(run));
    if chars == 1 && !run.starts_with(is_single_token) {
        return;
    }
    // One behind the other, and the last one: those between them say little more, and each costs time.
    let starts: Vec<usize> = run.char_indices().map(|(start, _)| start).collect();
    let last = starts.len() - chars;
    let starts = (0..last).step_by(chars).chain([last]).map(|index| starts[index]);
    asked.extend(starts.filter_map(|start| gram(&run[start..], chars)));
}

/// A token as FTS5 takes it literally.
fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn folded(text: &str) -> String {
        fold(&Text::kept(text))
    }

    fn tokens_of(text: &str) -> Vec<String> {
        let tokens = tokens(RoomNumber(7), "ann", &folded(text));
        tokens.split_terminator(' ').skip(2).map(str::to_owned).collect()
    }

    fn asked(words: &str) -> Vec<String> {
        asked_tokens(&needles(&folded(words)))
    }

    #[test]
    fn text_is_folded() {
        assert_eq!(folded("  Hello,\t\n  WORLD  "), "hello, world");
        assert_eq!(folded("ＦＵＬＬ　width ﬁ ²"), "full width fi 2");
        assert_eq!(folded("E\u{301}\u{200d}\u{fe0f}ß"), "éß");
        assert_eq!(folded("\u{2}bold\u{2} \u{3}04red"), "bold red");
        assert_eq!(folded("\u{e000}x\u{e001}"), "\u{fffd}x\u{fffd}");
        assert_eq!(folded("\u{200b} "), "");
    }

    #[test]
    fn words_have_tokens_of_two_and_three_neighbours() {
        assert_eq!(tokens_of("Hello c#"), ["he", "hel", "el", "ell", "ll", "llo", "lo", "c#"]);
        assert_eq!(tokens_of("a"), [""; 0]);
    }

    #[test]
    fn chinese_japanese_and_korean_have_tokens_of_one_and_two() {
        assert_eq!(tokens_of("明天会"), ["明", "明天", "天", "天会", "会"]);
        assert_eq!(tokens_of("a明b"), ["明"]);
        assert_eq!(tokens_of("한국ok。"), ["한", "한국", "국", "ok", "ok。", "k。", "。"]);
    }

    #[test]
    fn author_and_room_have_tokens_that_no_text_has() {
        assert_eq!(tokens(RoomNumber(12), "ann", "明"), "\u{e001}12 \u{e000}ann 明 ");
    }

    #[test]
    fn longest_tokens_that_fit_are_asked_for() {
        assert_eq!(asked("hello"), ["hel", "llo"]);
        assert_eq!(asked("abcdefg"), ["abc", "def", "efg"]);
        assert_eq!(asked("lo x 明 明天会"), ["lo", "天会", "明天", "明"]);
        assert_eq!(asked("a"), [""; 0]);
    }

    #[test]
    fn question_that_shows_something_looks_for_something() {
        assert_eq!(needles(&folded("\"a b\" \"c")), ["a b", "\"c"]);
        assert_eq!(needles(&folded("\"\"")), ["\"\""]);
        assert_eq!(needles(&folded("\" \"")), ["\" \""]);
        assert_eq!(needles(&folded(" \u{0}\u{200b} ")), [""; 0]);
    }

    #[test]
    fn question_asks_for_a_bounded_number_of_tokens() {
        let long = (0..2000).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        assert!((2..=ASKED_TOKENS_MAX).contains(&asked(&long).len()));
    }

    #[test]
    fn question_is_quoted() {
        let search = Search { words: "a\"b OR".into(), author: Some(" Ann ".into()), ..Search::default() };
        let expression = Question::new(&search).expression([RoomNumber(1), RoomNumber(2)].into_iter());
        let expected = "(\"\u{e001}1\" OR \"\u{e001}2\") AND \"\u{e000}ann\" AND \"a\"\"b\" AND \"or\"";
        assert_eq!(expression.as_deref(), Some(expected));
    }

    #[test]
    fn question_without_tokens_asks_the_index_for_nothing() {
        let search = Search { words: "a".into(), ..Search::default() };
        assert_eq!(Question::new(&search).expression(std::iter::once(RoomNumber(1))), None);
    }

    proptest! {
        /// The hub refuses questions that show nothing; all others must not find everything.
        #[test]
        fn question_that_the_hub_lets_pass_is_not_empty(words in "\\PC{0,10}|[\" \u{200b}\u{3164}\u{0}\u{feff}x]{0,6}") {
            prop_assume!(Text::fitted(&words).is_ok());
            prop_assert!(!needles(&folded(&words)).is_empty(), "{words:?}");
        }

        #[test]
        fn text_with_a_needle_in_it_has_all_its_tokens(
            text in "\\PC{0,30}|[a-c漢字かな한글กา👍\u{301}。 -]{0,30}",
            from in any::<prop::sample::Index>(),
            length in 0..12_usize,
        ) {
            let folded = folded(&text);
            let characters: Vec<char> = folded.chars().collect();
            prop_assume!(!characters.is_empty());
            let part: String = characters[from.index(characters.len())..].iter().take(length).collect();
            let needle = part.trim_matches(' ').to_owned();
            let written: BTreeSet<String> =
                tokens(RoomNumber(1), "ann", &folded).split(' ').map(str::to_owned).collect();
            for token in asked_tokens(&[needle]) {
                prop_assert!(written.contains(&token), "{token:?} is not among {written:?}");
            }
        }
    }
}
