//! The client as plain data, and how it changes: `update(model, input) → effects`.
//!
//! Where it stands: between the link and the terminal. Inputs are keys, bytes from the server and time; effects are what the
//! loop around it does: bytes to send, a bell, a line to print. The view is a function of the model, so screens are tests.
//!
//! What this module must never do: I/O, ask a clock, or know how a terminal is told something.

mod update;

mod answers;

mod bindings;
mod choosing;
mod commands;
mod direct;
mod entering;
mod lines;
mod matching;
mod own;
mod past;
mod typing;

mod item;
mod members;
mod overlay;
mod room;
#[cfg(test)]
pub(crate) mod sample;
mod talkers;
mod timeline;

pub(crate) use crate::settings::{Arrivals, Members as MembersShown, NotifyOn};
pub(crate) use bindings::bindings;
pub(crate) use commands::commands;
pub(crate) use item::{Hole, Item, Relation, Said, What, Why};
pub(crate) use members::Member;
pub(crate) use overlay::{Candidate, Choice, Finding, Overlay, SearchProgress, SearchView};
pub(crate) use room::{Draft, Pending, Place, Presence, Room, Scroll};
pub(crate) use update::{Effect, Input, Moment};

use crate::link::{self, Link, Wanted};
use crate::remembered::{self, State};
use crate::wire::{Conversation, RoomLine, Shown, Span};
use dialect::editing::Clusters;
use direct::Message;
use hub::Time;
use jiff::tz::TimeZone;
use past::Printing;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// So many messages are asked for at a time.
const PAGE_ITEMS: u32 = 100;
/// All timelines together take no more, or but a little: then the largest has fewer items.
const TIMELINES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How much they take is looked at each time that so many things have happened.
const HAPPENINGS_A_LOOK: u32 = 1_000;
/// So many findings of a search.
const FINDINGS_MAX: u32 = 50;

/// What a person has chosen; it does not change while the client runs.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How times are written, as `strftime` has it.
    pub time_format: String,
    /// Where the reader's clock is.
    pub zone: TimeZone,
    /// Words besides one's nick that make a message one's business.
    pub highlights: Vec<String>,
    /// How many items of a room are held in memory.
    pub items_max: usize,
    /// Of whom it is told that they came or went.
    pub arrivals: Arrivals,
    /// When members are shown beside the timeline.
    pub members: MembersShown,
    /// What the server is called on the screen.
    pub server: String,
    /// What is told to somebody who looks elsewhere.
    pub notify_on: NotifyOn,
}

/// How a person reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Medium {
    /// The view is drawn.
    Screen,
    /// Lines are printed, and nothing that was printed is touched again.
    Lines,
}

/// What was known of one place when the client was last run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Before {
    /// The last sequence that was read.
    read: Option<u64>,
    /// What was typed and not sent.
    draft: String,
}

/// Columns and rows of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Something that the person should see and need not act on: one line above the input, for a while.
///
/// It goes by itself after that while, and whatever it says, it goes when another room is seen. What a key was answered with goes
/// before that when it is not true any more: a hint (`Ctrl-C again leaves`) as soon as what is typed is another, a problem
/// (`there is no /jion`) when what was typed has been sent or cleared, so that it can be read while that is mended. What
/// the server tells comes at any moment, perhaps between two keys of a word, and no key takes it away unread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Note {
    /// What it says.
    pub text: String,
    /// Whether something did not work.
    pub weight: Weight,
    /// When it goes by itself.
    pub until: Duration,
    /// What was seen when it had been told.
    pub told: Option<Told>,
}

/// What was seen when a note had been told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    /// The number of the room.
    pub room: Option<u32>,
    /// What was typed there, if a key was answered: the draft, or what is looked for in what lies over the room.
    pub typed: Option<String>,
}

/// How much a note matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Weight {
    /// Good to know.
    Hint,
    /// Something did not work.
    Problem,
}

/// Whether somebody looks at this terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Focus {
    /// The terminal has not said so.
    Unknown,
    /// They look.
    Here,
    /// They look at another.
    Elsewhere,
}

/// That somebody wants to leave.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Leaving {
    /// Their last words.
    reason: Option<String>,
    /// When it is not waited for any longer.
    until: Duration,
}

