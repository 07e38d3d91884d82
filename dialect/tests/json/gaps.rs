//! What a client lagged behind is named, and can be read; what it missed before it came is told without a seam, whatever
//! happens meanwhile.

use crate::world::World;
use engine::{Bounds, Limits};
use hub::{Keeping, Trouble};
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "01010101010101010101010101010101";
const EPOCH: &str = "28t5cy4t";

fn hello(world: &mut World, name: &str) -> usize {
    let index = world.connect(name);
    request(world, index, &json!({"type": "hello", "version": 1, "nick": name}));
    index
}

fn request(world: &mut World, index: usize, request: &Value) {
    world.send(index, format!("{request}\n").as_bytes());
}

fn say(world: &mut World, index: usize, text: &str) {
    request(world, index, &json!({"type": "say", "room": "lobby", "text": text}));
}

/// Bob, in a room where ann has been: the first client's secret is the one that [`come_back`] knows.
fn with_ann_gone(world: &mut World) -> usize {
    let ann = hello(world, "ann");
    world.cut(ann);
    hello(world, "bob")
}

fn come_back(world: &mut World, rooms: &Value) -> usize {
    let ann = world.connect("ann");
    let resume = json!({"secret": SECRET, "epoch": EPOCH, "rooms": rooms});
    request(world, ann, &json!({"type": "hello", "version": 1, "nick": "ann", "resume": resume}));
    ann
}

