//! The document in which the figures stand: prose by hand, and between markers what the measurement writes.
//!
//! A marked part begins with the line `<!-- figures: NAME -->` and ends with `<!-- end of figures -->`. Nothing outside is ever
//! touched.

use anyhow::{Context, Result};

const END: &str = "<!-- end of figures -->";

/// The document with another text in the part of this name.
///
/// # Errors
///
/// If it has no such part.
pub fn with_figures(document: &str, name: &str, figures: &str) -> Result<String> {
    let marker = format!("<!-- figures: {name} -->\n");
    let start =
        document.find(&marker).with_context(|| format!("there is no line `{}`", marker.trim_end()))?;
    let start = start + marker.len();
    let end =
        document[start..].find(END).with_context(|| format!("`{name}` has no line `{END}` behind it"))?;
    let (before, after) = (&document[..start], &document[start + end..]);
    Ok(format!("{before}\n{}\n\n{after}", figures.trim_matches('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Title\n\n<!-- figures: a -->\nold\n<!-- end of figures -->\nprose\n<!-- figures: b -->\n<!-- end of figures -->\n";

    #[test]
    fn only_the_named_part_is_replaced() {
        let once = with_figures(DOCUMENT, "a", "new\n").unwrap();
        assert_eq!(once, DOCUMENT.replace("\nold\n", "\n\nnew\n\n"));
        let twice = with_figures(&once, "b", "more").unwrap();
        assert!(twice.contains("<!-- figures: b -->\n\nmore\n\n<!-- end of figures -->"), "{twice}");
    }

    #[test]
    fn replacing_again_changes_nothing() {
        let once = with_figures(DOCUMENT, "a", "new").unwrap();
        assert_eq!(with_figures(&once, "a", "new").unwrap(), once);
    }

    #[test]
    fn missing_part_is_an_error_that_names_it() {
        let error = with_figures(DOCUMENT, "c", "").unwrap_err();
        assert!(error.to_string().contains("<!-- figures: c -->"), "{error}");
        assert!(with_figures("<!-- figures: a -->\n", "a", "").is_err());
    }
}