/// What an answer will be for.
#[derive(Clone, PartialEq, Debug)]
enum Asked {
    /// Something that we say in a room.
    Said { room: u32 },
    /// Something that we say to one person alone.
    Message(Message),
    /// Something that we said says something else.
    Edit { room: u32, target: u64, manner: hub::Manner, text: hub::Text },
    /// Something that we said goes.
    Redact { room: u32, target: u64, text: hub::Text },
    /// A room's topic.
    SetTopic { room: u32, topic: Option<String> },
    /// A room to be in.
    Join { room: u32 },
    /// A room to be in no longer.
    Leave,
    /// A page for the timeline, into a hole that ends with `last`.
    Page { room: u32, span: Span, last: u64 },
    /// A page of which something is to be seen: this message, or what is next behind it; or else the first.
    Around { room: u32, target: Option<u64> },
    /// A page to be printed.
    Printed(Printing),
    /// The list of members, and whether it begins anew.
    Members { room: u32, is_first: bool },
    /// Who is there, to be told in a room; and who has been named so far.
    Who { room: u32, listed: String },
    /// Which rooms there are.
    Rooms,
    /// What was found.
    Search,
    /// Something that says itself what it is.
    Answer,
    /// With whom we have talked, which nobody waits for.
    Conversations,
}

impl Asked {
    /// Whether a person asked for it.
    fn is_waited_for(&self) -> bool {
        !matches!(self, Asked::Conversations | Asked::Members { .. } | Asked::Page { .. })
    }
}

/// The client.
pub(crate) struct Model {
    options: Options,
    medium: Medium,
    link: Link,
    asked: HashMap<String, Asked>,
    rooms: Vec<Room>,
    next_room: u32,
    current: usize,
    overlay: Option<Overlay>,
    note: Option<Note>,
    /// Why the server cannot write anything down.
    trouble: Option<Shown>,
    /// What is typed where no room is open.
    homeless: Draft,
    /// What was said in rooms that have been closed since, and is not acknowledged.
    said_in_closed: Vec<Pending>,
    /// How much of what was typed or piped in was not done.
    undone: u64,
    killed: Clusters,
    known_rooms: Vec<RoomLine>,
    conversations: Vec<Conversation>,
    /// The nick that was asked for, until it is known whether it was given.
    wanted_nick: Option<String>,
    /// What is known of rooms that are not open, by [`Place::key`].
    before: BTreeMap<String, Before>,
    /// The server's history, of which all sequences are.
    epoch: Option<String>,
    /// By what nick members know us.
    called: Option<Shown>,
    was_online: bool,
    /// Somebody wants to leave, and what they said last is on its way.
    leaving: Option<Leaving>,
    told_state: Option<link::State>,
    notified: Option<Duration>,
    /// How many things have happened since it was looked how much they take.
    happened: u32,
    size: Size,
    focus: Focus,
    time: Time,
    now: Duration,
    effects: Vec<Effect>,
}

impl Model {
    /// A client that has not begun. `seed` is as for [`Link::new`].
    pub(crate) fn new(
        options: Options,
        medium: Medium,
        wanted: Wanted,
        remembered: &State,
        size: Size,
        seed: u64,
    ) -> Model {
        let named = wanted.rooms.clone();
        let mut model = Model {
            options,
            medium,
            wanted_nick: wanted.nick.clone(),
            link: Link::new(wanted, seed),
            asked: HashMap::new(),
            rooms: Vec::new(),
            next_room: 0,
            current: 0,
            overlay: None,
            note: None,
            trouble: None,
            homeless: Draft::default(),
            said_in_closed: Vec::new(),
            undone: 0,
            killed: Clusters::default(),
            known_rooms: Vec::new(),
            conversations: Vec::new(),
            before: before(remembered),
            epoch: remembered.epoch.clone(),
            called: None,
            was_online: false,
            leaving: None,
            told_state: None,
            notified: None,
            happened: 0,
            size,
            focus: Focus::Unknown,
            time: Time(0),
            now: Duration::ZERO,
            effects: Vec::new(),
        };
        for name in &named {
            model.open(Place::Room(Shown::new(name)));
        }
        model
    }

