//! What holds whatever happens: `apply` is total, its indices agree, replays end where the original ended, and numbers
//! are never used twice. What people see is tested by the transcripts in `tests/`; this module needs the private fields.

use crate::event::{Author, Who};
use crate::hub::{Looks, Member, RoomKind, Sum};
use crate::*;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

// ---- what always holds ----

impl Hub {
    /// Panics if two indices disagree.
    fn check(&self) {
        self.check_nicks();
        self.check_rooms();
        self.check_both_sides();
        self.check_sums();
        self.check_closable();
    }

    fn check_nicks(&self) {
        assert_eq!(self.nicks.len(), self.members.len());
        let mut looks: BTreeMap<Look, Looks> = BTreeMap::new();
        for (id, member) in &self.members {
            let nick = &member.nick;
            assert_eq!(self.nicks.get(&nick.key), Some(id));
            looks.entry(nick.look).or_default().add(nick);
        }
        assert_eq!(looks, self.looks);
        for look in looks.values() {
            assert!(look.other == 0 || (look.other == 1 && look.ascii == 0), "look-alikes: {look:?}");
        }
    }

    fn check_rooms(&self) {
        let mut open = 0;
        for (number, room) in &self.rooms {
            assert!(*number < self.next_room);
            let those = |presence| {
                let is_there =
                    move |member: &Member| member.presence() == presence && member.rooms.contains(number);
                self.members.iter().filter(move |(_, member)| is_there(member)).map(|(id, _)| *id)
            };
            assert_eq!(room.members, those(Presence::Visible).collect());
            assert_eq!(room.listeners, those(Presence::Listening).collect());
            if let RoomKind::Open(name) = &room.kind {
                open += 1;
                assert_eq!(self.names.get(&name.key), Some(number));
            } else {
                assert!(room.head_count() == 0 && room.sum.is_none());
            }
        }
        assert_eq!(self.names.len(), open);
        for member in self.members.values() {
            assert!(member.rooms.is_sorted_by(|one, other| one < other));
            assert!(member.rooms.iter().all(|number| self.rooms.contains_key(number)));
        }
    }

    fn check_both_sides(&self) {
        for ((one, other), number) in &self.conversations {
            assert_ne!(one, other);
            assert_eq!(self.conversations.get(&(*other, *one)), Some(number));
            let kind = self.rooms.get(number).map(|room| &room.kind);
            let Some(RoomKind::Conversation(parties, _)) = kind else { panic!("no conversation: {kind:?}") };
            assert_eq!(*parties, [*one.min(other), *one.max(other)]);
        }
        let rooms = self.rooms.values().filter(|room| matches!(room.kind, RoomKind::Conversation(..)));
        assert_eq!(self.conversations.len(), 2 * rooms.count());
    }

    fn check_sums(&self) {
        let due = |sum: &Sum| sum.due;
        let planned = self.rooms.iter().filter_map(|(number, room)| Some((due(room.sum.as_ref()?), *number)));
        assert_eq!(self.sums, planned.collect());
    }

    fn check_closable(&self) {
        for number in &self.closable {
            let room = self.rooms.get(number).expect("only rooms that exist can be closed");
            let is_open = matches!(room.kind, RoomKind::Open(_));
            assert!(!is_open || !self.stays_open(room), "room {number} is needed");
        }
        for number in self.conversations.values() {
            let deserted = self.rooms.get(number).is_some_and(|room| !self.stays_open(room));
            assert!(!deserted || self.closable.contains(number), "conversation {number} is deserted");
        }
    }
}

fn member(count: u64) -> MemberId {
    MemberId::mint(0, count)
}

fn who(count: u64) -> Who {
    Who { member: member(count), nick: format!("nick-{count}").into(), address: None }
}

fn parties_of(one: &Who, other: &Who) -> [Party; 2] {
    [Party::Guest(one.member), Party::Guest(other.member)]
}

fn room_name(raw: &str) -> RoomName {
    RoomName::parse(raw).unwrap()
}

fn nick(raw: &str) -> Nick {
    Nick::parse(raw).unwrap()
}

