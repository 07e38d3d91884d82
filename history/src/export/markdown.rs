//! A document in Markdown: a heading for each day, a list item on one line for each message.
//!
//! Where it stands: one of the forms of an export. `CommonMark` (<https://spec.commonmark.org/0.31.2/>) and GitHub's additions
//! read it.
//!
//! What this file must never do: let a character of a text mean anything but itself.

use super::words::{Words, colophon, local, title, topic, words};
use super::{Form, Part, Whole};
use hub::Manner;
use jiff::civil::Date;
use std::io::Write as _;

#[derive(Default)]
pub(super) struct Markdown {
    day: Option<Date>,
}

// Writing to a vector cannot fail.
impl Form for Markdown {
    fn begin(&mut self, whole: &Whole<'_>, bytes: &mut Vec<u8>) {
        let _ = writeln!(bytes, "# {}", escaped(&title(whole.about)));
        if let Some(topic) = topic(whole.about) {
            let _ = writeln!(bytes, "\n{}", escaped(&topic));
        }
    }

    fn page(&mut self, whole: &Whole<'_>, part: &Part, bytes: &mut Vec<u8>) {
        for past in &part.lines {
            let Some(words) = words(&past.event) else { continue };
            let local = local(whole, past.time);
            if self.day.replace(local.date()) != Some(local.date()) {
                let _ = writeln!(bytes, "\n## {}\n", local.date());
            }
            let _ = write!(bytes, "- {} ", local.strftime("%H:%M"));
            item(&words, bytes);
            let edited = if past.edited.is_some() { " *(edited)*" } else { "" };
            let _ = writeln!(bytes, "{edited}");
        }
    }

    fn end(&mut self, whole: &Whole<'_>, messages: u64, bytes: &mut Vec<u8>) {
        let _ = writeln!(bytes, "\n---\n\n{}", escaped(&colophon(whole, messages)));
    }
}

fn item(words: &Words, bytes: &mut Vec<u8>) {
    let _ = match words {
        Words::Said { name, to: Some(to), text, .. } => {
            write!(bytes, "**{}** to **{}**: {}", escaped(name), escaped(to), escaped(text))
        }
        Words::Said { name, text, manner: Manner::Saying, .. } => {
            write!(bytes, "**{}**: {}", escaped(name), escaped(text))
        }
        Words::Said { name, text, manner: Manner::Acting, .. } => {
            write!(bytes, "\\* **{}** {}", escaped(name), escaped(text))
        }
        Words::News(news) => write!(bytes, "*{}*", escaped(news)),
    };
}

/// A backslash in front of punctuation means that character (`CommonMark`, 2.4). Only what has a meaning in the middle of a line needs one:
/// lines are broken as HTML has it, so that none of them begins anything. An address may become a link, which it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("<br>"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '<' | '>' | '&' | '~' | '|' | '#' | '^'
            | '$' | '@' => {
                escaped.extend(['\\', character]);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(escaped("**a** [b](c) <d> &amp; `e`"), r"\*\*a\*\* \[b\](c) \<d\> \&amp; \`e\`");
        assert_eq!(escaped("one\n# two"), r"one<br>\# two");
        assert_eq!(escaped("http://a.example/?b=c"), "http://a.example/?b=c");
    }
}
