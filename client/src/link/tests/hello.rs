//! Coming in: names that are taken, secrets that are none, servers that are none; and noticing that nobody is there any more.

use crate::link::*;
use crate::wire::Span;

const WELCOME: &[u8] =
    br#"{"type":"welcome","version":1,"server":"s","epoch":"e","nick":"ann","resume":{"secret":"t"}}
{"type":"joined","room":"lobby","sequence":4,"resumed":false}
"#;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A link that has said hello.
fn greeting(wanted: Wanted) -> Link {
    let mut link = Link::new(wanted, 1);
    link.start();
    link.connected(Duration::ZERO);
    link
}

fn ann() -> Wanted {
    Wanted { nick: Some("ann".to_owned()), ..Wanted::default() }
}

fn online() -> Link {
    let mut link = greeting(ann());
    link.received(Duration::ZERO, WELCOME);
    assert_eq!(*link.state(), State::Online);
    sent(&mut link);
    link
}

/// What is sent, line by line.
fn sent(link: &mut Link) -> Vec<serde_json::Value> {
    let mut lines = Vec::new();
    while let Some(output) = link.poll() {
        if let Output::Send(bytes) = output {
            lines.extend(
                bytes
                    .split_inclusive(|byte| *byte == b'\n')
                    .map(|line| serde_json::from_slice(line).unwrap()),
            );
        }
    }
    lines
}

fn refusal(code: &str) -> Vec<u8> {
    format!("{{\"type\":\"refusal\",\"request\":\"hello\",\"code\":\"{code}\",\"text\":\"no\"}}\n")
        .into_bytes()
}

fn stranger(link: &Link) -> &Stranger {
    match link.state() {
        State::Over(End::Stranger(stranger)) => stranger,
        state => panic!("{state:?}"),
    }
}

#[test]
fn taken_nick_is_tried_with_a_number_and_at_last_a_guest_comes() {
    let mut link = greeting(ann());
    let mut asked = vec![sent(&mut link)[0]["nick"].clone()];
    for _ in 0..9 {
        link.received(Duration::ZERO, &refusal("nick-taken"));
        asked.push(sent(&mut link)[0]["nick"].clone());
    }
    let numbered = (2..=9).map(|number| format!("ann-{number}").into());
    let expected: Vec<serde_json::Value> =
        std::iter::once("ann".into()).chain(numbered).chain([serde_json::Value::Null]).collect();
    assert_eq!(asked, expected);
}

#[test]
fn secret_that_is_none_is_given_up_and_hello_is_said_anew() {
    let mut link = greeting(Wanted { secret: Some("x".to_owned()), ..ann() });
    assert_eq!(sent(&mut link)[0]["resume"]["secret"], "x");
    link.received(Duration::ZERO, &refusal("bad-secret"));
    assert!(sent(&mut link)[0]["resume"].is_null());
    link.received(Duration::ZERO, &refusal("bad-secret"));
    assert!(matches!(link.state(), State::Over(End::Refused(_))));
}

#[test]
fn full_server_is_tried_again_by_who_was_there() {
    let mut link = greeting(ann());
    link.received(Duration::ZERO, &refusal("too-many"));
    assert!(matches!(link.state(), State::Over(End::Unreachable(_))));
    let mut link = online();
    link.disconnected(Duration::ZERO, Failure::Closed);
    link.hurry();
    link.connected(Duration::ZERO);
    link.received(
        Duration::ZERO,
        b"-- too many new connections from your address; try again in a few seconds\n",
    );
    link.disconnected(Duration::ZERO, Failure::Closed);
    let State::Waiting { why, .. } = link.state() else { panic!("{:?}", link.state()) };
    assert!(why.to_string().contains("too many new connections"), "{why}");
}

#[test]
fn whoever_is_turned_away_in_plain_text_hears_why() {
    for end in ["", "\n"] {
        let mut link = greeting(ann());
        link.received(Duration::ZERO, format!("-- the server is full{end}").as_bytes());
        link.disconnected(Duration::ZERO, Failure::Closed);
        let State::Over(End::Refused(why)) = link.state() else { panic!("{:?}", link.state()) };
        assert_eq!(&**why, "the server is full");
    }
}

#[test]
fn whose_hello_is_late_is_greeted_in_plain_text_and_let_in() {
    let mut link = greeting(ann());
    let plain = "-- you are guest-1; /nick NAME changes that\n-- #lobby: bob is here\n<bob> hello\n";
    link.received(Duration::ZERO, plain.as_bytes());
    assert_eq!(*link.state(), State::Greeting);
    link.received(Duration::ZERO, WELCOME);
    assert_eq!(*link.state(), State::Online);
    let mut link = greeting(ann());
    link.received(Duration::ZERO, plain.as_bytes());
    link.disconnected(Duration::ZERO, Failure::Closed);
    assert_eq!(*link.state(), State::Over(End::Unreachable(Failure::Closed)));
}

