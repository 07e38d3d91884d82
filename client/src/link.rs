//! One client's connection to a server, over all the sockets that it takes: what is said when, and what is known.
//!
//! Where it stands: whoever uses it (the screen, `say`, `tail`) makes requests and takes answers out; `net` carries its bytes. It
//! is pure: no socket, no clock; `now` is the time since any one moment.
//!
//! What was said and not acknowledged is said again on the next connection, in the same order and under the same nonces, so that
//! it is said once. What happened meanwhile is told from where we had read to, so that nothing is missing or doubled.
//!
//! What this file must never do: forget a request that has to be kept before it is answered, have more of them on their way
//! than the server remembers nonces of, or tell the same event twice.

mod backoff;
mod end;
mod lines;
mod requests;

pub use end::{End, Failure, Stranger};

use crate::wire::{self, Ack, Answer, Event, Picture, Refusal, Request, Resume, Shown, Welcome};
use backoff::Backoff;
use lines::{Cut, Lines};
use requests::Requests;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The version of the protocol that we speak.
const VERSION: u32 = 1;
/// How long a server may take to answer a hello.
const HELLO_MAX: Duration = Duration::from_secs(10);
/// So often the server is asked whether it is there, which also tells how far away it is.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A server of which nothing has been heard for so long, though it was asked, is not there any more.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// Whoever is refused for the moment tries again after so long.
const UNWRITTEN_PAUSE: Duration = Duration::from_secs(1);
/// Other names that are tried if one is taken: `ann-2` to `ann-9`.
const NICK_TRIES: u32 = 9;

/// What somebody wants of a server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// What to be called; a guest's name without it.
    pub nick: Option<String>,
    /// Where to be; in the home room if there is none here.
    pub rooms: Vec<String>,
    /// Who one was before.
    pub secret: Option<String>,
    /// What happens if there is no connection.
    pub persistence: Persistence,
}

/// What happens if there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Persistence {
    /// If the first one fails that is the end, because an address may be misspelled; after that it is tried for ever.
    #[default]
    OnceThere,
    /// It is tried for ever.
    Always,
}

/// How the connection is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing was asked for.
    Resting,
    /// A socket is being opened.
    Connecting,
    /// The server has been told who we are.
    Greeting,
    /// Everything works.
    Online,
    /// There is none; it is tried again.
    Waiting {
        /// When.
        until: Duration,
        /// Why there is none.
        why: Failure,
    },
    /// There is none and will be none.
    Over(End),
}

/// What the link wants done, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Open a connection; what was open is closed.
    Connect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Close the connection.
    Close,
    /// The server says this. Acknowledgements carry the nonce that [`Link::request`] answered with.
    Told(Answer),
    /// This request has no answer and will have none: its connection ended. Only of those that change nothing for good.
    Unanswered(String),
    /// [`Link::state`] has changed.
    State,
}

/// A client of one server.
pub struct Link {
    wanted: Wanted,
    nick_tries: u32,
    epoch: Option<Shown>,
    /// The last sequence that was read of each room and conversation.
    seen: BTreeMap<Shown, u64>,
    nick: Option<Shown>,
    limits: wire::Limits,
    state: State,
    was_online: bool,
    backoff: Backoff,
    lines: Lines,
    requests: Requests,
    /// What must happen by when in this state.
    deadline: Option<Duration>,
    ping: Ping,
    /// Nothing is sent before then.
    pause: Option<Duration>,
    /// Nothing can be written down, so nothing may be answered.
    is_in_trouble: bool,
    outputs: VecDeque<Output>,
}

#[derive(Default)]
struct Ping {
    heard: Duration,
    asked: Option<(String, Duration)>,
    latency: Option<Duration>,
}

impl Link {
    /// A link that rests. `seed` makes its nonces, which must not be those of any other client under the same secret, and the
    /// jitter of its patience.
    pub fn new(wanted: Wanted, seed: u64) -> Link {
        Link {
            wanted,
            nick_tries: 1,
            epoch: None,
            seen: BTreeMap::new(),
            nick: None,
            limits: wire::Limits::default(),
            state: State::Resting,
            was_online: false,
            backoff: Backoff::new(seed),
            lines: Lines::default(),
            requests: Requests::new(seed),
            deadline: None,
            ping: Ping::default(),
            pause: None,
            is_in_trouble: false,
            outputs: VecDeque::new(),
        }
    }

