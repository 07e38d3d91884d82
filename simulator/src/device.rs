//! What a client keeps from one connection to the next: its secret, what it has seen of each room, and what it said and was
//! not acknowledged. And what that must be like: everything once, nothing left out but what it was told that it missed.
//!
//! Where it stands: at the far end of the network, beside the person who types. A `reader` says what it was shown.
//!
//! What this file must never do: know more than a client can know; what is compared with the truth is asked of the oracle.

use hub::{ClientId, Nonce, RoomNumber, Sequence};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;

/// What is said again if it was not acknowledged: the last few, which are well among those whose nonces are remembered.
const UNACKNOWLEDGED_MAX: usize = 20;
/// No world has so many people.
const CLIENTS: u64 = 10_000;
/// So many of what one said oneself are remembered, to be changed some day.
const OWN_MAX: usize = 10;

/// What a client has been shown, in its order.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// It is known now, and had these conversations before: each up to a sequence.
    Connected(Vec<(RoomNumber, Sequence)>),
    /// It is in a room, whose feed begins behind this.
    Admitted { room: RoomNumber, name: String, upto: Sequence },
    /// It is not in a room any more.
    Dismissed { name: String },
    /// A kept fact, from the feed of a room or the inbox.
    Fact { room: RoomNumber, sequence: Sequence, from: Feed },
    /// A fact of its own has been passed, and is going to come.
    Owed { room: RoomNumber, sequence: Sequence },
    /// Something that it said is kept.
    Acknowledged { nonce: Nonce, room: RoomNumber, sequence: Sequence },
    /// It lagged, and missed these.
    Skipped { from: Feed, room: RoomNumber, missed: RangeInclusive<u64> },
    /// A word of its session about the past.
    Past(PastWord),
    /// It is told nothing more of the past.
    Over,
}

/// Through which feed something came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Feed {
    Room,
    Inbox,
}

/// What a session of the test dialect says about the past that it hands on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PastWord {
    /// What happens now waits.
    Waits,
    /// All that was asked of the past is out.
    GoesOn,
    /// Of this room, what is behind this sequence is coming; if it is none, only the latest, as it stands now.
    Begins { room: RoomNumber, behind: Option<Sequence> },
    /// These, by a replay.
    Replayed { room: RoomNumber, sequences: Vec<u64> },
    /// The latest, as they stand now.
    Latest { room: RoomNumber, sequences: Vec<u64> },
    /// These, which were skipped; up to `covered` there is no more.
    Filled { room: RoomNumber, covered: u64, sequences: Vec<u64> },
    /// These cannot be had.
    Unavailable { room: RoomNumber, missing: RangeInclusive<u64> },
}

impl PastWord {
    /// Understands a line of the test dialect.
    pub(crate) fn parse(line: &str) -> Option<PastWord> {
        let mut words = line.split_whitespace();
        let verb = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        Some(match verb {
            "W" => PastWord::Waits,
            "O" => PastWord::GoesOn,
            "B" => {
                let room = RoomNumber(number()? as u32);
                PastWord::Begins { room, behind: number().map(Sequence) }
            }
            "D" => PastWord::Replayed {
                room: RoomNumber(number()? as u32),
                sequences: std::iter::from_fn(number).collect(),
            },
            "L" => PastWord::Latest {
                room: RoomNumber(number()? as u32),
                sequences: std::iter::from_fn(number).collect(),
            },
            "G" => PastWord::Filled {
                room: RoomNumber(number()? as u32),
                covered: number()?,
                sequences: std::iter::from_fn(number).collect(),
            },
            "X" => {
                PastWord::Unavailable { room: RoomNumber(number()? as u32), missing: number()?..=number()? }
            }
            _ => return None,
        })
    }
}

/// The client of this number.
pub(crate) fn client_id(client: u64) -> ClientId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&client.to_le_bytes());
    ClientId(id)
}

/// A client between and during its connections.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) client: u64,
    /// Whether it knows its secret: it was shown the welcome that says it, or has it from somebody else.
    pub(crate) knows_secret: bool,
    /// Of the rooms that it is in, or was when the connection ended.
    pub(crate) room_names: BTreeSet<String>,
    by_room: BTreeMap<RoomNumber, Shown>,
    /// Where the feeds begin, of rooms and conversations that it was just told of.
    uptos: BTreeMap<RoomNumber, Sequence>,
    /// Whether messages were skipped in the inbox: then nobody says of which conversations.
    is_inbox_torn: bool,
    /// Whether what happens waits for the past.
    waits: bool,
    /// Whether what it is told alone may come before what happened earlier.
    hears_early: HearsEarly,
    /// What it said and what it typed to say it.
    unacknowledged: VecDeque<(String, String)>,
    /// Facts of its own that it was shown late, or not at all because the connection ended before: these it says again.
    owed: BTreeSet<(RoomNumber, Sequence)>,
    /// What it said itself, and where.
    pub(crate) own: VecDeque<(RoomNumber, Sequence)>,
    pub(crate) counts: Counts,
}