#[test]
fn strangers_are_told_from_servers() {
    let first = |bytes: &[u8]| {
        let mut link = greeting(ann());
        link.received(Duration::ZERO, bytes);
        link.disconnected(Duration::ZERO, Failure::Closed);
        link
    };
    assert_eq!(*stranger(&first(b"HTTP/1.1 400 Bad Request\r\n\r\n")), Stranger::Http);
    assert_eq!(*stranger(&first(b"HTTP/1.1 4")), Stranger::Http);
    assert!(matches!(stranger(&first(b"SSH-2.0-x\r\n")), Stranger::Ssh(_)));
    assert_eq!(*stranger(&first(b"\x15\x03\x01\0\x02\x02\x50")), Stranger::Tls);
    assert!(matches!(stranger(&first(b"{\"type\":\"welcome\"}\n")), Stranger::Unreadable(_)));
    assert_eq!(*first(b"{\"type\":\"wel").state(), State::Over(End::Unreachable(Failure::Closed)));
    let mut silent = greeting(ann());
    silent.tick(seconds(11));
    assert_eq!(*stranger(&silent), Stranger::Silent);
}

#[test]
fn line_without_an_end_is_not_gathered_for_ever() {
    let mut link = greeting(ann());
    let piece = vec![b'{'; 64 * 1024];
    let pieces = (0..1000).take_while(|_| {
        link.received(Duration::ZERO, &piece);
        !matches!(link.state(), State::Over(_))
    });
    assert!(pieces.count() <= 64);
    assert_eq!(*stranger(&link), Stranger::Endless);
}

#[test]
fn server_that_was_there_is_tried_again_when_it_is_cut_off_in_the_middle_of_its_welcome() {
    let mut link = online();
    link.disconnected(seconds(1), Failure::Closed);
    let deadline = link.deadline().unwrap();
    assert!(deadline > seconds(1) && deadline <= seconds(2));
    link.tick(deadline);
    assert_eq!(*link.state(), State::Connecting);
    link.connected(deadline);
    link.received(deadline, b"{\"type\":\"wel");
    link.disconnected(deadline, Failure::Closed);
    assert!(matches!(link.state(), State::Waiting { .. }));
}

#[test]
fn server_that_says_nothing_any_more_is_given_up() {
    let mut link = online();
    link.tick(seconds(44));
    assert_eq!(*link.state(), State::Online);
    link.tick(seconds(46));
    assert!(matches!(link.state(), State::Waiting { why: Failure::Silent, .. }));
}

#[test]
fn latency_is_what_the_server_took_to_answer() {
    let mut link = greeting(ann());
    link.received(seconds(1), WELCOME);
    let ping = sent(&mut link).pop().unwrap();
    assert_eq!(ping["type"], "ping");
    let answer = format!("{{\"type\":\"pong\",\"nonce\":{}}}\n", ping["nonce"]);
    link.received(seconds(3), answer.as_bytes());
    assert_eq!(link.latency(), Some(seconds(2)));
    link.tick(seconds(23));
    assert_eq!(sent(&mut link).pop().unwrap()["type"], "ping");
}

#[test]
fn server_that_lets_in_and_falls_over_is_asked_less_and_less_often() {
    let (mut link, mut now) = (online(), Duration::ZERO);
    for _ in 0..10 {
        link.disconnected(now, Failure::Closed);
        now = link.deadline().unwrap();
        link.tick(now);
        link.connected(now);
        link.received(now, WELCOME);
    }
    assert!(now > seconds(20), "ten times in {now:?}");
}

#[test]
fn trouble_excuses_silence_only_while_acknowledgements_are_owed() {
    let trouble = b"{\"type\":\"event\",\"kind\":\"journal\",\"time\":\"2026-01-01T12:00:00.000Z\",\"trouble\":\"full\"}\n";
    let mut link = online();
    link.received(Duration::ZERO, trouble);
    let mut other = online();
    other.received(Duration::ZERO, trouble);
    other.request(Request::Say { room: "lobby".to_owned(), text: "x".to_owned() });
    for now in [46, 70, 100] {
        link.tick(seconds(now));
        other.tick(seconds(now));
    }
    assert!(!matches!(link.state(), State::Online));
    assert_eq!(*other.state(), State::Online);
}

#[test]
fn who_comes_by_another_connection_is_not_fought() {
    let mut link = online();
    link.received(Duration::ZERO, b"{\"type\":\"bye\",\"code\":\"resumed\",\"text\":\"x\"}\n");
    link.disconnected(Duration::ZERO, Failure::Closed);
    assert_eq!(*link.state(), State::Over(End::Elsewhere));
}