/// Every bound can be reached by a few members.
fn narrow() -> Settings {
    Settings {
        announce_max: 2,
        members_max: 5,
        rooms_max: 4,
        members_of_room_max: 4,
        rooms_of_member_max: 3,
        ignored_max: 2,
        conversations_max: 2,
        page_lines_max: 2,
        ..Settings::new(room_name("lobby"))
    }
}

fn wide() -> Settings {
    Settings { announce_max: 1, ..Settings::new(room_name("lobby")) }
}

/// A record right behind the last one.
fn next(hub: &Hub, fact: Fact) -> Record {
    Record { position: hub.position.next(), time: Time(0), fact }
}

fn tell(hub: &mut Hub, fact: Fact) -> Vec<Told> {
    let mut told = Vec::new();
    hub.apply(next(hub, fact), &mut told);
    hub.check();
    told
}

fn connected(count: u64, raw: &str) -> Fact {
    Fact::Connected {
        member: member(count),
        nick: nick(raw),
        presence: Presence::Visible,
        address: None,
        client: None,
    }
}

// ---- any facts in any order ----

fn any_member() -> impl Strategy<Value = MemberId> {
    prop_oneof![9 => (0..5_u64).prop_map(member), 1 => Just(MemberId::mint(u8::MAX, u64::MAX))]
}

fn any_who() -> impl Strategy<Value = Who> {
    (0..5_u64).prop_map(who)
}

fn any_room() -> impl Strategy<Value = RoomNumber> {
    prop_oneof![19 => (0..9_u32).prop_map(RoomNumber), 1 => Just(RoomNumber(u32::MAX))]
}

/// Few names, some of which are one, some of which look like one.
fn any_nick() -> impl Strategy<Value = Nick> {
    let names =
        vec!["ann", "Ann", "ａｎｎ", "аnn", "modern", "rnodern", "mоdern", "guеst-00001", "Guest-00001"];
    prop_oneof![prop::sample::select(names).prop_map(nick), (0..3_u32).prop_map(Nick::guest),]
}

fn any_presence() -> impl Strategy<Value = Presence> {
    prop::sample::select(vec![Presence::Visible, Presence::Listening])
}

fn any_line() -> impl Strategy<Value = Option<Line>> {
    prop::option::of(Just(Line::new("because", 10).unwrap()))
}

fn any_text() -> impl Strategy<Value = Text> {
    Just(Text::new("hello").unwrap())
}

fn any_author() -> impl Strategy<Value = Author> {
    let door = Author::Door { kind: DoorKind::Web, label: "ann".into() };
    prop_oneof![4 => any_who().prop_map(Author::Member), 1 => Just(door)]
}

fn any_sequence() -> impl Strategy<Value = Sequence> {
    prop_oneof![19 => (0..20_u64).prop_map(Sequence), 1 => Just(Sequence(u64::MAX))]
}

fn any_manner() -> impl Strategy<Value = Manner> {
    prop::sample::select(vec![Manner::Saying, Manner::Acting])
}

fn any_hearing() -> impl Strategy<Value = Hearing> {
    prop::sample::select(vec![Hearing::Nothing, Hearing::Everything])
}

fn any_room_name() -> impl Strategy<Value = RoomName> {
    prop::sample::select(vec!["lobby", "dev", "DEV", "ops"]).prop_map(room_name)
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => (any_member(), any_nick(), any_presence())
            .prop_map(|(member, nick, presence)| Fact::Connected { member, nick, presence, address: None, client: None }),
        1 => any_member().prop_map(|member| Fact::Appeared { member }),
        3 => (any_room_name(), prop::option::of(any_member())).prop_map(|(name, by)| Fact::Opened { name, by }),
        4 => (any_member(), any_room()).prop_map(|(member, room)| Fact::Joined { member, room }),
        2 => (any_member(), any_room()).prop_map(|(member, room)| Fact::Left { member, room }),
        2 => (any_author(), any_room(), any_text(), any_manner())
            .prop_map(|(author, room, text, manner)| Fact::Said { author, room, text, manner, signature: None }),
        2 => (any_who(), any_who(), any_text()).prop_map(|(from, to, text)| Fact::Directed { parties: parties_of(&from, &to), from, to, text, signature: None }),
        2 => (any_member(), any_nick()).prop_map(|(member, nick)| Fact::Renamed { member, nick }),
        1 => (any_who(), any_room(), any_line()).prop_map(|(by, room, topic)| Fact::TopicSet { by, room, topic, signature: None }),
        1 => (any_member(), any_member(), any_hearing())
            .prop_map(|(member, other, hearing)| Fact::Ignored { member, other, hearing }),
        1 => (any_member(), any_line()).prop_map(|(member, message)| Fact::Away { member, message }),
        1 => (any_member(), any_line()).prop_map(|(member, reason)| Fact::Quit { member, reason }),
        1 => any_room().prop_map(|room| Fact::Summed { room }),
        1 => any_room().prop_map(|room| Fact::Closed { room }),
        1 => (any_room(), any_sequence(), any_sequence())
            .prop_map(|(room, from, to)| Fact::Lost { room, from, to }),
    ]
}