/// Whether private words may come before what happened earlier: that somebody is in a room again, before what was said while
/// it was there the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HearsEarly {
    Never,
    InTrouble,
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) replayed: u64,
    pub(crate) filled: u64,
    pub(crate) acknowledged: u64,
    pub(crate) unavailable: u64,
}

/// What a client has seen of one room in this connection.
#[derive(Clone, Debug)]
struct Shown {
    from: Feed,
    /// Everything up to here it had before, or never asked for.
    base: Sequence,
    /// Its feed begins behind this.
    upto: Sequence,
    /// What the replay goes on behind, while there is one.
    replaying: Option<Sequence>,
    seen: BTreeSet<Sequence>,
    last_live: Sequence,
    /// Of the last stay in the room, if what was shown there may still come, because it waited for a replay.
    last_stay: Option<BTreeSet<Sequence>>,
    holes: Vec<Hole>,
    /// In the inbox, nobody says what is missing behind this.
    torn_behind: Option<Sequence>,
}

#[derive(Clone, Debug)]
struct Hole {
    missing: RangeInclusive<u64>,
    is_given_up: bool,
}

impl Shown {
    fn new(from: Feed, base: Sequence, upto: Sequence) -> Shown {
        Shown {
            from,
            base,
            upto,
            replaying: None,
            seen: BTreeSet::new(),
            last_live: upto,
            last_stay: None,
            holes: Vec::new(),
            torn_behind: None,
        }
    }

    fn last(&self) -> Sequence {
        self.seen.last().copied().unwrap_or_default().max(self.base)
    }

    /// Up to here nothing is missing.
    fn mark(&self) -> Sequence {
        let holes = self.holes.iter().map(|hole| Sequence(hole.missing.start().saturating_sub(1)));
        holes.chain(self.torn_behind).fold(self.last(), Sequence::min)
    }

    fn see(&mut self, sequence: Sequence) -> Result<(), String> {
        if sequence <= self.base || !self.seen.insert(sequence) {
            return Err(format!("number {} is shown again", sequence.0));
        }
        Ok(())
    }

    fn live(&mut self, sequence: Sequence) -> Result<(), String> {
        if let Some(last_stay) = self.last_stay.as_mut().filter(|_| sequence <= self.upto) {
            let is_new = last_stay.insert(sequence);
            return if is_new { Ok(()) } else { Err(format!("number {} is shown again", sequence.0)) };
        }
        if sequence <= self.last_live {
            return Err(format!("number {} comes live behind {}", sequence.0, self.last_live.0));
        }
        self.last_live = sequence;
        self.see(sequence)
    }

    fn replayed(&mut self, sequences: &[u64]) -> Result<(), String> {
        let Some(mut last) = self.replaying else { return Err("a replay that never began".into()) };
        for sequence in sequences {
            let sequence = Sequence(*sequence);
            if sequence <= last || sequence > self.upto {
                return Err(format!("{} is replayed behind {} up to {}", sequence.0, last.0, self.upto.0));
            }
            self.see(sequence)?;
            last = sequence;
        }
        self.replaying = Some(last);
        Ok(())
    }

    fn filled(&mut self, covered: u64, sequences: &[u64]) -> Result<(), String> {
        let Some(at) = self.holes.iter().position(|hole| !hole.is_given_up) else {
            return Err("what is filled was not missing".into());
        };
        let missing = self.holes[at].missing.clone();
        if !missing.contains(&covered)
            || !sequences.iter().all(|sequence| (*missing.start()..=covered).contains(sequence))
        {
            return Err(format!("{missing:?} is filled by {sequences:?} up to {covered}"));
        }
        for sequence in sequences {
            self.see(Sequence(*sequence))?;
        }
        let left = covered + 1..=*missing.end();
        if left.is_empty() {
            self.holes.remove(at);
        } else {
            self.holes[at].missing = left;
        }
        Ok(())
    }

    fn unavailable(&mut self, missing: RangeInclusive<u64>) {
        self.replaying = None;
        self.holes.retain(|hole| hole.is_given_up || hole.missing.end() != missing.end());
        self.holes.push(Hole { missing, is_given_up: true });
    }

    /// The connection is over or does not go on with a replay: what is missing of it is missing.
    fn break_off(&mut self) {
        if let Some(last) = self.replaying.take() {
            self.unavailable(last.0 + 1..=self.upto.0);
        }
    }