#[test]
fn picture_does_not_hide_what_lies_before_it() {
    let mut link = online();
    link.received(
        Duration::ZERO,
        b"{\"type\":\"gap\",\"room\":\"lobby\",\"from\":5,\"to\":8,\"messages\":4}\n\
          {\"type\":\"picture\",\"room\":\"lobby\",\"sequence\":10}\n\
          {\"type\":\"event\",\"kind\":\"said\",\"room\":\"lobby\",\"sequence\":9,\"time\":\"2026-01-01T12:00:00.000Z\",\"text\":\"x\"}\n",
    );
    let told =
        std::iter::from_fn(|| link.poll()).filter(|output| matches!(output, Output::Told(Answer::Event(_))));
    assert_eq!(told.count(), 1);
    assert_eq!(link.seen("lobby"), Some(9));
}

#[test]
fn questions_end_with_their_connection_and_changes_of_messages_with_their_history() {
    let mut link = online();
    let page =
        link.request(Request::History { room: "lobby".to_owned(), span: Span::Before(5), limit: None });
    let edit = link.request(Request::Edit { room: "lobby".to_owned(), target: 2, text: "x".to_owned() });
    let say = link.request(Request::Say { room: "lobby".to_owned(), text: "y".to_owned() });
    sent(&mut link);
    link.disconnected(Duration::ZERO, Failure::Closed);
    assert_eq!(unanswered(&mut link), [page]);
    link.hurry();
    link.connected(Duration::ZERO);
    let other: Vec<u8> = String::from_utf8_lossy(WELCOME).replace("\"e\"", "\"f\"").into_bytes();
    sent(&mut link);
    link.received(Duration::ZERO, &other);
    let lines: Vec<_> = std::iter::from_fn(|| link.poll()).collect();
    assert!(lines.contains(&Output::Unanswered(edit)));
    let said = |output: &Output| matches!(output, Output::Send(bytes) if String::from_utf8_lossy(bytes).contains(&say));
    assert!(lines.iter().any(said));
    assert_eq!(link.unacknowledged(), 1);
}

fn unanswered(link: &mut Link) -> Vec<String> {
    let nonce = |output| if let Output::Unanswered(nonce) = output { Some(nonce) } else { None };
    std::iter::from_fn(|| link.poll()).filter_map(nonce).collect()
}

#[test]
fn room_is_entered_before_anything_is_said_there() {
    let mut link = online();
    let join = link.request(Request::Join { room: "dev".to_owned() });
    link.request(Request::Say { room: "dev".to_owned(), text: "x".to_owned() });
    let lines = sent(&mut link);
    assert_eq!(lines.len(), 1);
    let unwritten = format!(
        "{{\"type\":\"refusal\",\"nonce\":\"{join}\",\"request\":\"join\",\"code\":\"unwritten\",\"text\":\"x\"}}\n"
    );
    link.received(Duration::ZERO, unwritten.as_bytes());
    assert!(sent(&mut link).is_empty());
    link.tick(seconds(1));
    assert_eq!(sent(&mut link)[0]["type"], "join");
    let joined = format!("{{\"type\":\"joined\",\"nonce\":\"{join}\",\"room\":\"dev\",\"sequence\":1}}\n");
    link.received(seconds(1), joined.as_bytes());
    assert_eq!(sent(&mut link)[0]["type"], "say");
}

#[test]
fn server_that_answers_and_falls_over_is_asked_less_and_less_often() {
    let mut link = greeting(ann());
    let mut now = Duration::ZERO;
    let mut longest = Duration::ZERO;
    for _ in 0..8 {
        link.received(now, WELCOME);
        let ping =
            sent(&mut link).into_iter().rfind(|request| request["type"] == "ping").expect("it is asked");
        link.received(now, format!("{{\"type\":\"pong\",\"nonce\":{}}}\n", ping["nonce"]).as_bytes());
        link.disconnected(now, Failure::Closed);
        let again = link.deadline().expect("it is tried again");
        longest = longest.max(again.saturating_sub(now));
        now = again;
        link.tick(now);
        link.connected(now);
    }
    assert!(longest > seconds(5), "{longest:?}");
    link.received(now, WELCOME);
    now += seconds(60);
    link.disconnected(now, Failure::Closed);
    assert!(link.deadline().expect("it is tried again") < now + seconds(1), "a good one is missed at once");
}

