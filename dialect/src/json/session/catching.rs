//! Catching up: a client that knows up to where it has read is told what it missed, exactly once, and then what happens.
//!
//! Where it stands: between a hello or a join and the lines behind it, which wait. Rooms are entered one after the other. At the
//! first that has something to tell, the feeds are made to wait; each page is asked for when the one before has been read;
//! when nothing is left, the feeds go on. What a feed had to skip meanwhile is paged like what was missed before.
//!
//! What this file must never do: show a fact of a page that the feed will show, or let the feeds wait for nothing.

use super::{JsonSession, Outlet, Turn};
use crate::json::render;
use crate::json::words::{self, Gap, PAGE_BYTES_MAX, Resumed};
use crate::{Flow, Skipped, SkippedPlace};
use hub::{
    Command, Conversation, Page, Place, Refusal, RoomNumber, RoomRef, RoomView, Sequence, Shape, Span, Verb,
};
use std::collections::{BTreeMap, VecDeque};

/// So many lines of what was missed are asked for at a time; the hub has a bound of its own.
const LINES_MAX: u32 = 200;

/// What a client says it knows.
pub(super) struct Known {
    /// Why nothing can be told from there on, if it cannot: it is of another history, or of none that was named.
    pub(super) unusable: Option<&'static str>,
    /// The last sequence by the key of a room, or by a conversation's name.
    pub(super) sequences: BTreeMap<String, Sequence>,
}

/// What is left to be told of what a client missed.
#[derive(Default)]
pub(super) struct Catching {
    left: VecDeque<Target>,
    now: Option<Current>,
    /// Whether the feeds wait.
    holds: bool,
}

/// A room to be entered, or something to be read.
enum Target {
    Room { name: String, since: Since },
    Stretch(Stretch),
}

/// From where on a client wants to read a room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From now on.
    Now,
    /// From behind this one.
    After(Sequence),
    /// From behind one that means nothing here, for this reason.
    Nowhere(&'static str),
}

/// What is being done.
enum Current {
    Entering { name: String, since: Since },
    Paging { stretch: Stretch, view: Option<Box<RoomView>> },
}

/// A part of a room's log: what is behind `after`, up to `upto`.
struct Stretch {
    room: RoomRef,
    after: Sequence,
    upto: Sequence,
}

impl Stretch {
    fn question(&self) -> Command {
        let (room, span) = (Place::Number(self.room.number), Span::After(self.after));
        Command::History { room, span, lines_max: LINES_MAX, shape: Shape::Facts }
    }

    /// Tells that what is left of it cannot be shown, up to there.
    fn tell_gap(&self, to: Sequence, reason: &'static str, words: &mut Vec<u8>) {
        let range = Some((self.after.next(), to));
        words::gap(&Gap { room: Some(&self.room.name), range, messages: None, reason: Some(reason) }, words);
    }
}

impl Catching {
    /// Whether the feeds wait for what is left to be told.
    pub(super) fn holds(&self) -> bool {
        self.holds
    }
}

/// Whether there is more of a stretch.
enum Rest {
    Nothing,
    More,
}

impl JsonSession {
    pub(super) fn begin_to_join(&mut self, room: &str, after: Option<Sequence>, turn: &mut Turn<'_>) {
        let since = after.map_or(Since::Now, Since::After);
        let left = VecDeque::from([Target::Room { name: room.into(), since }]);
        self.with_rare(|rare| rare.catching = Some(Catching { left, ..Catching::default() }));
        self.catch_on(turn);
    }

    /// The hub knows the client: its rooms come next, then its conversations.
    pub(super) fn begin_to_catch_up(
        &mut self,
        rooms: Vec<String>,
        known: Option<&Known>,
        conversations: &[Conversation],
        turn: &mut Turn<'_>,
    ) {
        let unusable = known.and_then(|known| known.unusable);
        let sequence_of = |key: &str| known.and_then(|known| known.sequences.get(key).copied());
        let mut left: VecDeque<Target> = rooms
            .into_iter()
            .map(|name| {
                let since = match (sequence_of(&super::requests::key_of(&name)), unusable) {
                    (None, _) => Since::Now,
                    (Some(_), Some(reason)) => Since::Nowhere(reason),
                    (Some(sequence), None) => Since::After(sequence),
                };
                Target::Room { name, since }
            })
            .collect();
        let rooms_count = left.len();
        if known.is_some() && unusable.is_none() {
            // One that the client has never heard of is new to it from its first word on.
            left.extend(conversations.iter().filter_map(|conversation| {
                let (room, upto) = (conversation.room.clone(), conversation.upto);
                let after = sequence_of(&room.name).unwrap_or_default();
                (after < upto).then_some(Target::Stretch(Stretch { room, after, upto }))
            }));
        }
        let holds = left.len() > rooms_count;
        if holds {
            turn.output.flow = Flow::Wait;
        }
        self.with_rare(|rare| rare.catching = Some(Catching { left, holds, ..Catching::default() }));
        self.catch_on(turn);
    }

