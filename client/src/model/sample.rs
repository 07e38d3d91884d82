//! Models as tests of layout and view need them, made without keys and without a server.
//!
//! What this file must never do: be part of the program.

use super::item::Reader;
use super::*;
use crate::link::{Failure, Output as LinkOutput, Wanted};
use crate::wire::Author;
use hub::{Manner, Text};

/// 2026-01-05 11:00 UTC, a Monday; where the reader is it is an hour later.
pub(crate) const NOON: Time = Time(1_767_610_800_000);
/// A minute, in milliseconds.
pub(crate) const MINUTE: u64 = 60_000;
/// A day, in milliseconds.
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// What the server says when ann comes in.
const WELCOME: &str = r#"{"type":"welcome","version":1,"server":"roomful 0.1.0","epoch":"28t5cy4t","nick":"ann","resume":{"secret":"01010101010101010101010101010101"}}
"#;

/// Ann, online, on a screen of this size, in no room.
pub(crate) fn online(columns: u16, rows: u16) -> Model {
    let mut model = resting(columns, rows);
    model.link.start();
    model.link.connected(Duration::from_secs(1));
    model.link.received(Duration::from_secs(1), WELCOME.as_bytes());
    model
}

/// Nothing has been done.
pub(crate) fn resting(columns: u16, rows: u16) -> Model {
    let options = Options {
        time_format: "%H:%M".into(),
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        highlights: vec!["deploy".into()],
        items_max: 200_000,
        arrivals: Arrivals::All,
        members: MembersShown::Auto,
        server: "chat.example".into(),
        notify_on: NotifyOn::Mention,
    };
    let wanted = Wanted { nick: Some("ann".into()), ..Wanted::default() };
    let mut model =
        Model::new(options, super::Medium::Screen, wanted, &State::default(), Size { columns, rows }, 1);
    model.focus = Focus::Here;
    model.time = NOON;
    model.now = Duration::from_secs(1);
    model
}

impl Model {
    pub(crate) fn resized(mut self, columns: u16, rows: u16) -> Model {
        self.size = Size { columns, rows };
        self
    }

    pub(crate) fn sample_open(&mut self, place: Place) -> &mut Room {
        let mut room = Room::new(place, self.options.items_max);
        room.presence = Presence::Here;
        self.rooms.push(room);
        self.current = self.rooms.len() - 1;
        &mut self.rooms[self.current]
    }

    pub(crate) fn sample_room(&mut self, name: &str) -> &mut Room {
        self.sample_open(Place::Room(name.into()))
    }

    pub(crate) fn sample_direct(&mut self, with: &str) -> &mut Room {
        self.sample_open(Place::Direct { with: with.into(), conversation: Some("@7".into()) })
    }

    pub(crate) fn sample_select(&mut self, nth: usize) {
        self.current = nth;
    }

    pub(crate) fn room_mut(&mut self) -> &mut Room {
        &mut self.rooms[self.current]
    }

    pub(crate) fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    pub(crate) fn set_overlay(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay);
    }

    pub(crate) fn sample_note(&mut self, text: &str, weight: Weight) {
        self.note = Some(Note { text: text.into(), weight, until: Duration::MAX, told: None });
    }

    /// The server is asked whether it is there, and answers after so long.
    pub(crate) fn measure_latency(&mut self, latency: Duration) {
        self.now += latency;
        while let Some(output) = self.link.poll() {
            let LinkOutput::Send(bytes) = output else { continue };
            for line in String::from_utf8_lossy(&bytes).lines().filter(|line| line.contains("\"ping\"")) {
                let answer = format!("{}\n", line.replace("\"ping\"", "\"pong\""));
                self.link.received(self.now, answer.as_bytes());
            }
        }
    }

    /// The connection ends.
    pub(crate) fn lose_connection(&mut self, why: Failure) {
        self.link.disconnected(self.now, why);
    }

    /// Something is asked of the server, or said.
    pub(crate) fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

impl Room {
    /// Somebody says something, so many minutes after noon.
    pub(crate) fn say(&mut self, minutes: u64, nick: &str, text: &str) -> &mut Room {
        self.tell(minutes, said(by(nick), Manner::Saying, text))
    }

    /// Somebody says what they do.
    pub(crate) fn act(&mut self, minutes: u64, nick: &str, text: &str) -> &mut Room {
        self.tell(minutes, said(by(nick), Manner::Acting, text))
    }

    /// Something that is no member says something.
    pub(crate) fn say_by_door(&mut self, minutes: u64, (nick, door): (&str, &str), text: &str) -> &mut Room {
        let by = Author { nick: nick.into(), door: Some(door.into()) };
        self.tell(minutes, said(by, Manner::Saying, text))
    }

    /// Something happens that is kept, or not.
    pub(crate) fn tell(&mut self, minutes: u64, what: What) -> &mut Room {
        let time = NOON.after_ms(minutes * MINUTE);
        match what {
            What::Told(_) | What::Remark(_) => {
                self.timeline.append(time, what);
            }
            What::Hole(hole) => self.timeline.put_hole(hole.first, hole.last, time, hole.why),
            _ => {
                self.timeline.insert(self.timeline.last_order() + 1, time, what);
            }
        }
        self
    }

    /// What was said last is changed.
    pub(crate) fn edit_last(&mut self, text: &str) -> &mut Room {
        let sequence = self.timeline.last_order();
        self.timeline.edit(sequence, &Text::kept(text));
        self
    }

    /// What was said last goes.
    pub(crate) fn erase_last(&mut self) -> &mut Room {
        let sequence = self.timeline.last_order();
        self.timeline.erase(sequence);
        self
    }

    /// The first hole was asked for.
    pub(crate) fn ask_for_hole(&mut self) -> &mut Room {
        let index = self.timeline.items().iter().position(|item| matches!(item.what, What::Hole(_)));
        if let Some(hole) = index.and_then(|index| self.timeline.hole_mut(index)) {
            hole.is_asked = true;
        }
        self
    }

    /// What comes from now on is new.
    pub(crate) fn mark(&mut self) -> &mut Room {
        let last = self.timeline.last_order();
        self.timeline.set_marker(Some(last));
        self
    }

    /// We say something that is not acknowledged.
    pub(crate) fn say_pending(&mut self, minutes: u64, text: &str) -> &mut Room {
        self.pending.push(Pending {
            nonce: format!("n{}", self.pending.len()),
            time: NOON.after_ms(minutes * MINUTE),
            manner: Manner::Saying,
            text: Text::kept(text),
        });
        self
    }

    /// Somebody is here, perhaps away.
    pub(crate) fn meet(&mut self, nick: &str, away: Option<&str>) -> &mut Room {
        self.members.add(&nick.into(), away.map(Shown::new));
        self
    }
}

fn by(nick: &str) -> Author {
    Author { nick: nick.into(), door: None }
}

/// Something that was said, as ann reads it.
pub(crate) fn said(by: Author, manner: Manner, text: &str) -> What {
    let text = Text::kept(text);
    let reader = Reader { nick: "ann", highlights: &["deploy".into()] };
    let relation = reader.relation(&by, &text);
    What::Said(Said { by, manner, text, relation, is_edited: false, is_changing: false })
}
