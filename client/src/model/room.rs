//! A room, or a conversation with one other person, as somebody sees it.
//!
//! Where it stands: the model has one for each that is open.
//!
//! What this file must never do: lose a draft.

use super::item::{Relation, Said, What};
use super::members::Members;
use super::talkers::Talkers;
use super::timeline::Timeline;
use crate::wire::{Shown, Topic};
use dialect::editing::{History, Line, Lines};
use hub::{Manner, Text, Time};

/// A room, or a conversation.
#[derive(Debug)]
pub(crate) struct Room {
    /// Names it for as long as it is open.
    pub number: u32,
    /// Which.
    pub place: Place,
    /// The name of a room, folded, by which it is found.
    pub(super) folded: String,
    /// What it is about.
    pub topic: Option<Topic>,
    /// What happened in it.
    pub timeline: Timeline,
    /// Who is in it.
    pub members: Members,
    /// Who talks in it; only if somebody wants to know.
    pub talkers: Talkers,
    /// What is being typed.
    pub draft: Draft,
    /// What was said here by us and is not acknowledged, in order.
    pub pending: Vec<Pending>,
    /// How many messages came while nobody looked.
    pub unread: u32,
    /// How many of them name us.
    pub mentions: u32,
    /// Which part of the timeline is seen.
    pub scroll: Scroll,
    /// The number of the item that one has gone to, from what was found, until one scrolls or goes to another room.
    pub jumped_to: Option<u32>,
    /// Whether we are in it.
    pub presence: Presence,
}

/// Which room, or with whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A room, by its name without `#`.
    Room(Shown),
    /// A conversation.
    Direct {
        /// With whom.
        with: Shown,
        /// Its name: `@` and a number, once the server has said it.
        conversation: Option<Shown>,
    },
}

/// Whether we are in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    /// It has been asked for.
    Entering,
    /// Yes.
    Here,
    /// Not any more: it can be read, and nothing can be said.
    Gone,
}

/// What is being typed in a room.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The text.
    pub line: Line,
    /// What was sent from here.
    pub sent: History,
    /// The sequence of the message that it will replace, if it is a change of one.
    pub editing: Option<u64>,
}

/// Something that was said and is not acknowledged.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Pending {
    /// Under which nonce.
    pub nonce: String,
    /// When.
    pub time: Time,
    /// In which way.
    pub manner: Manner,
    /// What.
    pub text: Text,
}

/// What we said last in a room.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum LastOwn<'a> {
    /// We have said nothing.
    Nothing,
    /// It may be in a part of the past that is not here.
    NotHere,
    /// It is not acknowledged, or the last change of it is not.
    OnItsWay,
    /// This.
    There {
        /// Its sequence.
        sequence: u64,
        /// What it says.
        said: &'a Said,
    },
}

/// Which part of a timeline is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scroll {
    /// The end of it, whatever comes.
    End,
    /// The lowest row on the screen is this row (from 0) of this item.
    At {
        /// The item's number.
        item: u32,
        /// Counted from the first row of the item.
        row: usize,
    },
}

impl Place {
    /// By what it is remembered: a room's name, a conversation's, or `@` and the nick of somebody with whom nothing was said.
    pub(super) fn key(&self) -> String {
        match self {
            Place::Room(name) | Place::Direct { conversation: Some(name), .. } => name.to_string(),
            Place::Direct { with, conversation: None } => format!("@{with}"),
        }
    }
}

impl Room {
    pub(super) fn new(place: Place, items_max: usize) -> Room {
        let folded = match &place {
            Place::Room(name) => hub::key_of(name),
            Place::Direct { .. } => String::new(),
        };
        Room {
            folded,
            number: 0,
            place,
            topic: None,
            timeline: Timeline::new(items_max),
            members: Members::default(),
            talkers: Talkers::default(),
            draft: Draft::default(),
            pending: Vec::new(),
            unread: 0,
            mentions: 0,
            scroll: Scroll::End,
            jumped_to: None,
            presence: Presence::Entering,
        }
    }

    /// Another part of the timeline is seen, because somebody wants to see it.
    pub(super) fn scroll_to(&mut self, scroll: Scroll) {
        self.scroll = scroll;
        self.jumped_to = None;
    }

    /// So much was read when the client was last run, and so much there is now.
    pub(super) fn begin_unread(&mut self, read: u64, last: u64) {
        if read < last {
            self.timeline.set_marker(Some(read));
            self.unread = u32::try_from(last - read).unwrap_or(u32::MAX);
        }
    }

    /// What we said last here, as far as it is known.
    pub(super) fn last_own(&self) -> LastOwn<'_> {
        if !self.pending.is_empty() {
            return LastOwn::OnItsWay;
        }
        for item in self.timeline.items().iter().rev() {
            match &item.what {
                What::Said(said) if said.relation != Relation::Own => {}
                What::Said(said) if said.is_changing => return LastOwn::OnItsWay,
                What::Said(said) => return LastOwn::There { sequence: item.order, said },
                // In what is not here there may be something that we said.
                What::Hole(_) => return LastOwn::NotHere,
                _ => {}
            }
        }
        LastOwn::Nothing
    }

    /// What a room is called, which may be written otherwise than it was asked for.
    pub(super) fn set_name(&mut self, name: &Shown) {
        self.folded = hub::key_of(name);
        self.place = Place::Room(name.clone());
    }

    /// What the room is called on the screen: `#lobby`, or the nick of the other.
    pub(crate) fn title(&self) -> String {
        match &self.place {
            Place::Room(name) => format!("#{name}"),
            Place::Direct { with, .. } => with.to_string(),
        }
    }

    /// Whether it is a conversation with one other person.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self.place, Place::Direct { .. })
    }

    /// What the server calls it, if it has said so.
    pub(crate) fn name(&self) -> Option<&Shown> {
        match &self.place {
            Place::Room(name) => Some(name),
            Place::Direct { conversation, .. } => conversation.as_ref(),
        }
    }
}

impl Draft {
    /// What was not taken is there again, as a change of that message if it was one; unless something else has been typed: then
    /// it is what Up brings back.
    pub(super) fn give_back(&mut self, typed: &str, editing: Option<u64>) {
        if self.line.text().is_empty() && self.editing.is_none() {
            self.line.paste(typed);
            self.editing = editing;
        } else {
            self.keep(typed);
        }
    }

    /// It can be had again, as what was sent last.
    pub(super) fn keep(&mut self, typed: &str) {
        let mut line = Line::new(Lines::Many);
        line.paste(typed);
        self.sent.add(line.clusters());
    }
}

impl Pending {
    /// How somebody would type it.
    pub(super) fn as_typed(&self) -> String {
        match (self.manner, self.text.formatted()) {
            (Manner::Saying, text) if text.starts_with('/') => format!("/{text}"),
            (manner, text) => as_said(manner, text),
        }
    }
}

/// How it stands in a draft that changes it: there nothing is a command, and `/me` says in which way it was said.
pub(super) fn as_said(manner: Manner, text: &str) -> String {
    match manner {
        Manner::Acting => format!("/me {text}"),
        Manner::Saying => text.to_owned(),
    }
}

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            line: Line::new(Lines::Many).with_undo(),
            sent: History::holding(200, 256 * 1024),
            editing: None,
        }
    }
}