    /// Begins with the next thing to be told, if none is under way; when none is left, the feeds go on.
    pub(super) fn catch_on(&mut self, turn: &mut Turn<'_>) {
        let Some(rare) = &mut self.rare else { return };
        let Some(catching) = &mut rare.catching else { return };
        if catching.now.is_some() {
            return;
        }
        match catching.left.pop_front() {
            Some(Target::Room { name, since }) => {
                turn.output.commands.push(Command::Join { room: name.clone() });
                self.awaited = Some(Verb::Join);
                catching.now = Some(Current::Entering { name, since });
            }
            Some(Target::Stretch(stretch)) => {
                turn.output.commands.push(stretch.question());
                self.awaited = Some(Verb::History);
                catching.now = Some(Current::Paging { stretch, view: None });
            }
            None => {
                if catching.holds {
                    turn.output.flow = Flow::GoOn;
                }
                self.with_rare(|rare| (rare.catching, rare.nonce) = (None, None));
                self.awaited = None;
                self.read_waiting(turn);
            }
        }
    }

    /// Goes on when what has just been told has been read: the feeds show what they hold in the order of the server, in
    /// which a page of the past comes later than what happened while it was looked for.
    fn catch_on_when_read(&mut self, turn: &mut Turn<'_>) {
        if turn.output.words.is_empty() {
            self.catch_on(turn);
        } else {
            self.outlet = Outlet::Full;
        }
    }

    fn take_current(&mut self) -> Option<Current> {
        self.rare.as_mut()?.catching.as_mut()?.now.take()
    }

    /// The client is in a room.
    pub(super) fn entered(&mut self, view: &RoomView, turn: &mut Turn<'_>) {
        let nonce = self.rare.as_ref().and_then(|rare| rare.nonce.clone());
        let since = match self.take_current() {
            Some(Current::Entering { since, .. }) => since,
            // Not asked for: somebody else's doing.
            other => {
                self.put_back(other);
                return words::joined(view, Resumed::NotAsked, None, &mut turn.output.words);
            }
        };
        let resumed = match since {
            Since::Now => Resumed::NotAsked,
            Since::Nowhere(reason) => Resumed::No(reason),
            Since::After(sequence) if sequence > view.upto => Resumed::No("future"),
            Since::After(sequence) if sequence == view.upto => Resumed::Yes,
            Since::After(after) => return self.begin_to_page(view, after, turn),
        };
        words::joined(view, resumed, nonce.as_ref(), &mut turn.output.words);
        // The feeds have nothing to show that belongs behind this.
        self.catch_on(turn);
    }

    fn put_back(&mut self, current: Option<Current>) {
        if let Some(catching) = self.rare.as_mut().and_then(|rare| rare.catching.as_mut()) {
            catching.now = current;
        }
    }

    fn begin_to_page(&mut self, view: &RoomView, after: Sequence, turn: &mut Turn<'_>) {
        let stretch = Stretch { room: view.room.clone(), after, upto: view.upto };
        turn.output.commands.push(stretch.question());
        self.awaited = Some(Verb::History);
        let view = Some(Box::new(view.clone()));
        self.put_back(Some(Current::Paging { stretch, view }));
        if let Some(catching) = self.rare.as_mut().and_then(|rare| rare.catching.as_mut())
            && !std::mem::replace(&mut catching.holds, true)
        {
            turn.output.flow = Flow::Wait;
        }
    }