    /// Whether it is said that this is missing.
    fn is_excused(&self, sequence: Sequence) -> bool {
        self.torn_behind.is_some_and(|behind| sequence > behind)
            || self.holes.iter().any(|hole| hole.is_given_up && hole.missing.contains(&sequence.0))
    }
}

impl Device {
    pub(crate) fn new(client: u64) -> Device {
        Device {
            client,
            knows_secret: false,
            room_names: BTreeSet::new(),
            by_room: BTreeMap::new(),
            uptos: BTreeMap::new(),
            is_inbox_torn: false,
            waits: false,
            hears_early: HearsEarly::Never,
            unacknowledged: VecDeque::new(),
            owed: BTreeSet::new(),
            own: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// The same where private words pass what nobody is shown while nothing becomes durable.
    pub(crate) fn hearing_early(self, hears_early: HearsEarly) -> Device {
        Device { hears_early, ..self }
    }

    /// One whose secret somebody else has, too.
    pub(crate) fn sharing(client: u64) -> Device {
        Device { knows_secret: true, ..Device::new(client) }
    }

    /// How far it has seen each room.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (RoomNumber, Sequence)> + '_ {
        self.by_room.iter().map(|(room, shown)| (*room, shown.mark()))
    }

    /// What it typed to say something that has not been acknowledged, and the label of that.
    pub(crate) fn unacknowledged(&self) -> impl Iterator<Item = &(String, String)> {
        self.unacknowledged.iter()
    }

    /// It says something.
    pub(crate) fn says(&mut self, label: &str, line: &str) {
        self.unacknowledged.push_back((label.into(), line.into()));
        if self.unacknowledged.len() > UNACKNOWLEDGED_MAX {
            self.unacknowledged.pop_front();
        }
    }

    /// The connection is gone. What it cannot be sure of it forgets: it is going to ask for it.
    pub(crate) fn disconnected(&mut self) {
        if !self.knows_secret {
            // Whoever was never told who it is comes as somebody else, and cannot say anything again.
            self.client += CLIENTS;
            self.unacknowledged.clear();
        }
        self.is_inbox_torn = false;
        self.waits = false;
        self.uptos.clear();
        for shown in self.by_room.values_mut() {
            shown.break_off();
            let mark = shown.mark();
            *shown = Shown::new(shown.from, mark, mark);
        }
    }

    /// What it has seen of each room: from where, up to where nothing may be missing, and what it has.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (RoomNumber, Sequence, Sequence, &BTreeSet<Sequence>)> {
        self.by_room.iter().map(|(room, shown)| (*room, shown.base, shown.mark(), &shown.seen))
    }

    /// Whether it may have been shown what came behind this fact of its own, and not this.
    pub(crate) fn is_owed(&self, room: RoomNumber, sequence: Sequence) -> bool {
        self.owed.contains(&(room, sequence))
    }

    /// The connection is gone, and these facts of its own were not shown.
    pub(crate) fn was_owed(&mut self, facts: impl Iterator<Item = (RoomNumber, Sequence)>) {
        self.owed.extend(facts);
    }

    /// Whether it was told that it does not have this.
    pub(crate) fn is_excused(&self, room: RoomNumber, sequence: Sequence) -> bool {
        self.is_owed(room, sequence)
            || self.by_room.get(&room).is_some_and(|shown| shown.is_excused(sequence))
    }