/// Positions that grow, stay, fall back, or are the last that there are.
fn any_record() -> impl Strategy<Value = (u64, Record)> {
    let step = prop_oneof![30 => Just(1_u64), 3 => Just(0), 3 => 2..5_u64, 1 => Just(u64::MAX / 4)];
    let time = prop_oneof![9 => 0..5_000_u64, 1 => Just(u64::MAX)];
    (step, time, any_fact())
        .prop_map(|(step, time, fact)| (step, Record { position: Position(0), time: Time(time), fact }))
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(any_record(), 0..120).prop_map(|steps| {
        let mut position = 0_u64;
        let mut place = |(step, record): (u64, Record)| {
            position = position.saturating_add(step);
            Record { position: Position(position), ..record }
        };
        steps.into_iter().map(&mut place).collect()
    })
}

fn sequences(hub: &Hub) -> BTreeMap<RoomNumber, Sequence> {
    hub.rooms.iter().map(|(number, room)| (*number, room.sequence)).collect()
}

/// In each room the sequence stays, or grows by one, or jumps behind what is recorded as lost.
fn check_no_gaps(before: &BTreeMap<RoomNumber, Sequence>, after: &Hub, fact: &Fact) {
    for (number, sequence) in sequences(after) {
        let last = before.get(&number).copied().unwrap_or_default();
        match fact {
            Fact::Lost { room, from, to } if *room == number && sequence != last => {
                assert_eq!((*from, sequence), (last.next(), to.next()));
            }
            _ => assert!(sequence == last || sequence == last.next(), "a gap: {last:?} to {sequence:?}"),
        }
    }
}

proptest! {
    #[test]
    fn any_facts_in_any_order_leave_a_sound_hub(records in any_records()) {
        let mut hub = Hub::new(wide());
        for record in records {
            let (position, time, fact) = (record.position, record.time, record.fact.clone());
            let is_old = position <= hub.position;
            let before = (is_old.then(|| hub.clone()), sequences(&hub));
            let mut told = Vec::new();
            hub.apply(record, &mut told);
            hub.check();
            check_no_gaps(&before.1, &hub, &fact);
            prop_assert!(told.iter().all(|told| told.position == position && told.time == time));
            if let Some(unchanged) = before.0 {
                prop_assert!(told.is_empty() && hub == unchanged);
            }
        }
        // The chores come to an end, whatever has happened.
        let rooms = hub.rooms.len();
        for _ in 0..=2 * rooms {
            if let Some(chore) = hub.chore(Time(u64::MAX)) {
                tell(&mut hub, chore);
            }
        }
        prop_assert!(hub.position == Position(u64::MAX) || hub.chore(Time(u64::MAX)).is_none());
    }
}

// ---- any commands ----