fn lines_of(world: &World, index: usize) -> Vec<Value> {
    let read = std::str::from_utf8(&world.clients[index].read).expect("UTF-8");
    read.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The sequences of the kept facts of a room that a client has been told, in the order in which it was told them.
fn sequences_of(world: &World, index: usize, room: &str) -> Vec<u64> {
    let lines = lines_of(world, index).into_iter();
    let told = lines.filter(|line| line["type"] == "event" || line["type"] == "ack");
    told.filter(|line| line["room"] == room).filter_map(|line| line["sequence"].as_u64()).collect()
}

fn of_type(world: &World, index: usize, kind: &str) -> Vec<Value> {
    lines_of(world, index).into_iter().filter(|line| line["type"] == kind).collect()
}

fn short_feeds() -> Limits {
    Limits { feeds: Bounds { lag_bytes_max: 2048, ..Bounds::default() }, ..Limits::default() }
}

#[test]
fn client_that_lagged_is_told_from_where_to_where_and_can_read_it() {
    let mut world = World::with(Keeping::History, short_feeds());
    let (ann, bob) = (hello(&mut world, "ann"), hello(&mut world, "bob"));
    world.stop_reading(ann);
    for number in 0..100 {
        say(&mut world, bob, &format!("number {number}"));
    }
    world.read_on(ann);
    let gaps = of_type(&world, ann, "gap");
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!((&gap["room"], &gap["from"]), (&json!("lobby"), &json!(2)));
    let to = gap["to"].as_u64().expect("a number");
    assert_eq!(gap["messages"].as_u64(), Some(to - 1));
    // The room as it is now, which may have changed meanwhile.
    assert_eq!(of_type(&world, ann, "picture").len(), 1);
    let mut known: Vec<u64> = sequences_of(&world, ann, "lobby");
    assert!(known.iter().all(|sequence| *sequence > to), "{known:?}");
    let mut after = 1;
    while after < to {
        request(
            &mut world,
            ann,
            &json!({"type": "history", "room": "lobby", "after": after, "shape": "facts"}),
        );
        let page = of_type(&world, ann, "history").pop().expect("a page");
        let events = page["events"].as_array().expect("events").iter();
        known
            .extend(events.filter_map(|event| event["sequence"].as_u64()).filter(|sequence| *sequence <= to));
        after = page["after"].as_u64().unwrap_or(to);
    }
    known.sort_unstable();
    assert_eq!(known, (2..=101).collect::<Vec<_>>());
}

#[test]
fn gap_among_direct_messages_is_of_no_room() {
    let mut world = World::with(Keeping::History, short_feeds());
    let (ann, bob) = (hello(&mut world, "ann"), hello(&mut world, "bob"));
    world.stop_reading(ann);
    for number in 0..100 {
        request(&mut world, bob, &json!({"type": "direct", "to": "ann", "text": format!("number {number}")}));
    }
    world.read_on(ann);
    let gaps = of_type(&world, ann, "gap");
    assert_eq!((&gaps[0]["room"], &gaps[0]["kind"]), (&Value::Null, &json!("direct")));
    assert!(gaps[0]["messages"].as_u64() > Some(50) && gaps[0].get("from").is_none(), "{gaps:?}");
}

#[test]
fn what_the_feeds_could_not_keep_while_a_client_caught_up_is_paged_to_it() {
    let mut world = World::with(Keeping::History, short_feeds());
    let bob = with_ann_gone(&mut world);
    for number in 0..10 {
        say(&mut world, bob, &format!("before {number}"));
    }
    world.set_pages_coming(false);
    let ann = come_back(&mut world, &json!({"lobby": 3}));
    for number in 0..100 {
        say(&mut world, bob, &format!("meanwhile {number}"));
    }
    world.set_pages_coming(true);
    say(&mut world, bob, "after");
    assert_eq!(sequences_of(&world, ann, "lobby"), (4..=112).collect::<Vec<_>>());
    assert!(of_type(&world, ann, "gap").is_empty());
}

#[test]
fn server_that_keeps_nothing_says_so_and_goes_on() {
    let mut world = World::with(Keeping::Nothing, Limits::default());
    let bob = with_ann_gone(&mut world);
    say(&mut world, bob, "gone");
    let ann = come_back(&mut world, &json!({"lobby": 1}));
    say(&mut world, bob, "here");
    let joined = of_type(&world, ann, "joined");
    assert_eq!((&joined[0]["resumed"], &joined[0]["reason"]), (&json!(false), &json!("nothing-kept")));
    assert_eq!(sequences_of(&world, ann, "lobby"), [3]);
    // Nothing was missed: there is nothing to be kept for that.
    let ann = come_back(&mut world, &json!({"lobby": 3}));
    assert_eq!(of_type(&world, ann, "joined")[0]["resumed"], json!(true));
}

#[test]
fn client_that_leaves_while_it_is_caught_up_is_let_go() {
    let mut world = World::new();
    let bob = with_ann_gone(&mut world);
    say(&mut world, bob, "one");
    world.set_pages_coming(false);
    let ann = come_back(&mut world, &json!({"lobby": 1}));
    world.end(ann);
    world.pass(5000);
    assert!(!world.clients[ann].is_closed, "what was missed is still told");
    world.set_pages_coming(true);
    world.pass(5000);
    assert!(world.clients[ann].is_closed);
    assert_eq!(sequences_of(&world, ann, "lobby"), [2]);
}

#[test]
fn server_stops_while_a_client_is_caught_up() {
    let mut world = World::new();
    let bob = with_ann_gone(&mut world);
    say(&mut world, bob, "one");
    world.set_pages_coming(false);
    let ann = come_back(&mut world, &json!({"lobby": 1}));
    say(&mut world, bob, "two");
    world.stop();
    world.set_pages_coming(true);
    assert!(world.clients[ann].is_closed);
    assert_eq!(of_type(&world, ann, "bye")[0]["code"], json!("shutdown"));
    // Who has read of two takes one for read, too.
    assert_eq!(sequences_of(&world, ann, "lobby"), [0; 0]);
}

#[test]
fn who_comes_back_by_another_connection_while_it_is_caught_up_is_shown_nothing_behind_what_it_missed() {
    let mut world = World::new();
    let bob = with_ann_gone(&mut world);
    say(&mut world, bob, "one");
    world.set_pages_coming(false);
    let ann = come_back(&mut world, &json!({"lobby": 1}));
    say(&mut world, bob, "two");
    let again = come_back(&mut world, &json!({"lobby": 1}));
    world.set_pages_coming(true);
    assert!(world.clients[ann].is_closed);
    assert_eq!(of_type(&world, ann, "bye")[0]["code"], json!("resumed"));
    assert_eq!(sequences_of(&world, ann, "lobby"), [0; 0]);
    assert_eq!(sequences_of(&world, again, "lobby"), [2, 3]);
}

#[test]
fn who_comes_back_while_nothing_can_be_written_says_again_what_was_not_acknowledged_and_is_acknowledged_once()
{
    let mut world = World::new();
    let (ann, bob) = (hello(&mut world, "ann"), hello(&mut world, "bob"));
    world.set_journal_working(false);
    world.journal_fails(Some(Trouble::Failing));
    let saying = json!({"type": "say", "room": "lobby", "text": "mine", "nonce": "n"});
    request(&mut world, ann, &saying);
    say(&mut world, bob, "yours");
    request(&mut world, ann, &json!({"type": "rooms"}));
    assert_eq!(sequences_of(&world, ann, "lobby"), [3]);
    assert_eq!(of_type(&world, ann, "rooms").len(), 1);
    world.cut(ann);
    let ann = come_back(&mut world, &json!({"lobby": 3}));
    request(&mut world, ann, &saying);
    say(&mut world, bob, "yours again");
    assert_eq!(sequences_of(&world, ann, "lobby"), [4]);
    world.set_journal_working(true);
    world.journal_fails(None);
    let acks = of_type(&world, ann, "ack");
    let [ack] = acks.as_slice() else { panic!("{acks:?}") };
    assert_eq!((&ack["nonce"], &ack["sequence"], &ack["repeated"]), (&json!("n"), &json!(2), &json!(true)));
}

#[test]
fn who_quits_while_nothing_can_be_written_is_closed_behind_its_bye() {
    let mut world = World::new();
    let (ann, bob) = (hello(&mut world, "ann"), hello(&mut world, "bob"));
    world.set_journal_working(false);
    world.journal_fails(Some(Trouble::Full));
    say(&mut world, ann, "good night");
    say(&mut world, bob, "sleep well");
    request(&mut world, ann, &json!({"type": "quit"}));
    assert_eq!(sequences_of(&world, ann, "lobby"), [3]);
    assert!(world.clients[ann].is_closed, "the disk may stay full for days");
    world.set_journal_working(true);
    world.journal_fails(None);
    assert_eq!(of_type(&world, ann, "bye").len(), 1);
    assert_eq!(of_type(&world, ann, "ack").len(), 0, "nothing comes behind a bye");
}

#[test]
fn who_comes_in_while_nothing_can_be_written_is_told_once() {
    let mut world = World::new();
    let ann = hello(&mut world, "ann");
    world.set_journal_working(false);
    world.journal_fails(Some(Trouble::Full));
    let bob = hello(&mut world, "bob");
    request(&mut world, bob, &json!({"type": "join", "room": "lobby"}));
    for client in [ann, bob] {
        let told = of_type(&world, client, "event");
        let troubles: Vec<_> = told.iter().filter(|event| event["kind"] == "journal").collect();
        assert_eq!(troubles.len(), 1, "{told:?}");
        assert_eq!(troubles[0]["trouble"], "full");
    }
}

#[test]
fn who_ends_while_nothing_can_be_written_is_still_acknowledged_what_it_said() {
    let mut world = World::new();
    let ann = hello(&mut world, "ann");
    world.set_journal_working(false);
    world.journal_fails(Some(Trouble::Full));
    say(&mut world, ann, "from a script");
    world.end(ann);
    world.pass(5000);
    assert!(!world.clients[ann].is_closed);
    world.set_journal_working(true);
    world.journal_fails(None);
    assert_eq!(of_type(&world, ann, "ack").len(), 1);
    assert!(world.clients[ann].is_closed);
}

#[test]
fn client_that_waits_for_an_acknowledgement_is_told_long_answers_while_nothing_can_be_written() {
    let mut world = World::with(Keeping::History, Limits::default());
    let ann = hello(&mut world, "ann");
    for number in 0..30 {
        hello(&mut world, &format!("guest{number}"));
    }
    world.set_journal_working(false);
    world.journal_fails(Some(Trouble::Failing));
    say(&mut world, ann, "is it written?");
    request(&mut world, ann, &json!({"type": "who", "room": "lobby"}));
    request(&mut world, ann, &json!({"type": "ping"}));
    let names = of_type(&world, ann, "names");
    assert!(names.len() > 1, "{names:?}");
    assert_eq!(names.last().expect("a page")["more"], json!(false));
    assert_eq!((of_type(&world, ann, "pong").len(), of_type(&world, ann, "ack").len()), (1, 0));
}

/// What may happen while ann comes and goes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say(usize),
    Direct(usize),
    AnnSays,
    ComeBack,
    PagesWait,
    PagesCome,
    StopReading,
    ReadOn,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..8).prop_map(Step::Say),
        2 => (1_usize..4).prop_map(Step::Direct),
        2 => Just(Step::AnnSays),
        3 => Just(Step::ComeBack),
        2 => Just(Step::PagesWait),
        2 => Just(Step::PagesCome),
        1 => Just(Step::StopReading),
        1 => Just(Step::ReadOn),
    ]
}

