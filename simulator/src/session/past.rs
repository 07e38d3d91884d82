//! What a session of the test dialect wants to know of the past, question by question: what its client missed while it was
//! away, the last lines of a room that is new to it, and what its cursor jumped over.
//!
//! Where it stands: inside a test session, as it would inside that of a dialect for programs. While a replay is under way
//! what happens now waits; what was skipped comes whenever it comes. Each word about it begins a line of its own, which
//! the checker reads ([`PastWord`](crate::device::PastWord)).
//!
//! What this file must never do: hand on what the feed shows, too: a page ends where the feed begins.

use dialect::{Flow, Output};
use hub::{
    Client, ClientId, Command, Event, Nonce, Page, Place, RoomNumber, Sequence, Shape, Span, Standing, Told,
    Verb,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;

/// How many lines of the past are asked for at once.
const LINES_MAX: u32 = 20;

/// What a client's session wants to know. Whoever is no client wants nothing.
#[derive(Debug, Default)]
pub(super) struct PastReader {
    client: Option<ClientId>,
    /// How far the client has seen each room, until it enters it.
    marks: BTreeMap<RoomNumber, Sequence>,
    /// Where the feed of each room begins that was entered.
    beginnings: BTreeMap<RoomNumber, Sequence>,
    /// What it said itself: its feed shows that for sure, and a page does not always say whose it was.
    own: BTreeSet<(RoomNumber, Sequence)>,
    /// Replays first. The first is being asked for, if anything is.
    wants: VecDeque<Want>,
    is_asking: bool,
    /// Whether what happens now waits.
    is_waiting: bool,
}

/// Something of the past of a room.
#[derive(Clone, Debug)]
struct Want {
    room: RoomNumber,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Everything behind a sequence, up to where the feed begins.
    Missed { behind: Sequence, upto: Sequence },
    /// The last lines, up to where the feed begins.
    Latest { upto: Sequence },
    /// What was skipped.
    Gap { from: Sequence, to: Sequence },
    /// It was asked for, but is of no use any more.
    Nothing,
}

impl What {
    fn is_replay(self) -> bool {
        matches!(self, What::Missed { .. } | What::Latest { .. })
    }
}

impl PastReader {
    /// Understands what stands behind the presence: a client, whether it is new, its nick, and how far it has seen which
    /// rooms. Returns what goes into the command.
    pub(super) fn hello(&mut self, words: &str) -> (Option<Client>, Option<String>) {
        let mut words = words.split_whitespace();
        let Some(id) = words.next().and_then(|word| word.parse::<u64>().ok()) else { return (None, None) };
        let standing = if words.next() == Some("new") { Standing::New } else { Standing::Returning };
        let nick = words.next().filter(|nick| *nick != "-").map(str::to_owned);
        for mark in words {
            if let Some((room, sequence)) = mark.split_once(':')
                && let (Ok(room), Ok(sequence)) = (room.parse(), sequence.parse())
            {
                self.marks.insert(RoomNumber(room), Sequence(sequence));
            }
        }
        let id = crate::device::client_id(id);
        self.client = Some(id);
        (Some(Client { id, standing }), nick)
    }

    /// What a client says has a name of its own.
    pub(super) fn nonce(&self, label: &str) -> Option<Nonce> {
        self.client.and_then(|_| Nonce::new(label))
    }

    /// The session is told something.
    pub(super) fn told(&mut self, told: &Told, output: &mut Output) {
        if self.client.is_none() {
            return;
        }
        match &told.event {
            Event::Connected { conversations, .. } => {
                for conversation in conversations {
                    let behind = self.marks.remove(&conversation.room.number).unwrap_or_default();
                    self.begin(conversation.room.number, Some(behind), conversation.upto, output);
                }
            }
            Event::Admitted(view) => {
                let behind = self.marks.remove(&view.room.number);
                self.begin(view.room.number, behind, view.upto, output);
            }
            Event::Page(page) => self.page(page, output),
            Event::Refused { verb: Verb::History, .. } => self.refused(output),
            _ => {}
        }
    }

    fn begin(&mut self, room: RoomNumber, behind: Option<Sequence>, upto: Sequence, output: &mut Output) {
        let behind_word = behind.map_or("-".to_owned(), |behind| behind.0.to_string());
        let _ = writeln!(output.words, "B {room} {behind_word}");
        self.forget(room);
        self.beginnings.insert(room, upto);
        let what = match behind {
            Some(behind) if behind < upto => What::Missed { behind, upto },
            None if upto > Sequence(0) => What::Latest { upto },
            _ => return self.release(output),
        };
        // If something else is waited for already, what happened since then goes on waiting.
        self.is_waiting = true;
        let _ = writeln!(output.words, "W");
        output.flow = Flow::Wait;
        // Behind what is being asked for.
        let first = usize::from(self.is_asking);
        let gaps = self.wants.iter().skip(first).position(|want| !want.what.is_replay());
        self.wants.insert(gaps.map_or(self.wants.len(), |gaps| first + gaps), Want { room, what });
        self.ask(output);
    }

    /// Whoever enters a room again begins anew there.
    fn forget(&mut self, room: RoomNumber) {
        let asked = usize::from(self.is_asking);
        if let Some(want) = self.wants.front_mut().filter(|want| asked > 0 && want.room == room) {
            want.what = What::Nothing;
        }
        let mut nth = 0;
        self.wants.retain(|want| {
            nth += 1;
            nth <= asked || want.room != room
        });
    }

    /// The cursor has jumped over these.
    pub(super) fn skipped(&mut self, room: RoomNumber, from: Sequence, to: Sequence, output: &mut Output) {
        // Of an earlier stay in the room nothing is wanted any more, though its last entries may still be on their way.
        let is_of_this_stay = self.beginnings.get(&room).is_some_and(|upto| to > *upto);
        if self.client.is_some() && from <= to && is_of_this_stay {
            self.wants.push_back(Want { room, what: What::Gap { from, to } });
            self.ask(output);
        }
    }

    /// Asks for the next thing, if nothing is being asked for.
    pub(super) fn ask(&mut self, output: &mut Output) {
        let Some(Want { room, what }) = self.wants.front().cloned().filter(|_| !self.is_asking) else {
            return;
        };
        self.is_asking = true;
        let (span, shape) = match what {
            What::Missed { behind, .. } => (Span::After(behind), Shape::Facts),
            What::Latest { upto } => (Span::Before(upto.next()), Shape::Present),
            What::Gap { from, .. } => (Span::After(Sequence(from.0.saturating_sub(1))), Shape::Facts),
            What::Nothing => return,
        };
        output.commands.push(Command::History {
            room: Place::Number(room),
            span,
            lines_max: LINES_MAX,
            shape,
        });
    }

    fn page(&mut self, page: &Page, output: &mut Output) {
        self.is_asking = false;
        let Some(Want { room, what }) = self.wants.front().cloned() else { return };
        let lines = page.lines.iter();
        let numbers: Vec<Sequence> = lines.filter_map(|line| line.event.sequence()).collect();
        let numbers = numbers.into_iter();
        match what {
            What::Missed { upto, .. } => {
                hand_on("D", room, None, numbers.filter(|number| *number <= upto), output);
                match page.after.filter(|after| *after < upto) {
                    Some(behind) => self.go_on(What::Missed { behind, upto }),
                    None => self.done(output),
                }
            }
            What::Latest { upto } => {
                hand_on("L", room, None, numbers.filter(|number| *number <= upto), output);
                self.done(output);
            }
            What::Gap { from, to } => {
                let covered = page.after.map_or(to, |after| after.min(to));
                // One's own are shown when they are durable, whatever is skipped.
                let own = &self.own;
                let is_missing =
                    |number: &Sequence| (from..=to).contains(number) && !own.contains(&(room, *number));
                let missed = numbers.filter(is_missing);
                hand_on("G", room, Some(covered), missed, output);
                if covered < to {
                    self.go_on(What::Gap { from: covered.next(), to });
                } else {
                    self.done(output);
                }
            }
            What::Nothing => self.done(output),
        }
    }

    /// It said this itself.
    pub(super) fn said(&mut self, event: &Event) {
        if let (Some(_), Some(room), Some(sequence)) = (self.client, event.kept_in(), event.sequence()) {
            self.own.insert((room, sequence));
        }
    }

    fn go_on(&mut self, what: What) {
        if let Some(want) = self.wants.front_mut() {
            want.what = what;
        }
    }

    /// The first thing is done: when no replay is left, what happens now is shown.
    fn done(&mut self, output: &mut Output) {
        self.wants.pop_front();
        self.release(output);
    }

    fn release(&mut self, output: &mut Output) {
        if self.is_waiting && !self.wants.iter().any(|want| want.what.is_replay()) {
            self.is_waiting = false;
            let _ = writeln!(output.words, "O");
            output.flow = Flow::GoOn;
        }
    }

    /// What was asked for cannot be had.
    fn refused(&mut self, output: &mut Output) {
        self.is_asking = false;
        let Some(Want { room, what }) = self.wants.front().cloned() else { return };
        let missing = match what {
            What::Missed { behind, upto } => Some((behind.next(), upto)),
            What::Latest { .. } | What::Nothing => None,
            What::Gap { from, to } => Some((from, to)),
        };
        if let Some((from, to)) = missing {
            let _ = writeln!(output.words, "X {room} {} {}", from.0, to.0);
        }
        self.done(output);
    }
}

/// Says what is handed on of a page, if anything is or something is covered by it.
fn hand_on(
    verb: &str,
    room: RoomNumber,
    covered: Option<Sequence>,
    numbers: impl Iterator<Item = Sequence>,
    output: &mut Output,
) {
    let _ = write!(output.words, "{verb} {room}");
    for number in covered.into_iter().chain(numbers) {
        let _ = write!(output.words, " {}", number.0);
    }
    let _ = writeln!(output.words);
}