/// A command of one of a few members, with whatever time has passed before.
fn any_command() -> impl Strategy<Value = (u64, u64, Command)> {
    let place = || {
        prop_oneof![
            4 => prop::sample::select(vec!["lobby", "#dev", "OPS", "nowhere", "-"])
                .prop_map(|name| Place::Name(name.into())),
            1 => any_room().prop_map(Place::Number),
        ]
    };
    let raw_nick = || {
        let names = vec!["ann", "Ann", "аnn", "bob", "guest-00001", "guеst-00001", "2", ""];
        prop::sample::select(names).prop_map(String::from)
    };
    let connect = (0..4_u32, any_presence());
    let command = prop_oneof![
        6 => connect.prop_map(|(guest, presence)| Command::Connect { guest, presence, address: None, nick: None, client: None }),
        1 => Just(Command::Appear),
        6 => prop::sample::select(vec!["lobby", "#dev", "DEV", "ops", "four", "five", "-"])
            .prop_map(|room| Command::Join { room: room.into() }),
        3 => place().prop_map(|room| Command::Leave { room }),
        4 => (place(), any_text()).prop_map(|(room, text)| Command::Say { room, text, nonce: None }),
        1 => (place(), any_text()).prop_map(|(room, text)| Command::Act { room, text, nonce: None }),
        4 => (raw_nick(), any_text()).prop_map(|(to, text)| Command::Direct { to, text, nonce: None }),
        4 => raw_nick().prop_map(|nick| Command::Nick { nick }),
        2 => (place(), prop::sample::select(vec!["", "topic"]))
            .prop_map(|(room, topic)| Command::SetTopic { room, topic: topic.into(), nonce: None }),
        1 => place().prop_map(|room| Command::Topic { room }),
        1 => (place(), prop::option::of(any_member())).prop_map(|(room, after)| Command::Who { room, after }),
        1 => any_room().prop_map(|room| Command::Picture { room }),
        1 => Just(Command::Rooms { after: Some("dev".into()) }),
        2 => raw_nick().prop_map(|nick| Command::Ignore { nick }),
        1 => Just(Command::Ignored),
        1 => (prop::sample::select(vec![Among::Nicks, Among::Rooms]), raw_nick())
            .prop_map(|(among, beginning)| Command::Complete { among, beginning }),
        1 => prop::sample::select(vec!["", "lunch"]).prop_map(|message| Command::Away { message: message.into() }),
        2 => Just(Command::Quit { reason: "bye".into() }),
    ];
    (0..400_u64, 0..6_u64, command)
}

fn any_commands() -> impl Strategy<Value = Vec<(u64, u64, Command)>> {
    prop::collection::vec(any_command(), 0..150)
}

/// A hub at work, with all that it has recorded and told.
struct Run {
    hub: Hub,
    now: Time,
    records: Vec<Record>,
    told: Vec<Told>,
}

impl Run {
    fn new(hub: Hub) -> Run {
        Run { hub, now: Time(0), records: Vec::new(), told: Vec::new() }
    }

    /// Proposes and applies, as the desk does, chores included.
    fn perform(&mut self, commands: &[(u64, u64, Command)]) {
        for (ms, count, command) in commands {
            self.now = self.now.after_ms(*ms);
            self.chores();
            let speaker = Speaker::Member(member(*count));
            if let Ok(Proposal::Fact(fact)) = self.hub.propose(&speaker, command) {
                self.apply(fact);
            }
            self.chores();
        }
    }

    fn chores(&mut self) {
        while let Some(fact) = self.hub.chore(self.now) {
            self.apply(fact);
        }
    }

    fn apply(&mut self, fact: Fact) {
        let record = Record { position: self.hub.position.next(), time: self.now, fact };
        let before = sequences(&self.hub);
        self.hub.apply(record.clone(), &mut self.told);
        self.hub.check();
        check_no_gaps(&before, &self.hub, &record.fact);
        self.records.push(record);
    }

    /// What the journal puts aside when it commits now.
    fn commit(&mut self) -> Reservation {
        let reservation = self.hub.reservation(self.hub.rooms.keys().copied());
        self.hub.reserve(&reservation);
        reservation
    }

    /// What a replay of the journal gives to a new process.
    fn replayed(&self, snapshot: &Snapshot) -> Hub {
        let mut hub = Hub::restore(self.hub.settings.clone(), snapshot);
        for record in self.records.iter().filter(|record| record.fact.is_kept()) {
            hub.apply(record.clone(), &mut Vec::new());
            hub.check();
        }
        hub
    }

