//! Whatever a keyboard may do.

use super::Home;
use super::home::ESCAPE;
use super::sizes::shows_nothing_else;
use crate::harness::{Client, Ears as _, JsonClient, Server, Terminal};

/// Whatever was typed before: the draft is empty and nothing lies over the room.
fn comes_to_rest(ann: &mut Terminal) {
    ann.types(&format!("{ESCAPE}{ESCAPE}z\x03~marker~"));
    ann.edits("> ~marker~", 10);
    ann.types("\x03");
    ann.shows_text("> type to talk");
}

#[test]
fn keys_held_down_in_every_overlay_do_no_harm() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    bob.says("https://example.org/ and more");
    ann.shows_text("and more");
    let keys = [
        "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x1b[3~", "\x7f",
        "\t", "\x01", "\x05", "\x15", "\x17", "\x19", "\x14", "\x1f", "\x1br", "\x1bu", "\x1b\r", "q", "漢",
    ];
    for overlay in ["", "\x1bOP", "\x1bOQ", "\x0b", "\x12", "\x0f"] {
        for key in keys {
            ann.types(overlay);
            ann.types(&key.repeat(100));
        }
        comes_to_rest(&mut ann);
    }
    shows_nothing_else(&mut ann);
    ann.types("still here\r");
    bob.waits_for("<ann> still here");
}

#[test]
fn ten_thousand_keys_of_all_kinds_do_no_harm() {
    const KEYS: usize = 10_000;
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    ann.shows_text("bob came in");
    let mut chance = fastrand::Rng::with_seed(6);
    let mut keys = String::new();
    for _ in 0..KEYS {
        match chance.u8(0..10) {
            // All that Ctrl makes but what leaves, what leads to another room, and what begins a sequence.
            0..=2 => keys.push(char::from(
                chance
                    .choice([1, 2, 5, 6, 8, 9, 10, 12, 13, 14, 15, 16, 18, 20, 21, 23, 25, 26, 31_u8])
                    .expect("one of them"),
            )),
            3 => keys.push_str(
                chance
                    .choice([
                        "\x1b[A",
                        "\x1b[B",
                        "\x1b[C",
                        "\x1b[D",
                        "\x1b[5~",
                        "\x1b[6~",
                        "\x1b[1;5H",
                        "\x1b[1;5F",
                        "\x1b[I",
                        "\x1b[O",
                        "\x1b[Z",
                        "\x1b[99;99u",
                        "\x1b]11;rgb:ff/ff/ff\x1b\\",
                    ])
                    .expect("one of them"),
            ),
            4 => keys.extend(['\x1b', chance.alphanumeric()]),
            // No joined emoji: the screen of these tests takes them for wider than they are, and breaks lines at its edge though
            // it is told not to.
            5 => keys.push_str(
                chance
                    .choice(["漢", "👧", "e\u{301}", "ש", "\u{202e}", "\u{85}", "/", "#", "@"])
                    .expect("one of them"),
            ),
            _ => keys.push(chance.alphanumeric()),
        }
    }
    for (nth, part) in keys.as_bytes().chunks(1000).enumerate() {
        // A character that is cut is whole again with the next part.
        ann.types_bytes(part);
        if nth % 2 == 0 {
            ann.resizes(20 + 9 * nth as u16, 5 + nth as u16);
        }
    }
    ann.resizes(80, 24);
    comes_to_rest(&mut ann);
    ann.types("still here\r");
    bob.waits_for("still here");
    ann.shows("that it is said", |ann| {
        let screen = ann.screen();
        screen.contains("ann  still here") && !screen.contains("on the way")
    });
    shows_nothing_else(&mut ann);
}

#[test]
fn huge_pastes_are_cut_with_a_word_about_it() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut carol = JsonClient::join(&server, "carol");
    ann.types(&format!("\x1b[200~{}\x1b[201~", "0123456789abcdef".repeat(1 << 16)));
    ann.shows_text("bytes of that did not fit");
    ann.types("\r");
    ann.shows_text("> type to talk");
    let said = carol.waits_for_event("said");
    assert_eq!(said["text"].as_str().map(str::len), Some(16 * 1024));
    ann.types("\x1b[200~a\x1b]0;x\x07b\x00c\x7f\x08\x1b[31md\te\u{9b}f\u{202e}g\r\nh\x1b[201~\r");
    let said = carol.waits_for_event("said");
    assert_eq!(said["text"], "a]0;xbc[31md    efg\nh");
}

#[test]
fn message_has_256_lines_and_not_one_more() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut carol = JsonClient::join(&server, "carol");
    for line in 0..300 {
        ann.types(&format!("{line}\x1b\r"));
    }
    ann.types("end\r");
    let said = carol.waits_for_event("said");
    assert_eq!(said["text"].as_str().map(|text| text.lines().count()), Some(256));
    ann.shows_text("> type to talk");
}
