//! Rust text without its comments and strings, so that a search finds code and not words about code.
//!
//! This is a lexer of the few things that can hide text: comments (which nest), strings (plain, byte, C, raw)
//! and characters (which look like lifetimes). It must keep every line break, because findings name lines.

/// The text with comments, and what stands in strings and characters, blanked out.
pub(crate) fn code_only(text: &str) -> String {
    let mut lexer = Lexer { rest: text, code: String::with_capacity(text.len()) };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    lexer.code
}

/// The numbers (from 1) of the lines on which a word stands as a whole identifier or keyword.
pub(crate) fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let has_word = |line: &str| line.split(|c| !is_identifier(c)).any(|found| found == word);
    (1..).zip(code.lines()).filter(|(_, line)| has_word(line)).map(|(number, _)| number).collect()
}

struct Lexer<'a> {
    rest: &'a str,
    code: String,
}

impl Lexer<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment_len(self.rest));
        } else if let Some(len) = raw_string_len(self.rest) {
            self.blank(len);
        } else if let Some(body) = self.rest.strip_prefix('"') {
            self.blank(1 + quoted_len(body, '"'));
        } else if let Some(len) = character_len(self.rest) {
            self.blank(len);
        } else {
            self.keep(word_len(self.rest));
        }
    }

    fn keep(&mut self, len: usize) {
        let (kept, rest) = self.rest.split_at(len);
        self.code.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, len: usize) {
        let (blanked, rest) = self.rest.split_at(len);
        self.code.extend(blanked.chars().map(|c| if c == '\n' { c } else { ' ' }));
        self.rest = rest;
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A whole identifier at once, so that the `r` at the end of a name is never taken for a raw string's.
fn word_len(text: &str) -> usize {
    let identifier = text.find(|c| !is_identifier(c)).unwrap_or(text.len());
    if identifier > 0 { identifier } else { text.chars().next().map_or(0, char::len_utf8) }
}

/// Where a comment of this form ends that begins the text; inner ones are counted.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let here = &text[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw string that begins the text, prefix included.
fn raw_string_len(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).map(|after| after.trim_start_matches('#'));
        after.is_some_and(|after| after.starts_with('"'))
    })?;
    let after_prefix = &text[prefix.len()..];
    let hashes = after_prefix.len() - after_prefix.trim_start_matches('#').len();
    let open_len = prefix.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    let body = &text[open_len..];
    Some(body.find(&close).map_or(text.len(), |at| open_len + at + close.len()))
}

/// The length up to and with the closing quote, escapes respected.
fn quoted_len(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}

/// The length of a character literal that begins the text; `None` for a lifetime or a label.
fn character_len(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        return Some(1 + quoted_len(body, '\''));
    }
    body[first.len_utf8()..].starts_with('\'').then_some(1 + first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_with_unsafe(text: &str) -> Vec<usize> {
        lines_with_word(&code_only(text), "unsafe")
    }

    #[test]
    fn word_in_code_is_found_with_its_line() {
        assert_eq!(lines_with_unsafe("fn f() {\n    unsafe { g() }\n}\n"), [2]);
    }

    #[test]
    fn word_in_comments_is_not_code() {
        assert_eq!(lines_with_unsafe("// unsafe\n/* unsafe /* unsafe */ unsafe */\n/// unsafe\n"), []);
    }

    #[test]
    fn word_in_strings_is_not_code() {
        for text in [r#""unsafe""#, r#"b"unsafe""#, r##"r#"unsafe " unsafe"#"##, r#""\" unsafe""#] {
            assert_eq!(lines_with_unsafe(text), [], "{text}");
        }
    }

    #[test]
    fn word_behind_a_string_or_a_comment_is_code() {
        for text in [r#""\\" unsafe"#, r##"r#"""# unsafe"##, "/* /* */ */ unsafe", "// \nunsafe"] {
            assert_eq!(lines_with_unsafe(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn quote_as_a_character_opens_no_string() {
        assert_eq!(lines_with_unsafe("let q = '\"'; unsafe {}"), [1]);
        assert_eq!(lines_with_unsafe(r"let q = '\''; unsafe {}"), [1]);
    }

    #[test]
    fn lifetimes_and_labels_are_no_characters() {
        assert_eq!(lines_with_unsafe("fn f<'a>(x: &'a str) { 'outer: loop { unsafe {} } }"), [1]);
    }

    #[test]
    fn longer_identifier_is_another_word() {
        assert_eq!(lines_with_unsafe("#![deny(unsafe_code)]"), []);
    }

    #[test]
    fn name_that_ends_in_r_opens_no_raw_string() {
        assert_eq!(code_only("for\"x\" y"), "for    y");
        assert_eq!(code_only("writer#\"x\""), "writer#   ");
    }

    #[test]
    fn line_breaks_survive_in_comments_and_strings() {
        assert_eq!(lines_with_unsafe("/*\n\n*/ \"\n\" unsafe"), [4]);
    }

    #[test]
    fn text_cut_off_anywhere_is_read_to_its_end() {
        let text = "/* ä /* */ */ r#\"ö\"# \"\\ü\" 'ß' '\\u{1}' 'life // é";
        for (at, _) in text.char_indices() {
            assert_eq!(code_only(&text[..at]).chars().count(), text[..at].chars().count(), "{at}");
        }
    }
}