    /// Every number that somebody may have seen: rooms, and sequences in them.
    fn seen(&self) -> (BTreeSet<RoomNumber>, BTreeSet<(RoomNumber, Sequence)>) {
        let mut rooms: BTreeSet<RoomNumber> = self.hub.rooms.keys().copied().collect();
        let mut kept = BTreeSet::new();
        for told in &self.told {
            let room = match &told.event {
                Event::Directed { conversation, .. } => Some(*conversation),
                Event::Admitted(view) => Some(view.room.number),
                _ => match &told.audience {
                    Audience::Room(room) => Some(*room),
                    _ => None,
                },
            };
            rooms.extend(room);
            kept.extend(room.zip(told.event.sequence()));
        }
        (rooms, kept)
    }
}

proptest! {
    #[test]
    fn bounds_hold_and_nothing_is_forgotten_to_be_closed(commands in any_commands()) {
        let mut run = Run::new(Hub::new(narrow()));
        for command in commands {
            run.perform(&[command]);
            let (hub, settings) = (&run.hub, narrow());
            prop_assert!(hub.members.len() <= settings.members_max as usize);
            prop_assert!(hub.names.len() <= settings.rooms_max as usize);
            for room in hub.rooms.values() {
                prop_assert!(room.head_count() <= settings.members_of_room_max);
                prop_assert!(hub.stays_open(room), "nobody needs {room:?}");
            }
            let begun_max = hub.members.len() * settings.conversations_max as usize;
            prop_assert!(hub.conversations.len() <= 2 * begun_max);
            for member in hub.members.values() {
                prop_assert!(member.rooms.len() <= settings.rooms_of_member_max as usize);
                prop_assert!(member.ignored().filter(|id| hub.members.contains_key(id)).count() <= 2);
            }
        }
    }

    #[test]
    fn nothing_that_was_proposed_is_refused_when_it_is_applied_at_once(commands in any_commands()) {
        let mut run = Run::new(Hub::new(narrow()));
        run.perform(&commands);
        let refused = run.told.iter().find(|told| matches!(told.event, Event::Refused { .. }));
        prop_assert_eq!(refused, None);
    }

    #[test]
    fn the_same_records_give_the_same_hub_and_the_same_events(commands in any_commands()) {
        let mut run = Run::new(Hub::new(wide()));
        run.perform(&commands);
        let mut hub = Hub::new(wide());
        let mut told = Vec::new();
        for record in run.records {
            hub.apply(record.clone(), &mut told);
            hub.apply(record, &mut told);
        }
        prop_assert_eq!(hub, run.hub);
        prop_assert_eq!(told, run.told);
    }

    #[test]
    fn a_snapshot_and_the_kept_facts_behind_it_are_all_that_is_kept(
        before in any_commands(),
        after in any_commands(),
    ) {
        let mut run = Run::new(Hub::new(wide()));
        run.perform(&before);
        let snapshot = run.hub.snapshot();
        run.perform(&after);
        let all = run.hub.snapshot();
        for from in [&Hub::new(wide()).snapshot(), &snapshot] {
            let replayed = run.replayed(from).snapshot();
            prop_assert_eq!((&replayed.next_room, &replayed.rooms), (&all.next_room, &all.rooms));
        }
    }

    #[test]
    fn a_restart_uses_no_number_again_and_says_what_is_lost(
        before in any_commands(),
        journaled in any_commands(),
        lost in any_commands(),
        after in any_commands(),
    ) {
        let mut run = Run::new(Hub::new(wide()));
        run.perform(&before);
        run.commit();
        let snapshot = run.hub.snapshot();
        run.perform(&journaled);
        let reservation = run.commit();
        let mut hub = run.replayed(&snapshot);
        run.perform(&lost);
        let seen = run.seen();

        hub.recover(&reservation);
        let mut restarted = Run::new(hub);
        restarted.now = run.now;
        for fact in restarted.hub.losses(&reservation) {
            restarted.apply(fact);
        }
        restarted.chores();
        restarted.commit();
        prop_assert!(restarted.hub.position > run.hub.position);
        prop_assert!(restarted.hub.conversations.is_empty());
        check_all_lost_are_told(&seen.1, &reservation, &restarted);

        let known: BTreeSet<RoomNumber> = restarted.hub.rooms.keys().copied().collect();
        restarted.perform(&after);
        let seen_again = restarted.seen();
        let reused: Vec<_> = seen_again.0.difference(&known).filter(|room| seen.0.contains(room)).collect();
        prop_assert!(reused.is_empty(), "rooms {:?} are used again", reused);
        prop_assert!(seen.1.is_disjoint(&seen_again.1));
    }
}

