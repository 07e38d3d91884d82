//! A server that means no good: nothing of what it says reaches the terminal as anything but text, and it costs little memory.

use super::Home;
use super::home::ESCAPE;
use super::leaving::assert_given_back;
use crate::harness::{GUARD, Terminal};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// What it would have a terminal do: copy, clear, colour, turn around, break lines, be renamed, and begin what never ends.
const HOSTILE: &str = "\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\r\n\t\u{1b}]0;pwned\u{7}\u{90}\u{1b}P\u{7f}\0\u{8}\u{1b}[?1049l\u{feff}evil";
/// What the client may have at its most, in KiB. It has 10 MiB when nothing is wrong.
const MEMORY_KIB_MAX: u64 = 64 * 1024;
const TIME: &str = "2026-11-21T10:00:00.000Z";

/// Makes the answer of this number.
type Flood = fn(u64) -> Value;
/// What a server does last.
type Ending = fn(&mut Conversation) -> io::Result<()>;

/// The server's side of a connection.
struct Conversation {
    reader: BufReader<TcpStream>,
}

impl Conversation {
    fn says(&mut self, object: &Value) -> io::Result<()> {
        self.sends(format!("{object}\n").as_bytes())
    }

    fn sends(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_ref().write_all(bytes)
    }

    /// The next thing that the client asks for.
    fn request(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line).expect("the client speaks JSON"))
    }

    /// The next of this type.
    fn asked_for(&mut self, kind: &str) -> io::Result<Value> {
        loop {
            let request = self.request()?;
            if request["type"] == kind {
                return Ok(request);
            }
        }
    }

    fn lets_in(&mut self) -> io::Result<()> {
        self.asked_for("hello")?;
        self.says(
            &json!({"type": "welcome", "version": 1, "server": "roomful", "epoch": "e", "nick": "ann",
            "resume": {"secret": "s"}, "conversations": []}),
        )?;
        self.says(&joined("lobby"))
    }

    /// Says what tells the test that everything before it was read; then reads until the client has left.
    fn ends(&mut self, sequence: u64) -> io::Result<()> {
        self.says(&said("lobby", sequence, "this is the end"))?;
        while self.request()?["type"] != "quit" {}
        Ok(())
    }
}

fn joined(room: &str) -> Value {
    json!({"type": "joined", "room": room, "sequence": 0, "resumed": false, "topic": null, "members": ["bob"], "others": 0, "listening": 0})
}

fn event(kind: &str, room: &str, sequence: u64, more: &Value) -> Value {
    let mut event = json!({"type": "event", "kind": kind, "room": room, "id": "x", "sequence": sequence, "time": TIME, "from": {"nick": "bob"}});
    let members = more.as_object().expect("an object").clone();
    event.as_object_mut().expect("an object").extend(members);
    event
}

fn said(room: &str, sequence: u64, text: &str) -> Value {
    event("said", room, sequence, &json!({"text": text}))
}

/// A server that does this with whoever comes.
fn server(script: impl Fn(&mut Conversation) -> io::Result<()> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_write_timeout(Some(GUARD)).expect("an option of sockets");
            // They may leave at any moment.
            let _ = script(&mut Conversation { reader: BufReader::new(stream) });
        }
    });
    address
}

fn joins(home: &Home, address: SocketAddr) -> Terminal {
    home.runs_in(&[], &["join", &format!("ann@{address}")], 100, 30)
}

