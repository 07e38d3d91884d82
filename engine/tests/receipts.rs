//! Receipts for what was said before, which wait until that is durable, and how many of them may.

use engine::{Desk, Journal, Request};
use hub::{
    Client, ClientId, Command, Event, Hub, Keeping, MemberId, Nonce, Place, Presence, Refusal, RoomName,
    Settings, Speaker, Standing, Text, Time, Told, Trouble,
};

const NOW: Time = Time(1_000_000);
/// So many may wait.
const OWED_MAX: usize = 64 * 1024;

fn ann(command: Command) -> Request {
    Request { shard: 0, speaker: Speaker::Member(MemberId::mint(0, 1)), command, known: None }
}

fn say(nonce: &str) -> Request {
    let (room, text) = (Place::Name("lobby".into()), Text::new("hello").expect("a text"));
    ann(Command::Say { room, text, nonce: Nonce::new(nonce) })
}

fn commit(desk: &mut Desk) {
    let (_, reservation) = desk.to_commit();
    let position = desk.hub().position();
    desk.committed(position, &reservation);
}

fn told(desk: &mut Desk) -> Vec<Told> {
    std::mem::take(&mut desk.mail(0).expect("a shard").told)
}

/// A desk at which ann has said something under the nonce `1`, and nothing can be written.
fn desk_in_trouble() -> Desk {
    let home = RoomName::parse("lobby").expect("a name");
    let settings = Settings { keeping: Keeping::History, ..Settings::new(home) };
    let mut desk = Desk::new(Hub::new(settings), 1);
    let client = Some(Client { id: ClientId([7; 16]), standing: Standing::New });
    let (guest, presence) = (1, Presence::Visible);
    desk.take(NOW, ann(Command::Connect { guest, presence, address: None, nick: None, client })).unwrap();
    desk.take(NOW, ann(Command::Join { room: "lobby".into() })).unwrap();
    commit(&mut desk);
    desk.set_journal(NOW, Journal::Failing(Trouble::Full));
    desk.take(NOW, say("1")).unwrap();
    told(&mut desk);
    desk
}

#[test]
fn more_receipts_than_may_wait_are_refused_with_the_reason_and_the_others_come() {
    let mut desk = desk_in_trouble();
    for _ in 0..OWED_MAX {
        desk.take(NOW, say("1")).unwrap();
    }
    assert_eq!(told(&mut desk), [], "they wait");
    desk.take(NOW, say("1")).unwrap();
    let refused = told(&mut desk);
    let [Told { event: Event::Refused { refusal, nonce, .. }, .. }] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(*refusal, Refusal::Unwritten(Some(Trouble::Full)));
    assert_eq!(nonce.as_ref().map(Nonce::as_str), Some("1"));

    commit(&mut desk);
    assert_eq!(told(&mut desk).len(), OWED_MAX);
    desk.take(NOW, say("1")).unwrap();
    assert_eq!(told(&mut desk).len(), 1, "what is durable needs not wait");
}
