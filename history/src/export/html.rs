//! A page for a browser: complete in one file, and nothing in it can run or reach out.
//!
//! Where it stands: one of the forms of an export. The head forbids the browser everything but the style that stands in it, so
//! that even a mistake of ours would do no harm.
//!
//! What this file must never do: write anything that anybody wrote without escaping it.

use super::words::{Words, colophon, id, local, title, topic, words};
use super::{Form, Part, Whole};
use hub::Manner;
use jiff::Zoned;
use jiff::civil::Date;
use std::fmt;
use std::io::Write as _;

const STYLE: &str = "\
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #8886 }
ol { list-style: none; margin: 0; padding: 0 }
li { white-space: pre-wrap }
li:target { background: #fc06 }
li a { color: inherit; text-decoration: none; margin-right: .5rem }
li a:hover, li a:focus { text-decoration: underline }
time, .news, .edited, footer { opacity: .7 }
.nick { font-weight: 600 }
footer { margin-top: 2rem; border-top: 1px solid #8886 }
";

#[derive(Default)]
pub(super) struct Html {
    day: Option<Date>,
}

// Writing to a vector cannot fail.
impl Form for Html {
    fn begin(&mut self, whole: &Whole<'_>, bytes: &mut Vec<u8>) {
        let title = title(whole.about);
        let title = Escaped(&title);
        let _ = write!(
            bytes,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1><bdi>{title}</bdi></h1>\n"
        );
        if let Some(topic) = topic(whole.about) {
            let _ = writeln!(bytes, "<p dir=\"auto\">{}</p>", Escaped(&topic));
        }
    }

    fn page(&mut self, whole: &Whole<'_>, part: &Part, bytes: &mut Vec<u8>) {
        for past in &part.lines {
            let Some(words) = words(&past.event) else { continue };
            let local = local(whole, past.time);
            self.day(local.date(), bytes);
            let id = id(whole.about, past).unwrap_or_default();
            let _ = write!(bytes, "<li id=\"{id}\"><a href=\"#{id}\">{}</a>", Moment(&local));
            item(&words, bytes);
            let edited = if past.edited.is_some() { " <span class=\"edited\">(edited)</span>" } else { "" };
            let _ = writeln!(bytes, "{edited}</li>");
        }
    }

    fn end(&mut self, whole: &Whole<'_>, messages: u64, bytes: &mut Vec<u8>) {
        if self.day.is_some() {
            let _ = writeln!(bytes, "</ol>");
        }
        let colophon = colophon(whole, messages);
        let _ = writeln!(bytes, "<footer>{}</footer>\n</body>\n</html>", Escaped(&colophon));
    }
}

impl Html {
    /// A day has a heading and a list of its own.
    fn day(&mut self, day: Date, bytes: &mut Vec<u8>) {
        let last = self.day.replace(day);
        if last == Some(day) {
            return;
        }
        if last.is_some() {
            let _ = writeln!(bytes, "</ol>");
        }
        let _ = writeln!(bytes, "<h2><time datetime=\"{day}\">{day}</time></h2>\n<ol>");
    }
}

fn item(words: &Words, bytes: &mut Vec<u8>) {
    let _ = match words {
        Words::Said { name, to: Some(to), text, .. } => {
            write!(bytes, "{} to {}: {}", Nick(name), Nick(to), Body(text))
        }
        Words::Said { name, text, manner: Manner::Saying, .. } => {
            write!(bytes, "{}: {}", Nick(name), Body(text))
        }
        Words::Said { name, text, manner: Manner::Acting, .. } => {
            write!(bytes, "* {} {}", Nick(name), Body(text))
        }
        Words::News(news) => write!(bytes, "<bdi class=\"news\">{}</bdi>", Escaped(news)),
    };
}

/// When, for people and for programs.
struct Moment<'a>(&'a Zoned);

impl fmt::Display for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.0.strftime("%Y-%m-%dT%H:%M:%S%:z");
        write!(f, "<time datetime=\"{exact}\">{}</time>", self.0.strftime("%H:%M"))
    }
}

/// A name; that its letters go from right to left changes nothing around it.
struct Nick<'a>(&'a str);

impl fmt::Display for Nick<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<bdi class=\"nick\">{}</bdi>", Escaped(self.0))
    }
}

/// What was said.
struct Body<'a>(&'a str);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<bdi>{}</bdi>", Escaped(self.0))
    }
}

/// What may stand between tags and in an attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let Some((at, special)) = part.char_indices().next_back() else { continue };
            let replaced = match special {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                _ => {
                    f.write_str(part)?;
                    continue;
                }
            };
            f.write_str(&part[..at])?;
            f.write_str(replaced)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        let hostile = "<script>alert('a' & \"b\")</script>";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;"
        );
        assert_eq!(Escaped("").to_string(), "");
        assert_eq!(Escaped("é<").to_string(), "é&lt;");
    }
}