proptest! {
    #[test]
    fn sums_are_exact_name_nobody_twice_and_keep_their_interval(commands in any_commands()) {
        let mut run = Run::new(Hub::new(wide()));
        run.perform(&commands);
        let mut summed_at: BTreeMap<RoomNumber, Time> = BTreeMap::new();
        let mut untold: BTreeMap<RoomNumber, i64> = BTreeMap::new();
        for told in &run.told {
            for (room, change) in changes_in_sum(told) {
                *untold.entry(room).or_default() += change;
            }
            let Event::Summed { room, arrived, departed } = &told.event else { continue };
            prop_assert_eq!(untold.remove(&room.number), Some(heads(arrived) - heads(departed)));
            let earliest = summed_at.insert(room.number, told.time).map(|last| last.after_ms(1000));
            prop_assert!(earliest.is_none_or(|earliest| earliest <= told.time));
        }
    }
}

/// By how much each room's sum must have changed.
fn changes_in_sum(told: &Told) -> Vec<(RoomNumber, i64)> {
    let rooms = match &told.audience {
        Audience::Room(room) => vec![*room],
        Audience::Rooms(rooms) => rooms.clone(),
        _ => Vec::new(),
    };
    let change = match &told.event {
        Event::Joined { announced: Announced::InSum, .. } => 1,
        Event::Left { announced: Announced::InSum, .. } | Event::Quit { announced: Announced::InSum, .. } => {
            -1
        }
        _ => return Vec::new(),
    };
    rooms.into_iter().map(|room| (room, change)).collect()
}

fn heads(crowd: &Crowd) -> i64 {
    let names: BTreeSet<_> = crowd.nicks.iter().collect();
    assert_eq!(names.len(), crowd.nicks.len(), "somebody is named twice");
    i64::from(crowd.others) + names.len().cast_signed() as i64
}

/// Of every room that is still there, what was seen is kept or in a range that was told as lost.
fn check_all_lost_are_told(seen: &BTreeSet<(RoomNumber, Sequence)>, reserved: &Reservation, run: &Run) {
    let mut ranges = BTreeMap::new();
    for told in &run.told {
        if let Event::Lost { room, from, to, .. } = &told.event {
            ranges.insert(room.number, *from..=*to);
        }
    }
    for (number, room) in &run.hub.rooms {
        assert!(reserved.sequences.contains_key(number));
        let range = ranges.get(number).expect("something was reserved in every room");
        let last = seen.iter().filter(|(seen, _)| seen == number).map(|(_, sequence)| *sequence).max();
        assert!(last.is_none_or(|last| last <= *range.end()));
        assert_eq!(room.sequence, range.end().next());
    }
}

/// What is opened at a replay is no new room: the journal has reserved for it what it says, and no more.
#[test]
fn replayed_room_has_no_numbers_but_those_that_are_reserved() {
    let mut hub = Hub::new(Settings { keeping: Keeping::History, ..wide() });
    tell(&mut hub, Fact::Opened { name: room_name("dev"), by: Some(member(1)) });
    let reservation = hub.exact_reservation();
    hub.recover(&reservation);
    tell(&mut hub, connected(1, "ann"));
    tell(&mut hub, Fact::Joined { member: member(1), room: RoomNumber(1) });
    let say =
        Command::Say { room: Place::Number(RoomNumber(1)), text: Text::new("hello").unwrap(), nonce: None };
    let speaker = Speaker::Member(member(1));
    assert_eq!(hub.propose(&speaker, &say), Err(Refusal::Unwritten(None)));
    hub.reserve(&hub.reservation([RoomNumber(1)]));
    assert!(hub.propose(&speaker, &say).is_ok());
    let open = Command::Join { room: "ops".into() };
    hub.recover(&hub.exact_reservation());
    assert_eq!(hub.propose(&speaker, &open), Err(Refusal::Unwritten(None)));
}