    /// What has to survive this program.
    pub(crate) fn remembered(&self) -> State {
        let open = self.rooms.iter().map(|room| {
            let unread = room.timeline.marker().filter(|_| room.unread > 0);
            let name = room.place.key();
            // A room that was not entered was read as far as it was before.
            let before = || self.before.get(&name).and_then(|before| before.read);
            let read = unread.or_else(|| self.link.seen(&name)).or_else(before);
            let is_change = room.draft.editing.is_some();
            let draft = if is_change { String::new() } else { room.draft.line.text().to_owned() };
            remembered::Room { name, read, draft, is_closed: false }
        });
        // Of what is closed only what was typed there is worth keeping, and how far a conversation was read.
        let is_open = |name: &str| self.rooms.iter().any(|room| room.place.key() == name);
        let closed = self
            .before
            .iter()
            .filter(|(name, before)| (name.starts_with('@') || !before.draft.is_empty()) && !is_open(name));
        let closed = closed.map(|(name, before)| remembered::Room {
            name: name.clone(),
            read: before.read,
            draft: before.draft.clone(),
            is_closed: true,
        });
        State {
            secret: self.link.secret().map(str::to_owned),
            epoch: self.link.epoch().map(ToString::to_string),
            nick: self.link.nick().map(ToString::to_string),
            rooms: open.chain(closed).collect(),
        }
    }

    /// The connection, for what has to survive this program.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Whether anything is on its way that somebody waits for.
    pub(crate) fn waits_for_answers(&self) -> bool {
        self.link.unacknowledged() > 0 || self.is_asked(Asked::is_waited_for)
    }

    /// Whether anything like this was asked for and is not answered.
    fn is_asked(&self, what: impl Fn(&Asked) -> bool) -> bool {
        self.asked.values().any(what)
    }

    /// How much of what was typed or piped in was not said or done, and is known not to be.
    pub(crate) fn undone(&self) -> u64 {
        self.undone
    }

    /// Whether there has ever been a connection.
    pub(crate) fn was_online(&self) -> bool {
        self.was_online
    }

    /// Why the server cannot write anything down, if it cannot.
    pub(crate) fn trouble(&self) -> Option<&Shown> {
        self.trouble.as_ref()
    }

    /// What is being typed in the room that is seen.
    pub(crate) fn draft(&self) -> &Draft {
        self.rooms.get(self.current).map_or(&self.homeless, |room| &room.draft)
    }

    fn draft_mut(&mut self) -> &mut Draft {
        match self.rooms.get_mut(self.current) {
            Some(room) => &mut room.draft,
            None => &mut self.homeless,
        }
    }

    fn index_numbered(&self, number: u32) -> Option<usize> {
        self.rooms.iter().position(|room| room.number == number)
    }