    /// Whether something is still on its way that it was told it missed.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits =
            |shown: &Shown| shown.replaying.is_some() || shown.holes.iter().any(|hole| !hole.is_given_up);
        self.by_room.values().any(waits)
    }

    /// It has been shown this.
    pub(crate) fn take(&mut self, delivery: Delivery) -> Result<(), String> {
        match delivery {
            Delivery::Connected(conversations) => {
                self.knows_secret = true;
                self.uptos.extend(conversations);
                Ok(())
            }
            Delivery::Admitted { room, name, upto } => {
                self.room_names.insert(name);
                self.uptos.insert(room, upto);
                Ok(())
            }
            Delivery::Dismissed { name } => {
                self.room_names.remove(&name);
                Ok(())
            }
            Delivery::Fact { room, sequence, from } => {
                self.fact(room, sequence, from).map_err(|wrong| format!("in room {room} {wrong}"))
            }
            Delivery::Owed { room, sequence } => {
                self.owed.insert((room, sequence));
                Ok(())
            }
            Delivery::Acknowledged { nonce, room, sequence } => {
                self.acknowledged(&nonce, room, sequence);
                Ok(())
            }
            Delivery::Skipped { from: Feed::Room, room, missed } => self.skipped(room, missed),
            Delivery::Skipped { from: Feed::Inbox, .. } => {
                self.tear_inbox();
                Ok(())
            }
            Delivery::Past(word) => self.past(&word).map_err(|wrong| format!("{word:?}: {wrong}")),
            Delivery::Over => {
                self.by_room.values_mut().for_each(Shown::break_off);
                Ok(())
            }
        }
    }

    fn fact(&mut self, room: RoomNumber, sequence: Sequence, from: Feed) -> Result<(), String> {
        if self.owed.contains(&(room, sequence)) {
            // It may have been on a page, too.
            if let Some(shown) = self.by_room.get_mut(&room).filter(|shown| shown.base < sequence) {
                shown.seen.insert(sequence);
            }
            return Ok(());
        }
        if !self.by_room.contains_key(&room) {
            if from == Feed::Room {
                return Err(format!("number {} is shown before the room", sequence.0));
            }
            // A conversation that has just begun.
            let mut shown = Shown::new(from, Sequence(0), Sequence(0));
            shown.torn_behind = self.is_inbox_torn.then_some(Sequence(0));
            self.by_room.insert(room, shown);
        }
        self.by_room.get_mut(&room).map_or(Ok(()), |shown| shown.live(sequence))
    }

    fn acknowledged(&mut self, nonce: &Nonce, room: RoomNumber, sequence: Sequence) {
        self.counts.acknowledged += 1;
        self.unacknowledged.retain(|(label, _)| label != nonce.as_str());
        self.own.push_back((room, sequence));
        if self.own.len() > OWN_MAX {
            self.own.pop_front();
        }
    }

    fn skipped(&mut self, room: RoomNumber, missing: RangeInclusive<u64>) -> Result<(), String> {
        if missing.is_empty() {
            return Ok(());
        }
        let shown = self.by_room.get_mut(&room).ok_or("a skip in a room that was never entered")?;
        // Otherwise it is of the last stay.
        if *missing.end() > shown.upto.0 {
            shown.holes.push(Hole { missing, is_given_up: false });
        }
        Ok(())
    }

    fn tear_inbox(&mut self) {
        self.is_inbox_torn = true;
        for shown in self.by_room.values_mut().filter(|shown| shown.from == Feed::Inbox) {
            shown.torn_behind = Some(shown.mark());
        }
    }

    fn past(&mut self, word: &PastWord) -> Result<(), String> {
        match word {
            PastWord::Waits => {
                self.waits = true;
                Ok(())
            }
            PastWord::GoesOn => {
                self.waits = false;
                self.by_room.values_mut().for_each(|shown| shown.replaying = None);
                Ok(())
            }
            PastWord::Begins { room, behind } => self.begins(*room, *behind),
            PastWord::Replayed { room, sequences } => {
                self.counts.replayed += sequences.len() as u64;
                self.shown(*room)?.replayed(sequences)
            }
            PastWord::Latest { room, sequences } => {
                let upto = self.shown(*room)?.upto.0;
                let is_fine = sequences.is_sorted_by(|one, other| one < other)
                    && sequences.last().is_none_or(|last| *last <= upto);
                if is_fine { Ok(()) } else { Err(format!("the latest up to {upto}")) }
            }
            PastWord::Filled { room, covered, sequences } => {
                self.counts.filled += sequences.len() as u64;
                self.shown(*room)?.filled(*covered, sequences)
            }
            PastWord::Unavailable { room, missing } => {
                self.counts.unavailable += 1;
                self.shown(*room)?.unavailable(missing.clone());
                Ok(())
            }
        }
    }

    fn shown(&mut self, room: RoomNumber) -> Result<&mut Shown, String> {
        self.by_room.get_mut(&room).ok_or_else(|| "of a room that was never entered".into())
    }

    fn begins(&mut self, room: RoomNumber, behind: Option<Sequence>) -> Result<(), String> {
        let upto = self.uptos.remove(&room).ok_or("of a room that was not entered")?;
        let known = self.by_room.get(&room);
        let from = known.map_or(Feed::Room, |shown| shown.from);
        let may_come = self.waits || self.hears_early == HearsEarly::InTrouble;
        let last_stay = known.filter(|_| may_come).map(|_| BTreeSet::new());
        let Some(behind) = behind else {
            let mut shown = Shown::new(from, upto, upto);
            shown.last_stay = last_stay;
            self.by_room.insert(room, shown);
            return Ok(());
        };
        let mark = known.map_or(Sequence(0), Shown::mark);
        if behind != mark {
            return Err(format!("but it has everything up to {}", mark.0));
        }
        // A conversation with somebody who wrote while it was away is not known before.
        let from = if known.is_none() { Feed::Inbox } else { from };
        let mut shown = Shown::new(from, behind, upto.max(behind));
        shown.replaying = (upto > behind).then_some(behind);
        if self.hears_early == HearsEarly::InTrouble {
            shown.last_stay = last_stay;
        }
        self.by_room.insert(room, shown);
        Ok(())
    }
}