/// What ann knows: of each room up to where, and all sequences that she was told by whichever connection.
#[derive(Default)]
struct Knows {
    lobby: Vec<u64>,
    conversation: Vec<u64>,
}

impl Knows {
    fn add(&mut self, world: &World, ann: usize) {
        self.lobby.extend(sequences_of(world, ann, "lobby"));
        self.conversation.extend(sequences_of(world, ann, "@2"));
    }

    fn rooms(&self) -> Value {
        let last = |sequences: &Vec<u64>, first: u64| sequences.last().copied().unwrap_or(first);
        json!({"lobby": last(&self.lobby, 1), "@2": last(&self.conversation, 0)})
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// With feeds that keep everything nothing is ever skipped, and so every fact is told exactly once and in order.
    #[test]
    fn client_that_comes_back_again_and_again_is_told_everything_once(
        steps in proptest::collection::vec(any_step(), 1..60),
    ) {
        let mut world = World::new();
        let mut ann = hello(&mut world, "ann");
        let bob = hello(&mut world, "bob");
        let mut knows = Knows::default();
        let (mut said, mut directed) = (0, 0);
        for step in steps.into_iter().chain([Step::PagesCome, Step::ReadOn]) {
            match step {
                Step::Say(count) => (0..count).for_each(|_| {
                    said += 1;
                    say(&mut world, bob, "x");
                }),
                Step::Direct(count) => (0..count).for_each(|_| {
                    let before = of_type(&world, bob, "ack").len();
                    request(&mut world, bob, &json!({"type": "direct", "to": "ann", "text": "x"}));
                    directed += of_type(&world, bob, "ack").len() - before;
                }),
                Step::AnnSays => say(&mut world, ann, "mine"),
                Step::ComeBack => {
                    world.cut(ann);
                    knows.add(&world, ann);
                    let rooms = knows.rooms();
                    ann = come_back(&mut world, &rooms);
                }
                Step::PagesWait => world.set_pages_coming(false),
                Step::PagesCome => world.set_pages_coming(true),
                Step::StopReading => world.stop_reading(ann),
                Step::ReadOn => world.read_on(ann),
            }
        }
        // What she said herself and never heard of again is among what she missed.
        world.cut(ann);
        knows.add(&world, ann);
        let rooms = knows.rooms();
        ann = come_back(&mut world, &rooms);
        knows.add(&world, ann);
        prop_assert_eq!(&knows.conversation, &(1..=directed as u64).collect::<Vec<_>>());
        let count = knows.lobby.len() as u64;
        prop_assert!(count >= said);
        prop_assert_eq!(&knows.lobby, &(2..=count + 1).collect::<Vec<_>>());
    }
}