#[test]
fn server_that_acknowledges_is_missed_at_once_however_often_it_goes() {
    let mut link = greeting(ann());
    let mut now = Duration::ZERO;
    for _ in 0..8 {
        link.received(now, WELCOME);
        let nonce = link.request(Request::Say { room: "lobby".to_owned(), text: "x".to_owned() });
        link.received(
            now,
            format!(
                "{{\"type\":\"ack\",\"nonce\":\"{nonce}\",\"room\":\"lobby\",\"id\":\"x\",\"sequence\":5}}\n"
            )
            .as_bytes(),
        );
        link.disconnected(now, Failure::Closed);
        let again = link.deadline().expect("it is tried again");
        assert!(again < now + seconds(1), "{again:?} after {now:?}");
        now = again;
        link.tick(now);
        link.connected(now);
    }
}

/// Where a new connection wants to be.
fn rooms_of_hello(link: &mut Link, now: Duration) -> serde_json::Value {
    sent(link);
    link.disconnected(now, Failure::Closed);
    link.start();
    link.connected(now);
    let hello = sent(link).remove(0);
    assert_eq!(hello["type"], "hello");
    link.received(now, WELCOME.split_inclusive(|byte| *byte == b'\n').next().unwrap());
    sent(link);
    hello["rooms"].clone()
}

#[test]
fn next_connection_is_where_we_wanted_to_be_whatever_was_answered() {
    let mut link = online();
    link.request(Request::Join { room: "DEV".to_owned() });
    assert_eq!(rooms_of_hello(&mut link, Duration::ZERO), serde_json::json!(["lobby", "DEV"]));
    link.received(Duration::ZERO, b"{\"type\":\"joined\",\"room\":\"dev\",\"sequence\":1}\n");
    link.request(Request::Leave { room: "lobby".to_owned() });
    // What comes before the server has heard of it changes nothing.
    link.received(Duration::ZERO, b"{\"type\":\"joined\",\"room\":\"lobby\",\"sequence\":5}\n");
    assert!(!link.is_wanted("lobby") && link.is_wanted("Dev"));
    assert_eq!(rooms_of_hello(&mut link, Duration::ZERO), serde_json::json!(["dev"]));
    let join = link.request(Request::Join { room: "ops".to_owned() });
    let refusal =
        format!("{{\"type\":\"refusal\",\"nonce\":\"{join}\",\"code\":\"room-full\",\"text\":\"no\"}}\n");
    link.received(Duration::ZERO, refusal.as_bytes());
    assert_eq!(rooms_of_hello(&mut link, Duration::ZERO), serde_json::json!(["dev"]));
    link.received(Duration::ZERO, b"{\"type\":\"left\",\"room\":\"dev\"}\n");
    assert_eq!(rooms_of_hello(&mut link, Duration::ZERO), serde_json::json!([]));
}

#[test]
fn home_is_entered_also_by_whoever_asks_for_another_room_before_they_are_in() {
    let mut link = Link::new(ann(), 1);
    link.start();
    link.request(Request::Join { room: "dev".to_owned() });
    link.connected(Duration::ZERO);
    assert!(sent(&mut link)[0].get("rooms").is_none());
    link.received(Duration::ZERO, WELCOME);
    assert_eq!(sent(&mut link).iter().filter(|line| line["type"] == "join").count(), 1);
}

#[test]
fn room_is_left_however_its_name_is_written_and_begins_anew_afterwards() {
    let mut link = online();
    link.request(Request::Join { room: "DevOps".to_owned() });
    link.request(Request::Leave { room: "devops".to_owned() });
    link.received(Duration::ZERO, b"{\"type\":\"joined\",\"room\":\"DEVOPS\",\"sequence\":7}\n");
    assert!(!link.is_wanted("devops"));
    link.request(Request::Leave { room: "LOBBY".to_owned() });
    link.request(Request::Join { room: "lobby".to_owned() });
    assert_eq!(link.seen("lobby"), None, "nothing is known of what was seen there before");
}

#[test]
fn home_is_entered_by_a_later_connection_if_the_first_one_ends_too_soon() {
    let mut link = greeting(ann());
    link.request(Request::Join { room: "dev".to_owned() });
    link.received(Duration::ZERO, WELCOME.split_inclusive(|byte| *byte == b'\n').next().unwrap());
    assert_eq!(*link.state(), State::Online);
    sent(&mut link);
    link.disconnected(Duration::ZERO, Failure::Closed);
    link.start();
    link.connected(Duration::ZERO);
    assert!(sent(&mut link)[0].get("rooms").is_none());
    link.received(Duration::ZERO, WELCOME);
    let joins = sent(&mut link).into_iter().filter(|line| line["type"] == "join");
    assert_eq!(joins.map(|line| line["room"].clone()).collect::<Vec<_>>(), ["dev"]);
}