    /// Connects.
    pub fn start(&mut self) {
        self.enter(State::Connecting, None);
        self.outputs.push_back(Output::Connect);
    }

    /// Makes a request, which is sent as soon as it can be. Answers with its nonce.
    pub fn request(&mut self, request: Request) -> String {
        let nonce = self.requests.add(request);
        self.send_what_may_be();
        nonce
    }

    /// The connection is open.
    pub fn connected(&mut self, now: Duration) {
        self.lines = Lines::default();
        self.ping = Ping { heard: now, ..Ping::default() };
        self.hello(now);
    }

    /// These bytes have come, cut anywhere.
    pub fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.ping.heard = now;
        let mut rest = bytes;
        while !matches!(self.state, State::Over(_) | State::Waiting { .. }) {
            match self.lines.next(&mut rest) {
                Cut::Line(line) => self.line(now, &line),
                Cut::Nothing => break,
                Cut::TooLong => self.end(End::Stranger(Stranger::Endless)),
            }
        }
        self.send_what_may_be();
    }

    /// The connection could not be opened, or has ended.
    pub fn disconnected(&mut self, now: Duration, why: Failure) {
        if matches!(self.state, State::Over(_) | State::Waiting { .. } | State::Resting) {
            return;
        }
        let rest = self.lines.take_rest();
        if self.state == State::Greeting && !rest.is_empty() {
            return self.end(End::Stranger(Stranger::who_says(&rest)));
        }
        self.retry(now, why);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        if self.pause.is_some_and(|pause| pause <= now) {
            self.pause = None;
            self.send_what_may_be();
        }
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match &self.state {
            State::Waiting { .. } => self.start(),
            State::Greeting if !self.was_online => self.end(End::Stranger(Stranger::Silent)),
            State::Greeting => self.give_up(now),
            State::Online => self.look_whether_it_is_there(now),
            State::Resting | State::Connecting | State::Over(_) => self.deadline = None,
        }
    }

    /// When [`Link::tick`] is next to be called; asked again after every other call.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline.into_iter().chain(self.pause).min()
    }

    /// Tries at once instead of waiting, if it waits.
    pub fn hurry(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.start();
        }
    }

    /// Leaves for good. What was not sent is not said any more; ask [`Link::unacknowledged`] before.
    pub fn quit(&mut self, reason: Option<String>) {
        if self.state == State::Online {
            self.outputs.push_back(Output::Send(Request::Quit { reason }.line(None)));
        }
        self.end(End::Left);
    }

    /// The next thing to be done.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How the connection is doing.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How long the server took to answer the last time that it was asked.
    pub fn latency(&self) -> Option<Duration> {
        self.ping.latency
    }

    /// What we are called, once the server has said so.
    pub fn nick(&self) -> Option<&Shown> {
        self.nick.as_ref()
    }

    /// Names the server's history, once the server has said so.
    pub fn epoch(&self) -> Option<&Shown> {
        self.epoch.as_ref()
    }

    /// The server's bounds.
    pub fn limits(&self) -> wire::Limits {
        self.limits
    }

    /// How many requests that have to be kept are not acknowledged, sent or not.
    pub fn unacknowledged(&self) -> usize {
        self.requests.kept()
    }

    /// The last sequence that was read in a room.
    pub fn seen(&self, room: &str) -> Option<u64> {
        self.seen.get(room).copied()
    }

    fn hello(&mut self, now: Duration) {
        let resume = self.wanted.secret.clone().map(|secret| Resume {
            secret,
            epoch: self.epoch.as_ref().map(ToString::to_string),
            rooms: match self.epoch {
                Some(_) => self.seen.iter().map(|(room, seen)| (room.to_string(), *seen)).collect(),
                None => BTreeMap::new(),
            },
        });
        let rooms = Some(self.wanted.rooms.clone()).filter(|rooms| !rooms.is_empty() || self.was_online);
        let hello = Request::Hello { version: VERSION, nick: self.nick_to_try(), rooms, resume };
        self.enter(State::Greeting, Some(now + HELLO_MAX));
        self.outputs.push_back(Output::Send(hello.line(None)));
    }

    /// `ann`, then `ann-2` and so on, then a guest's name.
    fn nick_to_try(&self) -> Option<String> {
        let nick = self.wanted.nick.as_ref()?;
        match self.nick_tries {
            1 => Some(nick.clone()),
            tries if tries <= NICK_TRIES => {
                let suffix = format!("-{tries}");
                let kept: String = nick.chars().take(hub::NICK_CHARS_MAX - suffix.len()).collect();
                Some(kept + &suffix)
            }
            _ => None,
        }
    }

    fn line(&mut self, now: Duration, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if line.first() != Some(&b'{') {
            return self.end(End::Stranger(Stranger::who_says(line)));
        }
        match wire::read(line) {
            Ok(answer) => self.answer(now, answer),
            Err(unreadable) => self.end(End::Stranger(Stranger::Unreadable(unreadable.why))),
        }
    }

    fn answer(&mut self, now: Duration, answer: Answer) {
        match &answer {
            Answer::Welcome(welcome) if self.state == State::Greeting => {
                let welcome = welcome.clone();
                self.welcome(now, &welcome);
            }
            Answer::Refusal(refusal) if self.state == State::Greeting => {
                let refusal = refusal.clone();
                if self.hello_refused(now, &refusal) {
                    return;
                }
            }
            Answer::Refusal(refusal) => {
                if self.requested_too_early(now, refusal) {
                    return;
                }
            }
            Answer::Joined(picture) => self.joined(picture),
            Answer::Picture(picture) => raise(&mut self.seen, &picture.room, picture.sequence),
            Answer::Event(event) => {
                if !self.is_news(event) {
                    return;
                }
            }
            Answer::Ack(ack) => self.acknowledged(ack),
            Answer::Left { room, .. } => {
                self.wanted.rooms.retain(|known| known != &**room);
                self.seen.remove(room);
            }
            Answer::Nick { nick, .. } => {
                self.nick = Some(nick.clone());
                self.wanted.nick = Some(nick.to_string());
                self.nick_tries = 1;
            }
            Answer::Pong { nonce } => self.pong(now, nonce.as_deref()),
            Answer::Bye(bye) if &*bye.code == "resumed" => return self.end(End::Elsewhere),
            _ => {}
        }
        self.requests.answered(&answer);
        self.outputs.push_back(Output::Told(answer));
    }

    fn welcome(&mut self, now: Duration, welcome: &Welcome) {
        if welcome.version != VERSION {
            return self.end(End::Version(welcome.server.clone()));
        }
        if self.epoch.as_ref().is_some_and(|epoch| *epoch != welcome.epoch) {
            self.seen.clear();
        }
        self.epoch = Some(welcome.epoch.clone());
        self.wanted.secret = Some(welcome.resume.secret.clone());
        self.nick = Some(welcome.nick.clone());
        self.limits = welcome.limits;
        self.was_online = true;
        self.is_in_trouble = false;
        self.backoff.reset();
        self.enter(State::Online, None);
        self.ask_whether_it_is_there(now);
    }

    /// Whether it says hello again, or gives up: then nobody else needs to hear of it.
    fn hello_refused(&mut self, now: Duration, refusal: &Refusal) -> bool {
        match &*refusal.code {
            "nick-taken" | "nick-looks-like" if self.nick_to_try().is_some() => {
                self.nick_tries += 1;
                self.hello(now);
            }
            "bad-secret" if self.wanted.secret.take().is_some() => {
                self.epoch = None;
                self.seen.clear();
                self.hello(now);
            }
            "bad-version" => self.end(End::Version(refusal.text.clone())),
            _ => self.end(End::Refused(refusal.text.clone())),
        }
        true
    }

    /// Whether this was asked for while nothing could be written down: it is asked for again.
    fn requested_too_early(&mut self, now: Duration, refusal: &Refusal) -> bool {
        let nonce = refusal.nonce.as_deref().filter(|_| &*refusal.code == "unwritten");
        let is_again = nonce.is_some_and(|nonce| self.requests.send_again(nonce));
        if is_again {
            self.pause = Some(now + UNWRITTEN_PAUSE);
        }
        is_again
    }

    fn joined(&mut self, picture: &Picture) {
        if !self.wanted.rooms.iter().any(|room| *room == *picture.room) {
            // However it was written when it was asked for.
            let key = hub::key_of(&picture.room);
            self.wanted.rooms.retain(|room| hub::key_of(room.trim_start_matches('#')) != key);
            self.wanted.rooms.push(picture.room.to_string());
        }
        if !picture.resumed {
            self.seen.insert(picture.room.clone(), picture.sequence);
        }
    }

    /// Whether an event is told for the first time.
    fn is_news(&mut self, event: &Event) -> bool {
        if let wire::Happening::Journal { trouble } = &event.what {
            self.is_in_trouble = trouble.is_some();
        }
        let (Some(room), Some(sequence)) = (&event.room, event.sequence) else { return true };
        let is_known = self.seen.get(room).is_some_and(|seen| *seen >= sequence);
        raise(&mut self.seen, room, sequence);
        !is_known
    }

    fn acknowledged(&mut self, ack: &Ack) {
        raise(&mut self.seen, &ack.room, ack.sequence);
    }

    fn pong(&mut self, now: Duration, nonce: Option<&str>) {
        if let Some((asked, at)) = &self.ping.asked
            && nonce == Some(asked)
        {
            self.ping.latency = Some(now.saturating_sub(*at));
            self.ping.asked = None;
            self.outputs.push_back(Output::State);
        }
        self.deadline = Some(now + PING_EVERY);
    }

    fn ask_whether_it_is_there(&mut self, now: Duration) {
        let nonce = self.requests.nonce();
        self.outputs.push_back(Output::Send(Request::Ping.line(Some(&nonce))));
        self.ping.asked = Some((nonce, now));
        self.deadline = Some(now + SILENCE_MAX);
    }

    fn look_whether_it_is_there(&mut self, now: Duration) {
        let is_silent = now >= self.ping.heard + SILENCE_MAX && !self.is_in_trouble;
        match self.ping.asked {
            Some(_) if is_silent => self.give_up(now),
            Some(_) => self.deadline = Some(now + PING_EVERY),
            None => self.ask_whether_it_is_there(now),
        }
    }

    fn give_up(&mut self, now: Duration) {
        self.outputs.push_back(Output::Close);
        self.retry(now, Failure::Silent);
    }

    fn retry(&mut self, now: Duration, why: Failure) {
        let unanswered = self.requests.disconnected();
        self.outputs.extend(unanswered.into_iter().map(Output::Unanswered));
        self.pause = None;
        self.ping = Ping::default();
        if !self.was_online && self.wanted.persistence == Persistence::OnceThere {
            return self.enter(State::Over(End::Unreachable(why)), None);
        }
        let until = now + self.backoff.next();
        self.enter(State::Waiting { until, why }, Some(until));
    }

    fn end(&mut self, end: End) {
        self.outputs.push_back(Output::Close);
        self.pause = None;
        self.enter(State::Over(end), None);
    }

    fn enter(&mut self, state: State, deadline: Option<Duration>) {
        self.state = state;
        self.deadline = deadline;
        self.outputs.push_back(Output::State);
    }

    fn send_what_may_be(&mut self) {
        if self.state == State::Online && self.pause.is_none() {
            let bytes = self.requests.take_sendable();
            if !bytes.is_empty() {
                self.outputs.push_back(Output::Send(bytes));
            }
        }
    }
}

fn raise(seen: &mut BTreeMap<Shown, u64>, room: &Shown, sequence: u64) {
    match seen.get_mut(room) {
        Some(seen) => *seen = (*seen).max(sequence),
        None => drop(seen.insert(room.clone(), sequence)),
    }
}
