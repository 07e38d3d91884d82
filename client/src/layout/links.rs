//! Links in what is said.
//!
//! Where it stands: beside the rows, which say of each part whether it is one.
//!
//! What this file must never do: take anything for a link that a terminal would open as something else than what can be read.

use std::ops::Range;

/// What a link begins with.
const SCHEMES: &[&str] = &["https://", "http://", "mailto:"];

/// What ends no link, though it may stand in one.
const TRAILING: &[char] = &['.', ',', ';', ':', '!', '?', '\'', '"', '*', '_', '~', '…'];

const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// Where links stand in a line, by bytes.
pub(super) fn links(line: &str) -> Vec<Range<usize>> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some((start, scheme)) = next_scheme(line, from) {
        let end = start + without_tail(taken(&line[start..])).len();
        let is_one = end > start + scheme.len() && !line[..start].ends_with(char::is_alphanumeric);
        if is_one {
            links.push(start..end);
        }
        from = end.max(start + scheme.len());
    }
    links
}

fn next_scheme(line: &str, from: usize) -> Option<(usize, &'static str)> {
    let mut colons = line[from..].match_indices(':').map(|(at, _)| from + at);
    colons.find_map(|colon| {
        SCHEMES.iter().find_map(|scheme| {
            let start = colon.checked_sub(scheme.find(':')?).filter(|&start| start >= from)?;
            let found = line.get(start..start + scheme.len())?;
            found.eq_ignore_ascii_case(scheme).then_some((start, *scheme))
        })
    })
}

/// Up to a blank or something else that stands in no link.
fn taken(text: &str) -> &str {
    let is_outside = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || "<>\"`|\\^「」『』（）【】《》，。、；：！？“”".contains(character)
    };
    let text = &text[..text.find(is_outside).unwrap_or(text.len())];
    // Between the two parts of what Markdown has for a link.
    &text[..text.find("](").unwrap_or(text.len())]
}

/// Without what belongs to the sentence around it: full stops, and brackets that were not opened in it.
fn without_tail(link: &str) -> &str {
    let mut excess =
        BRACKETS.map(|(open, close)| link.matches(close).count().saturating_sub(link.matches(open).count()));
    let mut rest = link;
    while let Some(last) = rest.chars().next_back() {
        let bracket = BRACKETS.iter().position(|(_, close)| *close == last);
        match bracket {
            Some(nth) if excess[nth] > 0 => excess[nth] -= 1,
            None if TRAILING.contains(&last) => {}
            _ => break,
        }
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_where_a_reader_would_end_them() {
        for (line, expected) in [
            ("see https://example.org/a.", vec!["https://example.org/a"]),
            ("[https://a.example](https://b.example)", vec!["https://a.example", "https://b.example"]),
            ("(http://example.org/a_(b))", vec!["http://example.org/a_(b)"]),
            ("a <https://example.org/?q=1&r=2>, b", vec!["https://example.org/?q=1&r=2"]),
            (
                "mailto:ann@example.org, HTTPS://X.example!",
                vec!["mailto:ann@example.org", "HTTPS://X.example"],
            ),
            ("https://例え.jp/道。次", vec!["https://例え.jp/道"]),
            ("https:// http:/x xhttp://y ::: javascript:alert(1) file:///etc", vec![]),
            ("https://http://a", vec!["https://http://a"]),
            ("", vec![]),
        ] {
            let found: Vec<&str> = links(line).into_iter().map(|link| &line[link]).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
