//! Opens a link in whatever the system opens it with.
//!
//! Where it stands: carried out when somebody pressed the key for it, and never else: a link that another member wrote is that
//! member's word.
//!
//! What this file must never do: let a shell see the link, or start anything for an address that is none of the web or of mail.

use std::fmt;
use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// What may be opened. Anything else might start a program that takes orders from its argument.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
const LINK_BYTES_MAX: usize = 2048;
/// What opens links here.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Why a link was not opened.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// It is not one of those that are opened.
    Refused,
    /// The system's program for it could not be started.
    Failed(io::Error),
}

impl fmt::Display for NotOpened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotOpened::Refused => write!(formatter, "only http, https and mailto links are opened"),
            NotOpened::Failed(error) => {
                write!(formatter, "cannot start {OPENER} ({error}): copy the link instead")
            }
        }
    }
}

impl std::error::Error for NotOpened {}

/// Opens a link. Does not wait for the program that shows it.
///
/// # Errors
/// When the link is not one that may be opened, or the system has no program that opens links.
pub(crate) fn open_link(link: &str) -> Result<(), NotOpened> {
    start(OPENER, link)
}

fn start(opener: &str, link: &str) -> Result<(), NotOpened> {
    if !may_be_opened(link) {
        return Err(NotOpened::Refused);
    }
    let mut command = Command::new(opener);
    command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(NotOpened::Failed)?;
    // Somebody has to take note of its end. The thread ends with it, and its outcome is nobody's concern.
    thread::spawn(move || child.wait());
    Ok(())
}

/// Whether this is an address of the web or of mail, and nothing but printable ASCII or letters of other scripts.
fn may_be_opened(link: &str) -> bool {
    let scheme = SCHEMES
        .iter()
        .find(|scheme| link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let has_more = scheme.is_some_and(|scheme| link.len() > scheme.len());
    let is_one_word = !link.chars().any(|character| character.is_control() || character.is_whitespace());
    has_more && is_one_word && link.len() <= LINK_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_the_web_and_of_mail_are_opened() {
        for link in [
            "https://example.org/a?b=c#d",
            "HTTP://example.org",
            "mailto:ann@example.org",
            "https://ö.example/漢",
        ] {
            assert!(may_be_opened(link), "{link}");
        }
        let long = format!("https://{}", "x".repeat(LINK_BYTES_MAX));
        for link in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "-h",
            "",
            "https://",
            "https://a b",
            "https://a\n",
            &long,
        ] {
            assert!(matches!(start("true", link), Err(NotOpened::Refused)), "{link}");
        }
    }

    #[test]
    fn missing_opener_is_said() {
        let error = start("/nowhere/opener", "https://example.org").expect_err("there is no such program");
        assert!(error.to_string().contains("copy the link instead"), "{error}");
    }
}