    fn room_numbered(&mut self, number: u32) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.number == number)
    }

    /// Where a room stands, which is opened if it is not.
    fn open(&mut self, place: Place) -> usize {
        let known = match &place {
            Place::Room(name) => self.index_of_room(name),
            Place::Direct { with, conversation: None } => self.index_with(with),
            Place::Direct { with, conversation: Some(name) } => {
                self.index_of_room(name).or_else(|| self.index_unnamed_with(with))
            }
        };
        if let Some(index) = known {
            return index;
        }
        let mut room = Room::new(place, self.options.items_max);
        room.number = self.next_room;
        self.next_room += 1;
        if let Place::Direct { .. } = room.place {
            room.presence = Presence::Here;
        }
        let before = self.before.get_mut(&room.place.key());
        room.draft.line.paste(&before.map(|before| std::mem::take(&mut before.draft)).unwrap_or_default());
        if self.rooms.is_empty() {
            // What was typed before there was a room was meant for the first one.
            let typed = self.homeless.line.take();
            room.draft.line.paste(typed.text());
        }
        self.rooms.push(room);
        self.rooms.len() - 1
    }

    /// The conversation with somebody, opened if it is not.
    fn open_direct(&mut self, with: &str) -> usize {
        let known =
            self.conversations.iter().find(|known| hub::key_of(&known.with) == hub::key_of(with)).cloned();
        let before = self.rooms.len();
        let conversation = known.as_ref().map(|known| known.room.clone());
        let index = self.open(Place::Direct { with: Shown::new(with), conversation });
        if self.rooms.len() > before
            && let Some(known) = known
        {
            self.rooms[index].timeline.append_hole(known.sequence, self.time, Why::Unread);
        }
        index
    }

    /// The room that is open under this name, or the conversation.
    fn index_of_room(&self, name: &str) -> Option<usize> {
        let key = hub::key_of(name);
        self.rooms.iter().position(|room| match &room.place {
            Place::Room(_) => room.folded == key,
            Place::Direct { conversation, .. } => conversation.as_deref() == Some(name),
        })
    }

    /// The newest conversation with somebody of this nick: who had the nick before may be somebody else.
    fn index_with(&self, nick: &str) -> Option<usize> {
        let key = hub::key_of(nick);
        let is_with =
            |room: &Room| matches!(&room.place, Place::Direct { with, .. } if hub::key_of(with) == key);
        self.rooms.iter().rposition(is_with)
    }

    /// The conversation that was opened with somebody and of which the server has said nothing yet.
    fn index_unnamed_with(&self, nick: &str) -> Option<usize> {
        let key = hub::key_of(nick);
        self.rooms.iter().position(|room| match &room.place {
            Place::Direct { with, conversation: None } => hub::key_of(with) == key,
            _ => false,
        })
    }

    /// Something has happened that takes memory.
    fn count_happening(&mut self) {
        self.happened += 1;
        if self.happened >= HAPPENINGS_A_LOOK {
            self.happened = 0;
            self.bound_timelines(TIMELINES_BYTES_MAX);
        }
    }

    /// The largest timelines forget what is oldest until all together take no more than this.
    fn bound_timelines(&mut self, bytes_max: usize) {
        let mut bytes: usize = self.rooms.iter().map(|room| room.timeline.bytes()).sum();
        while bytes > bytes_max {
            let largest =
                self.rooms.iter_mut().map(|room| &mut room.timeline).max_by_key(|timeline| timeline.bytes());
            let Some(timeline) = largest else { return };
            let before = timeline.bytes();
            timeline.forget_the_older_half();
            if timeline.bytes() >= before {
                return;
            }
            bytes -= before - timeline.bytes();
        }
    }

    /// Takes a room off the screen. What was typed there is there again when it is opened again.
    fn close(&mut self, index: usize) {
        let mut room = self.rooms.remove(index);
        self.said_in_closed.append(&mut room.pending);
        let key = room.place.key();
        let read = self.link.seen(&key);
        let is_change = room.draft.editing.is_some();
        let draft = if is_change { String::new() } else { room.draft.line.text().to_owned() };
        self.before.insert(key, Before { read, draft });
        if self.current > index || self.current >= self.rooms.len() {
            self.current = self.current.saturating_sub(1);
        }
    }
}

fn before(remembered: &State) -> BTreeMap<String, Before> {
    let rooms = remembered.rooms.iter();
    rooms.map(|room| (room.name.clone(), Before { read: room.read, draft: room.draft.clone() })).collect()
}

impl Model {
    /// What a person has chosen.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// How the connection is doing.
    pub(crate) fn state(&self) -> &link::State {
        self.link.state()
    }

    /// How long the server took to answer the last time that it was asked.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.link.latency()
    }

    /// What we are called.
    pub(crate) fn nick(&self) -> Option<&Shown> {
        self.link.nick()
    }

    /// All that are open, in the order in which they are shown. There may be none.
    pub(crate) fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Which of them is seen.
    pub(crate) fn current(&self) -> usize {
        self.current
    }

    /// The one that is seen.
    pub(crate) fn room(&self) -> Option<&Room> {
        self.rooms.get(self.current)
    }

    /// Somebody, as far as they are known in a room that is open. Where they came in it may not be known that they are away.
    pub(crate) fn member(&self, nick: &str) -> Option<&Member> {
        let known = self.rooms.iter().filter_map(|room| room.members.named(nick));
        known.max_by_key(|member| member.away.is_some())
    }

    /// What lies over the timeline.
    pub(crate) fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The line above the input.
    pub(crate) fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Columns and rows of the terminal.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// How long the client has been running.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }
}

#[cfg(test)]
mod guide;
#[cfg(test)]
pub(crate) mod tests;