/// How much memory it had at its most, in KiB.
fn memory_kib_max(terminal: &Terminal) -> u64 {
    let path = format!("/proc/{}/status", terminal.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(path).expect("the system tells of its processes");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the format of Linux");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Waits for the end of the script, looks at the memory, leaves, and looks at everything that was painted.
fn survives(mut ann: Terminal, name: &str) {
    ann.shows_text("this is the end");
    let memory_kib = memory_kib_max(&ann);
    println!("{name}: {memory_kib} KiB");
    ann.types(&format!("{ESCAPE}z\x03\x03"));
    ann.ends();
    assert!(memory_kib < MEMORY_KIB_MAX, "{name}: {memory_kib} KiB");
    assert_given_back(&ann);
    assert_ours(ann.bytes());
    assert_eq!(ann.screen(), "", "{name}");
}

/// All sequences are such as we write ourselves, and there are no other control characters.
fn assert_ours(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    // Behind that come words on the ordinary screen, if any.
    let (mut rest, _) = text.rsplit_once("\x1b[?1049l").expect("the ordinary screen came back");
    while let Some(at) = rest.find(|character: char| character.is_control() || turns(character)) {
        rest = &rest[at..];
        let length = sequence_of_ours(rest).unwrap_or_else(|| {
            panic!("not ours: {:?}", rest.chars().take(60).collect::<String>());
        });
        rest = &rest[length..];
    }
}

fn turns(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How long the sequence is with which this begins, if it is one of ours.
fn sequence_of_ours(text: &str) -> Option<usize> {
    const MODES: [&str; 10] =
        ["?1049", "?7", "?2004", "?1004", "?1000", "?1002", "?1006", "?2026", "?25", ""];
    if text.starts_with(['\r', '\x07']) {
        return Some(1);
    }
    if text.starts_with("\x1b\\") {
        return Some(2);
    }
    if let Some(control) = text.strip_prefix("\x1b[") {
        let end = control.find(|character: char| !matches!(character, '0'..='9' | ';' | '?' | ':'))?;
        let (parameters, last) = (&control[..end], control[end..].chars().next()?);
        let is_ours = match last {
            'H' | 'C' | 'm' | 'K' => !parameters.contains('?'),
            'J' => parameters == "2",
            'h' | 'l' => MODES.contains(&parameters),
            't' => matches!(parameters, "22;2" | "23;2"),
            _ => false,
        };
        return is_ours.then_some(2 + end + 1);
    }
    let string = text.strip_prefix("\x1b]")?;
    let (content, _) = string.split_once("\x1b\\")?;
    let is_ours = ["2;", "8;", "11;?"].iter().any(|begin| content.starts_with(begin));
    let is_clean = !content.chars().any(|character| character.is_control() || turns(character));
    (is_ours && is_clean).then_some(2 + content.len() + 2)
}

/// Everything that a server may say, with a hostile string wherever one may stand.
fn all_answers(nonce: &Value) -> Vec<Value> {
    let h = HOSTILE;
    let from = json!({"nick": h, "door": h});
    let topic = json!({"text": h, "by": h, "time": TIME});
    let picture = json!({"nonce": nonce, "room": "lobby", "sequence": 1, "topic": topic, "members": [h], "others": 1, "listening": 1, "reason": h});
    let with_type = |kind: &str, mut value: Value| {
        value["type"] = json!(kind);
        value
    };
    let mut all = vec![
        with_type("picture", picture.clone()),
        with_type("joined", picture.clone()),
        json!({"type": "joined", "room": format!("dev{h}"), "sequence": 0, "members": [h]}),
        json!({"type": "ack", "nonce": nonce, "room": h, "id": h, "sequence": 3, "time": TIME}),
        json!({"type": "refusal", "nonce": h, "request": h, "room": h, "code": h, "text": h}),
        json!({"type": "gap", "room": "lobby", "from": 2, "to": 4, "messages": 3, "reason": h}),
        json!({"type": "gap", "room": "lobby", "reason": "forgotten"}),
        json!({"type": "gap"}),
        json!({"type": "left", "room": h}),
        json!({"type": "nick", "nick": format!("ann{h}")}),
        json!({"type": "away", "message": h}),
        json!({"type": "ignored", "nick": h, "ignored": true}),
        json!({"type": "ignoring", "nicks": [h, h]}),
        json!({"type": "names", "nonce": nonce, "room": "lobby", "names": [{"nick": h, "away": h}], "listening": 1, "more": false}),
        json!({"type": "rooms", "nonce": nonce, "rooms": [{"room": h, "members": 1, "topic": h}], "more": false}),
        json!({"type": "conversations", "nonce": nonce, "conversations": [{"room": format!("@{h}"), "with": h, "sequence": 7}]}),
        json!({"type": "topic", "nonce": nonce, "room": "lobby", "topic": topic}),
        json!({"type": "history", "nonce": nonce, "room": "lobby", "events": [said("lobby", 2, h)], "before": 1, "after": 9, "forgotten": 1}),
        json!({"type": "found", "nonce": nonce, "events": [said(h, 2, h)], "rest": h}),
        json!({"type": "notice", "code": h, "text": h, "nick": h, "message": h}),
        json!({"type": "pong", "nonce": nonce, "time": h}),
        json!({"type": "bye", "code": h, "text": h}),
        json!({"type": h, "text": h}),
    ];
    for kind in [
        "said", "acted", "direct", "topic", "edited", "redacted", "lost", "opened", "erased", "joined",
        "left", "quit", "renamed", "away", "sum", "journal", h,
    ] {
        let more = json!({"from": from, "to": from, "text": h, "topic": h, "target": 5, "reason": h, "first": 1, "last": 2, "nick": h,
            "message": h, "arrived": {"nicks": [h], "others": 2}, "departed": {"nicks": [h], "others": 1}, "trouble": h});
        all.push(event(kind, "lobby", 5, &more));
        all.push(event(kind, "lobby", 5 + all.len() as u64, &more));
        all.push(event(kind, &format!("@{h}"), 5 + all.len() as u64, &more));
    }
    // The door is taken away: from members it comes, too.
    all.push(event(
        "said",
        "lobby",
        200,
        &json!({"from": {"nick": h}, "text": format!("ann {h} https://example.org/{h}")}),
    ));
    all
}

#[test]
fn no_string_of_the_server_reaches_the_terminal_as_it_is() {
    let address = server(|server| {
        server.lets_in()?;
        let nonce = server.asked_for("who")?["nonce"].clone();
        for answer in all_answers(&nonce) {
            server.says(&answer)?;
        }
        server.ends(300)
    });
    let home = Home::new();
    let mut ann = joins(&home, address);
    ann.shows_text("this is the end");
    assert!(ann.screen().contains("evil"), "{}", ann.screen());
    for keys in [
        "\x1bOQ", ESCAPE, "\x0b", ESCAPE, "\x0f", ESCAPE, "\x1b2", "\x1b3", "\x1b1", "/who\r", "/rooms\r",
        ESCAPE, "\t\t",
    ] {
        ann.types(keys);
        ann.types("\x0c");
    }
    ann.types("\x15marker");
    ann.shows_text("marker");
    ann.types("\x15");
    survives(ann, "strings");
}

#[test]
fn sequences_that_make_no_sense_do_no_harm() {
    const ODD: [u64; 7] = [0, 1, 2, u64::MAX, u64::MAX - 1, 1 << 63, 3];
    let address = server(|server| {
        server.lets_in()?;
        let nonce = server.asked_for("who")?["nonce"].clone();
        for sequence in ODD {
            for room in ["lobby", "never-joined", "@9"] {
                let numbers = json!({"text": "odd", "to": {"nick": "ann"}, "target": sequence, "first": sequence, "last": 0, "topic": "t",
                    "arrived": {"others": u32::MAX}, "departed": {"others": 1}});
                for kind in ["said", "direct", "topic", "edited", "redacted", "lost", "sum", "joined", "left"]
                {
                    server.says(&event(kind, room, sequence, &numbers))?;
                }
                for other in ODD {
                    server.says(&json!({"type": "gap", "room": room, "from": sequence, "to": other, "messages": other}))?;
                    server.says(&json!({"type": "history", "nonce": "nobody-asked", "room": room, "events": [said(room, sequence, "odd")], "before": other}))?;
                }
                server.says(
                    &json!({"type": "ack", "nonce": "nobody-said", "room": room, "sequence": sequence}),
                )?;
            }
            server.says(&json!({"type": "names", "nonce": nonce, "room": "lobby", "names": [], "listening": u32::MAX, "more": true}))?;
            server.says(&json!({"type": "joined", "room": format!("room{sequence}"), "sequence": sequence, "members": [], "others": u32::MAX, "listening": u32::MAX}))?;
            server.says(&json!({"type": "conversations", "conversations": [{"room": "@10", "with": "eve", "sequence": sequence}]}))?;
        }
        // Pages that were asked for, with what was not.
        server.says(&json!({"type": "joined", "room": "fresh", "sequence": 5, "members": []}))?;
        server.says(&joined("lobby"))?;
        server.says(&json!({"type": "notice", "code": "n", "text": "this is the end"}))?;
        loop {
            let request = server.request()?;
            if request["type"] == "quit" {
                return Ok(());
            }
            if request["type"] == "history" {
                let events: Vec<Value> = ODD.iter().map(|sequence| said("lobby", *sequence, "odd")).collect();
                server.says(&json!({"type": "history", "nonce": request["nonce"], "room": "other", "events": events, "before": u64::MAX, "after": 0, "forgotten": u64::MAX}))?;
            }
        }
    });
    let home = Home::new();
    let mut ann = joins(&home, address);
    ann.shows_text("this is the end");
    for room in 1..=9 {
        ann.types(&format!("\x1b{room}\x1b[5~\x1b[5~\x1b[6~\x1bn\x1b[1;5H\x1b[1;5F"));
    }
    survives(ann, "sequences");
}

#[test]
fn long_names_and_crowds_cost_little() {
    let address = server(|server| {
        server.lets_in()?;
        let nonce = server.asked_for("who")?["nonce"].clone();
        let long = "漢字".repeat(5_000);
        server.says(&event("joined", "lobby", 1, &json!({"from": {"nick": long}})))?;
        server.says(&event("said", "lobby", 1, &json!({"from": {"nick": long}, "text": "I have a name"})))?;
        server.says(&event("topic", "lobby", 2, &json!({"topic": "long ".repeat(200_000)})))?;
        // A million members.
        for page in 0..20 {
            let names: Vec<Value> =
                (0..50_000).map(|nth| json!({"nick": format!("member-{page}-{nth}")})).collect();
            server.says(&json!({"type": "names", "nonce": nonce, "room": "lobby", "names": names, "listening": 9, "more": true}))?;
        }
        let members: Vec<String> = (0..200_000).map(|nth| format!("somebody-{nth}")).collect();
        server.says(&json!({"type": "picture", "room": "lobby", "sequence": 3, "members": members, "others": 800_000}))?;
        server.says(&event("sum", "lobby", 4, &json!({"arrived": {"nicks": members, "others": 800_000}})))?;
        server.ends(10)
    });
    let home = Home::new();
    let mut ann = joins(&home, address);
    ann.shows_text("this is the end");
    ann.types("\x1bOQ");
    ann.shows_text("Esc");
    ann.types(ESCAPE);
    survives(ann, "crowds");
}

#[test]
fn floods_of_everything_cost_little() {
    const MANY: u64 = 30_000;
    let floods: [(&str, Flood); 9] = [
        ("joined", |_| joined("lobby")),
        (
            "pictures",
            |_| json!({"type": "picture", "room": "lobby", "sequence": 1, "members": ["x"], "others": 0}),
        ),
        (
            "gaps",
            |nth| json!({"type": "gap", "room": "lobby", "from": 3 * nth + 1, "to": 3 * nth + 2, "messages": 2}),
        ),
        ("gaps elsewhere", |_| json!({"type": "gap"})),
        (
            "rooms",
            |nth| json!({"type": "rooms", "nonce": "x", "rooms": [{"room": format!("room-{nth}"), "members": 1}], "more": true}),
        ),
        ("comings", |nth| event("joined", "lobby", 1, &json!({"from": {"nick": format!("nick-{nth}")}}))),
        ("words", |nth| said("lobby", 1 + nth, "https://example.org/ ann 漢字 ")),
        ("notices", |nth| json!({"type": "notice", "code": "c", "text": format!("notice {nth}")})),
        ("topics", |nth| event("topic", "lobby", 1 + nth, &json!({"topic": format!("topic {nth}")}))),
    ];
    for (name, flood) in floods {
        let address = server(move |server| {
            server.lets_in()?;
            let mut bytes = Vec::new();
            for nth in 0..MANY {
                writeln!(bytes, "{}", flood(nth))?;
            }
            server.sends(&bytes)?;
            server.ends(u64::from(u32::MAX))
        });
        let home = Home::new();
        survives(joins(&home, address), name);
    }
}

#[test]
fn pages_without_an_end_are_not_kept() {
    let address = server(|server| {
        server.lets_in()?;
        let request = server.asked_for("rooms")?;
        for page in 0..200 {
            let rooms: Vec<Value> = (0..2_000).map(|nth| json!({"room": format!("room-{page}-{nth}"), "members": 1, "topic": "x".repeat(500)})).collect();
            server
                .says(&json!({"type": "rooms", "nonce": request["nonce"], "rooms": rooms, "more": true}))?;
        }
        server.ends(9)
    });
    let home = Home::new();
    let mut ann = joins(&home, address);
    ann.shows("the room", super::home::is_in);
    ann.types("/rooms\r");
    ann.shows_text("rooms: ");
    // What goes on in the room is behind the list.
    ann.types(super::home::ESCAPE);
    survives(ann, "rooms");
}

#[test]
fn lines_without_an_end_and_broken_ones_end_it_with_a_word() {
    let endings: [(&str, Ending); 4] = [
        ("the server sends a line that does not end", |server| {
            for _ in 0..200 {
                server.sends(&vec![b'{'; 1 << 20])?;
            }
            Ok(())
        }),
        ("the server does not speak as Roomful does", |server| {
            server.sends(b"{\"type\":\"event\",\"kind\":\"\x1b[2J\n")
        }),
        ("the server does not speak as Roomful does", |server| {
            server.sends(b"{\"type\":\"said\xff\xfe\"}\n")
        }),
        ("it tells of too many rooms", |server| {
            for room in 0..20_000 {
                server.says(&said(&format!("room-{room}"), 1, "hello"))?;
            }
            Ok(())
        }),
    ];
    for (words, end) in endings {
        let address = server(move |server| {
            server.lets_in()?;
            server.asked_for("say")?;
            // Whatever becomes of it, what was said is read.
            let _ = end(server);
            while server.request()?["type"] != "quit" {}
            Ok(())
        });
        let home = Home::new();
        let mut ann = joins(&home, address);
        ann.shows("the room", super::home::is_in);
        ann.types("go\ra draft");
        ann.shows_text(words);
        let memory_kib = memory_kib_max(&ann);
        println!("{words}: {memory_kib} KiB");
        assert!(memory_kib < MEMORY_KIB_MAX, "{memory_kib} KiB");
        ann.shows_text("> a draft");
        ann.types("\x03\x03");
        ann.ends();
        assert_given_back(&ann);
        assert_ours(ann.bytes());
    }
}