// ---- conflicts between nodes, and the ends of numbers ----

#[test]
fn one_nick_taken_by_two_members_goes_to_the_first_and_the_other_is_told() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    let told = tell(&mut hub, connected(2, "ANN"));
    assert_eq!(refusals(&told), [(member(2), "connect", "nick-taken")]);
    assert_eq!(hub.members(), 1);

    tell(&mut hub, connected(2, "bob"));
    let told = tell(&mut hub, Fact::Renamed { member: member(2), nick: nick("Ann") });
    assert_eq!(refusals(&told), [(member(2), "nick", "nick-taken")]);
    let told = tell(&mut hub, Fact::Renamed { member: member(2), nick: nick("аnn") });
    assert_eq!(refusals(&told), [(member(2), "nick", "nick-looks-like")]);
    assert_eq!(hub.who(member(2)).unwrap().nick.as_ref(), "bob");
}

#[test]
fn one_room_opened_by_two_members_is_one_room_with_both() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    tell(&mut hub, connected(2, "bob"));
    tell(&mut hub, Fact::Opened { name: room_name("Dev"), by: Some(member(1)) });
    let told = tell(&mut hub, Fact::Opened { name: room_name("dev"), by: Some(member(2)) });
    let admitted = told.iter().find_map(|told| match &told.event {
        Event::Admitted(view) => Some((&*view.room.name, view.members.nicks.len())),
        _ => None,
    });
    assert_eq!(admitted, Some(("Dev", 1)));
    assert_eq!(hub.rooms.len(), 1);
}

#[test]
fn whoever_wants_something_of_a_room_that_has_just_gone_is_told() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    let (room, text) = (RoomNumber(7), Text::new("hello").unwrap());
    let said = |manner| Fact::Said {
        author: Author::Member(who(1)),
        room,
        text: text.clone(),
        manner,
        signature: None,
    };
    for (fact, verb) in [
        (Fact::Joined { member: member(1), room }, "join"),
        (said(Manner::Saying), "say"),
        (said(Manner::Acting), "act"),
        (Fact::TopicSet { by: who(1), room, topic: None, signature: None }, "set-topic"),
    ] {
        assert_eq!(refusals(&tell(&mut hub, fact)), [(member(1), verb, "no-such-room")]);
    }
}

fn refusals(told: &[Told]) -> Vec<(MemberId, &'static str, &'static str)> {
    let refusal = |told: &Told| match (&told.audience, &told.event) {
        (Audience::Member(member), Event::Refused { verb, refusal, .. }) => {
            Some((*member, verb.word(), refusal.code()))
        }
        _ => None,
    };
    told.iter().filter_map(refusal).collect()
}

#[test]
fn a_room_opened_by_somebody_who_has_gone_is_closed() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, Fact::Opened { name: room_name("dev"), by: Some(member(1)) });
    let chore = hub.chore(Time(0));
    assert_eq!(chore, Some(Fact::Closed { room: RoomNumber(1) }));
}

#[test]
fn a_room_that_the_server_opens_waits_for_people() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, Fact::Opened { name: room_name("lobby"), by: None });
    tell(&mut hub, Fact::Opened { name: room_name("dev"), by: None });
    assert_eq!(hub.chore(Time(0)), None);
    assert_eq!(hub.room_named("#DEV"), Some(RoomNumber(2)));
}

#[test]
fn a_room_that_is_entered_before_it_is_closed_stays() {
    let mut hub = Hub::new(wide());
    for count in [1, 2] {
        tell(
            &mut hub,
            Fact::Connected {
                member: member(count),
                nick: Nick::guest(count as u32),
                presence: Presence::Visible,
                address: None,
                client: None,
            },
        );
    }
    tell(&mut hub, Fact::Opened { name: room_name("dev"), by: Some(member(1)) });
    let room = RoomNumber(1);
    tell(&mut hub, Fact::Left { member: member(1), room });
    tell(&mut hub, Fact::Joined { member: member(2), room });
    assert_eq!(hub.chore(Time(0)), None);
    tell(&mut hub, Fact::Closed { room });
    assert!(hub.may_read(member(2), room));
}

