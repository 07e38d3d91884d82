//! What the tests of the process are made of: a server that is the real program, clients over TCP, and other people's
//! programs as clients.

mod client;
mod data;
mod ears;
mod json;
mod namespaces;
mod nobody;
mod outside;
mod server;
mod system;
mod terminal;

pub(crate) use client::{Client, Probe, reset};
pub(crate) use data::DataDirectory;
pub(crate) use ears::{Ears, Heard, Lines};
pub(crate) use json::{JsonClient, facts_of};
pub(crate) use namespaces::{in_namespaces, is_refused};
pub(crate) use nobody::nobody;
pub(crate) use outside::{Outside, Tool};
pub(crate) use server::{Server, poller_under_test, roomful};
pub(crate) use system::may_have_descriptors;
pub(crate) use terminal::Terminal;

use std::time::Duration;

/// Nothing here takes so long; who waits longer has lost something, and the test fails with what was seen so far.
pub(crate) const GUARD: Duration = Duration::from_secs(20);

/// The line with the numbers of guests taken out: `<guest-NNNNN> hi`.
pub(crate) fn anonymous(line: &str) -> String {
    let mut parts = line.split("guest-");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        shown.push_str("guest-");
        shown.push_str(&"N".repeat(part.len() - rest.len()));
        shown.push_str(rest);
    }
    shown
}

/// Whether a terminal can be sent this line: no control but TAB, nothing that turns the direction of text around.
pub(crate) fn is_harmless(line: &str) -> bool {
    let turns = |character| matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |character| matches!(character, '\u{2028}' | '\u{2029}');
    let controls = |character: char| character.is_control() && character != '\t';
    !line.chars().any(|character| turns(character) || breaks(character) || controls(character))
}

/// A server with ann and bob in it, who know of each other.
pub(crate) fn ann_and_bob() -> (Server, Client, Client) {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    (server, ann, bob)
}