    /// A page of what was missed. Returns whether it was one.
    pub(super) fn caught(&mut self, page: &Page, turn: &mut Turn<'_>) -> bool {
        let (mut stretch, view) = match self.take_current() {
            Some(Current::Paging { stretch, view }) => (stretch, view),
            other => {
                self.put_back(other);
                return false;
            }
        };
        self.announce(view, Resumed::Yes, turn);
        match self.tell_page(&mut stretch, page, &mut turn.output.words) {
            Rest::Nothing => {
                self.awaited = None;
                self.catch_on_when_read(turn);
            }
            Rest::More => {
                let question = stretch.question();
                self.put_back(Some(Current::Paging { stretch, view: None }));
                self.ask_when_read(question, turn);
            }
        }
        true
    }

    fn ask_when_read(&mut self, question: Command, turn: &mut Turn<'_>) {
        self.awaited = Some(question.verb());
        if turn.output.words.is_empty() {
            turn.output.commands.push(question);
        } else {
            self.with_rare(|rare| rare.next_page = Some(question));
        }
    }

    /// Shows what belongs to the stretch, and moves its beginning behind that.
    fn tell_page(&self, stretch: &mut Stretch, page: &Page, words: &mut Vec<u8>) -> Rest {
        let before = stretch.after;
        if page.forgotten > stretch.after {
            let to = page.forgotten.min(stretch.upto);
            stretch.tell_gap(to, "forgotten", words);
            stretch.after = to;
        }
        for past in &page.lines {
            let Some(sequence) = past.event.sequence() else { continue };
            if sequence <= stretch.after || sequence > stretch.upto {
                continue;
            }
            render::replay(self.epoch, past, words);
            stretch.after = sequence;
            if words.len() >= PAGE_BYTES_MAX && sequence < stretch.upto {
                return Rest::More;
            }
        }
        let looked_at = page.after.unwrap_or(stretch.upto).max(stretch.after);
        stretch.after = looked_at;
        // A page on which nothing comes next would be asked for again and again.
        if looked_at >= stretch.upto || looked_at == before { Rest::Nothing } else { Rest::More }
    }

    /// Answers the join that all this comes of, if it has not been.
    fn announce(&mut self, view: Option<Box<RoomView>>, resumed: Resumed, turn: &mut Turn<'_>) {
        if let Some(view) = view {
            let nonce = self.rare.as_ref().and_then(|rare| rare.nonce.as_ref());
            words::joined(&view, resumed, nonce, &mut turn.output.words);
        }
    }

    /// Something on the way was refused: the room is not entered, or what was missed there cannot be told. Returns whether it
    /// was that.
    pub(super) fn refused_while_catching(
        &mut self,
        verb: Verb,
        refusal: &Refusal,
        turn: &mut Turn<'_>,
    ) -> bool {
        let words = &mut turn.output.words;
        match (self.take_current(), verb) {
            (Some(Current::Entering { name, .. }), Verb::Join) => {
                let nonce = self.rare.as_ref().and_then(|rare| rare.nonce.as_ref());
                words::refused(verb, refusal, nonce, Some(&hub::quoted(&name)), words);
                self.catch_on(turn);
            }
            (Some(Current::Paging { stretch, view }), Verb::History) => {
                if view.is_none() {
                    stretch.tell_gap(stretch.upto, refusal.code(), words);
                }
                self.announce(view, Resumed::No(refusal.code()), turn);
                self.catch_on_when_read(turn);
            }
            (other, _) => {
                self.put_back(other);
                return false;
            }
        }
        true
    }

    /// A feed that waits could not keep what a client will have missed of it: it is read like the rest. Returns whether it is.
    pub(super) fn catch_up_with(&mut self, skipped: &Skipped) -> bool {
        let SkippedPlace::Room(number) = skipped.place else { return false };
        let Some(room) = self.room_ref(number) else { return false };
        let Some(catching) = self.rare.as_mut().and_then(|rare| rare.catching.as_mut()) else { return false };
        if !catching.holds || skipped.from > skipped.to {
            return catching.holds;
        }
        let after = Sequence(skipped.from.0.saturating_sub(1));
        catching.left.push_back(Target::Stretch(Stretch { room, after, upto: skipped.to }));
        true
    }

    fn room_ref(&self, number: RoomNumber) -> Option<RoomRef> {
        self.name_of(number).map(|name| RoomRef { number, name })
    }
}