#[test]
fn what_too_many_begin_with_is_not_completed() {
    const LOOKED_AT: u64 = 1000;
    let mut hub = Hub::new(wide());
    let ask = Command::Complete { among: Among::Nicks, beginning: "guest-".into() };
    let asker = Speaker::Member(member(0));
    for count in 0..=LOOKED_AT {
        assert!(matches!(hub.propose(&asker, &ask), Ok(_) | Err(Refusal::NotConnected)), "after {count}");
        let nick = Nick::guest(count as u32);
        let presence = Presence::Visible;
        tell(
            &mut hub,
            Fact::Connected { member: member(count), nick, presence, address: None, client: None },
        );
    }
    assert_eq!(hub.propose(&asker, &ask), Err(Refusal::TooManyBeginSo(LOOKED_AT as u32)));
}

#[test]
fn a_record_with_an_old_position_is_passed_over() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    let before = hub.clone();
    for position in [0, 1] {
        let mut told = Vec::new();
        let record = Record { position: Position(position), time: Time(0), fact: connected(2, "bob") };
        hub.apply(record, &mut told);
        assert!(told.is_empty());
    }
    assert_eq!(hub, before);
}

#[test]
fn a_lost_range_that_does_not_follow_the_last_fact_is_void() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, Fact::Opened { name: room_name("lobby"), by: None });
    let room = RoomNumber(1);
    for (from, to) in [(1, 5), (3, 5), (2, 1), (0, 0)] {
        let told = tell(&mut hub, Fact::Lost { room, from: Sequence(from), to: Sequence(to) });
        assert_eq!((told.len(), hub.rooms[&room].sequence), (0, Sequence(1)));
    }
    let told = tell(&mut hub, Fact::Lost { room, from: Sequence(2), to: Sequence(5) });
    assert_eq!((told.len(), hub.rooms[&room].sequence), (1, Sequence(6)));
}

#[test]
fn when_all_room_numbers_are_used_no_room_is_opened() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    tell(&mut hub, connected(2, "bob"));
    hub.next_room = RoomNumber(u32::MAX);
    hub.reserve(&hub.reservation([]));
    let ann = Speaker::Member(member(1));
    let join = hub.propose(&ann, &Command::Join { room: "dev".into() });
    assert_eq!(join, Err(Refusal::Unwritten(None)));
    let text = Text::new("hello").unwrap();
    let direct = hub.propose(&ann, &Command::Direct { to: "bob".into(), text: text.clone(), nonce: None });
    assert_eq!(direct, Err(Refusal::Unwritten(None)));

    tell(&mut hub, Fact::Opened { name: room_name("dev"), by: Some(member(1)) });
    tell(
        &mut hub,
        Fact::Directed {
            from: who(1),
            to: who(2),
            text,
            parties: parties_of(&who(1), &who(2)),
            signature: None,
        },
    );
    assert!(hub.rooms.is_empty());
}

#[test]
fn room_numbers_run_out_until_the_journal_reserves_more() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    let ann = Speaker::Member(member(1));
    let join = Command::Join { room: "dev".into() };
    hub.next_room = hub.reserved_room;
    assert_eq!(hub.propose(&ann, &join), Err(Refusal::Unwritten(None)));
    hub.reserve(&hub.reservation([]));
    assert!(hub.propose(&ann, &join).is_ok());
}

#[test]
fn a_conversation_with_oneself_is_void() {
    let mut hub = Hub::new(wide());
    tell(&mut hub, connected(1, "ann"));
    let text = Text::new("hello").unwrap();
    let told = tell(
        &mut hub,
        Fact::Directed {
            from: who(1),
            to: who(1),
            text,
            parties: parties_of(&who(1), &who(1)),
            signature: None,
        },
    );
    assert!(told.is_empty() && hub.rooms.is_empty());
}
