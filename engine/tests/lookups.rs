//! What the desk does with requests for which something has to be looked up first, and with what stands behind them.

use engine::{Desk, Request};
use hub::{
    Authorship, Client, ClientId, Command, Event, Hub, Keeping, Known, Lookup, MemberId, Nonce, Place,
    Presence, Receipt, Refusal, RoomName, RoomNumber, Sequence, Settings, Speaker, Standing, Text, Time,
    Told, Verb,
};

const NOW: Time = Time(1_000_000);
const CLIENT: ClientId = ClientId([7; 16]);

fn member(count: u64) -> MemberId {
    MemberId::mint(0, count)
}

fn request(count: u64, command: Command) -> Request {
    Request { shard: 0, speaker: Speaker::Member(member(count)), command, known: None }
}

fn connect(count: u64, standing: Standing) -> Request {
    let client = Some(Client { id: CLIENT, standing });
    let (guest, presence) = (count as u32, Presence::Visible);
    request(count, Command::Connect { guest, presence, address: None, nick: None, client })
}

fn join(count: u64) -> Request {
    request(count, Command::Join { room: "lobby".into() })
}

fn say(count: u64, raw: &str) -> Request {
    let (room, text) = (Place::Name("lobby".into()), Text::new(raw).expect("a text"));
    request(count, Command::Say { room, text, nonce: Nonce::new(raw) })
}

fn quit(count: u64) -> Request {
    request(count, Command::Quit { reason: String::new() })
}

struct Stage {
    desk: Desk,
}

impl Stage {
    fn new() -> Stage {
        let home = RoomName::parse("lobby").expect("a name");
        let settings = Settings { keeping: Keeping::History, ..Settings::new(home) };
        let mut stage = Stage { desk: Desk::new(Hub::new(settings), 1) };
        stage.commit();
        stage
    }

    fn commit(&mut self) {
        let (_, reservation) = self.desk.to_commit();
        let position = self.desk.hub().position();
        self.desk.committed(position, &reservation);
    }

    fn take(&mut self, requests: impl IntoIterator<Item = Request>) {
        for request in requests {
            self.desk.take(NOW, request).expect("the journal is not behind");
        }
    }

    /// What is to be looked up, and for which request.
    fn lookup(&mut self) -> (Request, Lookup) {
        let lookups: Vec<(Request, Lookup)> = self.desk.lookups().collect();
        let [lookup] = lookups.try_into().expect("one thing is to be looked up");
        lookup
    }

    fn bring(&mut self, request: Request, known: Known) {
        self.take([Request { known: Some(known), ..request }]);
    }

    fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.desk.mail(0).expect("a shard").told)
    }

    /// What was said, and where.
    fn said(&mut self) -> Vec<String> {
        let text = |told: Told| match told.event {
            Event::Said { text, .. } => Some(text.formatted().to_owned()),
            _ => None,
        };
        self.told().into_iter().filter_map(text).collect()
    }
}

#[test]
fn what_a_returning_client_asks_meanwhile_waits_until_it_is_known() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::Returning), join(1), say(1, "hello")]);
    assert_eq!(stage.told(), []);
    let (request, lookup) = stage.lookup();
    assert_eq!(lookup, Lookup::Client(CLIENT));
    assert_eq!(stage.desk.mail(0).map(|mail| mail.taken), Some(0), "nothing has been taken yet");
    stage.bring(request, Known::Client(Vec::new()));
    assert_eq!(stage.said(), ["hello"]);
    assert_eq!(stage.desk.mail(0).map(|mail| mail.taken), Some(3));
}

#[test]
fn nobody_else_waits_for_what_is_looked_up() {
    let mut stage = Stage::new();
    let guest =
        Command::Connect { guest: 2, presence: Presence::Visible, address: None, nick: None, client: None };
    stage.take([connect(1, Standing::Returning), request(2, guest), join(2), say(2, "hello")]);
    assert_eq!(stage.said(), ["hello"]);
}

#[test]
fn who_has_gone_before_it_was_looked_up_does_not_stay() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::Returning), quit(1)]);
    let (request, _) = stage.lookup();
    stage.bring(request, Known::Client(Vec::new()));
    assert_eq!(stage.desk.hub().members(), 0);
    stage.take([connect(1, Standing::New)]);
    assert_eq!(stage.desk.hub().members(), 1, "nothing is waited for any more");
}

#[test]
fn what_waits_is_given_back_when_the_journal_is_behind_and_goes_on_in_its_order() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::Returning), join(1)]);
    stage.take((0..5000).map(|nth| say(1, &format!("m{nth}"))));
    let (mut request, _) = stage.lookup();
    request.known = Some(Known::Client(Vec::new()));
    let mut given_back = 0;
    while let Err(again) = stage.desk.take(NOW, request) {
        given_back += 1;
        stage.commit();
        request = *again;
    }
    assert_eq!(given_back, 1);
    let expected: Vec<String> = (0..5000).map(|nth| format!("m{nth}")).collect();
    assert_eq!(stage.said(), expected);
}

#[test]
fn change_is_proposed_before_what_was_asked_behind_it() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::New), join(1), say(1, "one")]);
    stage.told();
    let (room, text) = (Place::Name("lobby".into()), Text::new("two").expect("a text"));
    let edit = Command::Edit { room, target: Sequence(2), text, nonce: None };
    stage.take([request(1, edit), say(1, "three")]);
    let (request, lookup) = stage.lookup();
    assert_eq!(lookup, Lookup::Author { room: RoomNumber(1), target: Sequence(2) });
    stage.bring(request, Known::Author(Authorship::Client(Some(CLIENT))));
    let told = stage.told();
    let kept: Vec<&Event> = told.iter().map(|told| &told.event).collect();
    assert!(matches!(kept[..], [Event::Edited { .. }, Event::Said { .. }]), "{kept:?}");
}

#[test]
fn who_cannot_be_looked_up_is_told_so_and_what_it_asked_behind_that_is_answered() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::Returning), join(1)]);
    let (request, _) = stage.lookup();
    stage.bring(request, Known::Unreadable(Refusal::Unreadable));
    let refused = |told: &Told| match &told.event {
        Event::Refused { verb, refusal, .. } => Some((*verb, refusal.code())),
        _ => None,
    };
    let refusals: Vec<_> = stage.told().iter().filter_map(refused).collect();
    assert_eq!(refusals, [(Verb::Connect, "unreadable"), (Verb::Join, "not-connected")]);
}

/// Two connections of one client come in; what the first was looked up for has become old when it is brought.
#[test]
fn client_that_said_more_while_it_was_looked_up_is_looked_up_again() {
    let mut stage = Stage::new();
    stage.take([connect(1, Standing::Returning)]);
    let (first, _) = stage.lookup();
    stage.take([connect(2, Standing::Returning)]);
    let (second, _) = stage.lookup();
    stage.bring(second, Known::Client(Vec::new()));
    stage.take([join(2), say(2, "hello"), quit(2)]);
    assert_eq!(stage.said(), ["hello"]);
    stage.bring(first, Known::Client(Vec::new()));
    let (again, lookup) = stage.lookup();
    assert_eq!(lookup, Lookup::Client(CLIENT));
    let receipt = Receipt {
        nonce: Nonce::new("hello").expect("a nonce"),
        verb: Verb::Say,
        room: RoomNumber(1),
        sequence: Sequence(2),
        position: stage.desk.hub().position(),
    };
    stage.bring(again, Known::Client(vec![receipt]));
    stage.take([join(1), say(1, "hello")]);
    assert_eq!(stage.said(), Vec::<String>::new());
}
