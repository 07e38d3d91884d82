//! Bad input: nothing crashes, nobody else notices more than a line, the person is told.

use crate::harness::{Client, Ears as _, ann_and_bob, is_harmless};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;

/// The longest text of a message, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;

#[test]
fn rubbish_harms_nobody() {
    const BYTES: usize = 100_000;
    let (mut server, mut ann, bob) = ann_and_bob();
    let mut random = fastrand::Rng::with_seed(8008);
    for round in 0..10 {
        let mut stream = std::net::TcpStream::connect(server.address()).expect("the server accepts");
        let address = stream.local_addr().expect("an address");
        let mut rubbish: Vec<u8> = (0..BYTES).map(|_| random.u8(..)).collect();
        // Every other is taken for telnet sooner or later, and answered as telnet is.
        let is_telnet = round % 2 == 1;
        rubbish.retain(|byte| is_telnet || *byte != 255);
        let mut reader = stream.try_clone().expect("a second handle");
        let answers = std::thread::spawn(move || {
            let mut answers = Vec::new();
            reader.read_to_end(&mut answers).expect("an orderly end");
            answers
        });
        stream.write_all(&rubbish).expect("the server takes what is sent");
        stream.shutdown(Shutdown::Write).expect("half of the connection is closed");
        let answers = answers.join().expect("answers");
        if !is_telnet {
            let answers = String::from_utf8(answers).expect("answers are UTF-8");
            assert_eq!(answers.lines().find(|line| !is_harmless(line)), None);
        }
        server.notices_end_of(address);
    }
    bob.says("still here");
    loop {
        // The client checks that each line is fit for a terminal.
        let line = ann.line();
        if line == "<bob> still here" {
            break;
        }
        let starts = ["<guest-", "[guest-", "* guest-"];
        assert!(starts.iter().any(|start| line.starts_with(start)), "{line:?}");
    }
}

#[test]
fn line_without_an_end_is_cut_and_its_author_told_and_kept() {
    const BYTES: usize = 1024 * 1024;
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.sends("x".repeat(BYTES).as_bytes());
    ann.sends(b"\n");
    ann.hears(&format!(
        "-- that line had {BYTES} bytes; the first {TEXT_BYTES_MAX} were said, the rest was cut"
    ));
    bob.hears(&format!("<ann> {}", "x".repeat(TEXT_BYTES_MAX)));
    ann.says("that was too long");
    bob.hears("<ann> that was too long");
}

#[test]
fn what_is_not_utf8_becomes_the_replacement_character() {
    let (_server, ann, mut bob) = ann_and_bob();
    ann.sends(b"a\xffb \xe4\xbd c \xf0\x9f\x91 d \xc0\xaf\n");
    bob.hears("<ann> a\u{fffd}b \u{fffd} c \u{fffd} d \u{fffd}\u{fffd}");
}

/// What would clear, colour, retitle or turn around the terminal of others, forge lines or beep there.
const SPELLS: [&str; 10] = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\u{9b}31m",
    "\u{90}q\u{9c}",
    "\r<bob> forged",
    "\u{8}\u{8}\u{8}\u{8}",
    "\u{202e}desrever",
    "\u{2066}\u{2069}\u{200f}",
    "\u{2028}<bob> forged",
    "\0\x0b\x0c\x7f",
];

#[test]
fn no_spell_reaches_another_terminal() {
    let (server, mut ann, mut bob) = ann_and_bob();
    // The clients check that each line they hear is harmless. Those who type are told harmless lines, too.
    for spell in SPELLS {
        ann.says(&format!("aaaaa{spell}b"));
        ann.says(&format!("/me aaaaa{spell}b"));
        ann.says(&format!("/msg bob aaaaa{spell}b"));
        ann.says(&format!("/topic aaaaa{spell}b"));
        ann.says(&format!("/away aaaaa{spell}b"));
        ann.says("/away");
        ann.says(&format!("/nick aaaaa{spell}b"));
        ann.says("/nick ann");
        ann.says(&format!("/join aaaaa{spell}b"));
        ann.says(&format!("/who aaaaa{spell}b"));
        ann.says(&format!("/ignore aaaaa{spell}b"));
        ann.says(&format!("/help aaaaa{spell}b"));
        ann.says(&format!("/aaaaa{spell}b"));
        ann.says("/join lobby");
        let mut cat = Client::connect(&server);
        cat.says("/rooms");
        cat.waits_for("-- #lobby");
        cat.says(&format!("/quit aaaaa{spell}b"));
        cat.waits_for("-- bye");
    }
    ann.says("that was all");
    ann.says("/rooms");
    ann.waits_for("-- #lobby");
    bob.waits_for("<ann> that was all");
    assert!(bob.heard().iter().all(|line| !line.starts_with("<bob>")), "nobody speaks for bob");
}

#[test]
fn nick_that_looks_like_another_is_refused() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.says("/nick аnn");
    bob.hears("-- 'аnn' looks like somebody else's nick; choose another");
    bob.says("it is still me");
    ann.hears("<bob> it is still me");
}

#[test]
fn nick_of_ten_thousand_characters_is_refused_in_a_short_line() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.says(&format!("/nick {}", "n".repeat(10_000)));
    let refusal = bob.line();
    assert!(refusal.contains("is no nick") && refusal.contains("32"), "{refusal}");
    assert!(refusal.len() < 200, "{refusal}");
    bob.says("it is still me");
    ann.hears("<bob> it is still me");
}
