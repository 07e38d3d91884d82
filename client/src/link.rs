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

pub(crate) use end::{End, Failure, Stranger};

use crate::net::NetEvent;
use crate::wire::{self, Answer, Event, Gap, Picture, Refusal, Request, Resume, Shown, Welcome};
use backoff::Backoff;
use lines::{Cut, Lines};
use requests::Requests;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

/// The version of the protocol that we speak.
const VERSION: u32 = 1;
/// How long a server may take to answer a hello.
const HELLO_MAX: Duration = Duration::from_secs(10);
/// So often the server is asked whether it is there, which also tells how far away it is.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A server of which nothing has been heard for so long, though it was asked, is not there any more.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// A connection that held for so long was a good one: when it ends, the next one is tried at once.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// Whoever is refused for the moment tries again after so long.
const UNWRITTEN_PAUSE: Duration = Duration::from_secs(1);
/// Other names that are tried if one is taken: `ann-2` to `ann-9`.
const NICK_TRIES: u32 = 9;
/// Of so many rooms and conversations it is remembered how far they were read: far more than a server lets anybody have, so that
/// only one that means no good comes to that.
const SEEN_MAX: usize = 10_000;
/// What a Roomful server's own line begins with in plain text, which it writes to those of whom it knows nothing but their address:
/// why they may not come in, or, if nothing has come from them for a moment, a greeting.
const REMARK: &[u8] = b"-- ";

/// What somebody wants of a server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wanted {
    /// What to be called; a guest's name without it.
    pub nick: Option<String>,
    /// Where to be, without `#`.
    pub rooms: Vec<String>,
    /// Where to be if that is nowhere.
    pub otherwise: Otherwise,
    /// Who one was before.
    pub secret: Option<String>,
    /// What happens if there is no connection.
    pub persistence: Persistence,
}

/// Where somebody is who names no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Otherwise {
    /// In the home room.
    #[default]
    Home,
    /// In none: to ask which rooms there are, and who is there, one need not be in any.
    Nowhere,
}

/// What happens if there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Persistence {
    /// If the first one fails that is the end, because an address may be misspelled; after that it is tried for ever.
    #[default]
    OnceThere,
    /// It is tried for ever.
    Always,
}

/// How the connection is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
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
pub(crate) enum Output {
    /// Open a connection; what was open is closed.
    Connect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Close the connection.
    Close,
    /// The server says this. Acknowledgements carry the nonce that [`Link::request`] answered with. What we said ourselves may be
    /// told as an event before its acknowledgement, if that was on its way when a connection ended: both have the same sequence.
    Told(Answer),
    /// This request has no answer and will have none: its connection ended, or it named a message of a history that the server no
    /// longer has. What only has to be kept is never among them.
    Unanswered(String),
    /// [`Link::state`] has changed.
    State,
}

/// A client of one server.
pub(crate) struct Link {
    wanted: Wanted,
    /// Whether no room was named when it began, and none was entered so far: the home room is entered then, whatever else is
    /// asked for by the time.
    begins_at_home: bool,
    nick_tries: u32,
    epoch: Option<Shown>,
    /// The last sequence that was read of each room and conversation.
    seen: BTreeMap<Shown, u64>,
    nick: Option<Shown>,
    state: State,
    was_online: bool,
    /// Since when the server has let us in.
    online_since: Option<Duration>,
    backoff: Backoff,
    lines: Lines,
    plain: Plain,
    requests: Requests,
    /// What must happen by when in this state.
    deadline: Option<Duration>,
    ping: Ping,
    /// Nothing is sent before then.
    pause: Option<Duration>,
    /// Nothing can be written down, so nothing may be answered.
    is_in_trouble: bool,
    outputs: VecDeque<(Output, Vec<u8>)>,
}

/// What a Roomful server has said in plain text on this connection, before it knew that we speak JSON.
#[derive(Default)]
enum Plain {
    #[default]
    Nothing,
    /// One line. If nothing follows, it is why we may not come in.
    Remark(Shown),
    /// More than that: our hello was late, and we were greeted like somebody who types. It answers all the same.
    Greeting,
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
    pub(crate) fn new(wanted: Wanted, seed: u64) -> Link {
        Link {
            begins_at_home: wanted.rooms.is_empty() && wanted.otherwise == Otherwise::Home,
            wanted,
            nick_tries: 1,
            epoch: None,
            seen: BTreeMap::new(),
            nick: None,
            state: State::Resting,
            was_online: false,
            online_since: None,
            backoff: Backoff::new(seed),
            lines: Lines::default(),
            plain: Plain::default(),
            requests: Requests::new(seed),
            deadline: None,
            ping: Ping::default(),
            pause: None,
            is_in_trouble: false,
            outputs: VecDeque::new(),
        }
    }

    /// Connects.
    pub(crate) fn start(&mut self) {
        self.enter(State::Connecting, None);
        self.put(Output::Connect);
    }

    /// Makes a request, which is sent as soon as it can be. Answers with its nonce.
    ///
    /// Where to be is remembered from now on: if the connection ends before a room is entered or left, then the next one sees to
    /// that, and whoever waits for an answer is told that there is none.
    pub(crate) fn request(&mut self, request: Request) -> String {
        match &request {
            Request::Join { room } if !self.is_wanted(room) => self.wanted.rooms.push(room.clone()),
            Request::Leave { room } => {
                self.begins_at_home = false;
                self.unwant(room);
                // Whoever comes back begins anew.
                let key = hub::key_of(room);
                self.seen.retain(|seen, _| hub::key_of(seen) != key);
            }
            _ => {}
        }
        let nonce = self.requests.add(request);
        self.send_what_may_be();
        nonce
    }

    /// The connection is open.
    pub(crate) fn connected(&mut self, now: Duration) {
        self.lines = Lines::default();
        self.plain = Plain::default();
        self.ping = Ping { heard: now, ..Ping::default() };
        self.hello(now);
    }

    /// These bytes have come, cut anywhere.
    pub(crate) fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.ping.heard = now;
        let mut rest = bytes;
        while !matches!(self.state, State::Over(_) | State::Waiting { .. }) {
            match self.lines.next(&mut rest) {
                Cut::Line(line) => self.line(now, line),
                Cut::Nothing => break,
                Cut::TooLong => self.end(End::Stranger(Stranger::Endless)),
            }
        }
        self.send_what_may_be();
    }

    /// The connection could not be opened, or has ended.
    pub(crate) fn disconnected(&mut self, now: Duration, why: Failure) {
        if matches!(self.state, State::Over(_) | State::Waiting { .. } | State::Resting) {
            return;
        }
        let rest = self.lines.take_rest();
        let is_strange = !rest.is_empty() && rest.first() != Some(&b'{');
        if self.state == State::Greeting && is_strange {
            self.strange(now, &rest);
        }
        match (std::mem::take(&mut self.plain), &self.state) {
            (_, State::Over(_) | State::Waiting { .. }) => {}
            (Plain::Remark(remark), State::Greeting) => self.not_let_in(now, remark),
            _ => self.retry(now, why),
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Duration) {
        if self.pause.is_some_and(|pause| pause <= now) {
            self.pause = None;
            self.send_what_may_be();
        }
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match &self.state {
            State::Waiting { .. } => self.start(),
            State::Greeting if !self.comes_again() => self.end(End::Stranger(Stranger::Silent)),
            State::Greeting => self.give_up(now, Failure::Silent),
            State::Online => self.look_whether_it_is_there(now),
            State::Resting | State::Connecting | State::Over(_) => self.deadline = None,
        }
    }

    /// When [`Link::tick`] is next to be called; asked again after every other call.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline.into_iter().chain(self.pause).min()
    }

    /// Tries at once instead of waiting, if it waits.
    pub(crate) fn hurry(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.start();
        }
    }

    /// Leaves for good. What was not sent is not said any more; ask [`Link::unacknowledged`] before.
    pub(crate) fn quit(&mut self, reason: Option<String>) {
        if self.state == State::Online {
            self.put(Output::Send(Request::Quit { reason }.line(None)));
        }
        self.end(End::Left);
    }

    /// Takes in what happens on the network.
    pub(crate) fn happened(&mut self, now: Duration, event: NetEvent) {
        match event {
            NetEvent::Connected => self.connected(now),
            NetEvent::Received(bytes) => self.received(now, &bytes),
            NetEvent::Disconnected(why) => self.disconnected(now, why),
        }
    }

    /// Whether anything is to be done.
    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// The next thing to be done.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.poll_with_line().map(|(output, _)| output)
    }

    /// The same, with the line that told it, as the server wrote it: unclean, and empty if none did.
    pub(crate) fn poll_with_line(&mut self) -> Option<(Output, Vec<u8>)> {
        self.outputs.pop_front()
    }

    /// How the connection is doing.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// How long the server took to answer the last time that it was asked.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.ping.latency
    }

    /// What we are called, once the server has said so.
    pub(crate) fn nick(&self) -> Option<&Shown> {
        self.nick.as_ref()
    }

    /// What makes us the same client the next time.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.wanted.secret.as_deref()
    }

    /// Names the server's history, once the server has said so.
    pub(crate) fn epoch(&self) -> Option<&Shown> {
        self.epoch.as_ref()
    }

    /// How many requests that have to be kept are not acknowledged, sent or not.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.requests.kept()
    }

    /// The last sequence that was read in a room.
    pub(crate) fn seen(&self, room: &str) -> Option<u64> {
        self.seen.get(room).copied()
    }

    fn hello(&mut self, now: Duration) {
        let resume = self.wanted.secret.clone().map(|secret| Resume {
            secret,
            epoch: self.epoch.as_ref().map(ToString::to_string),
            rooms: match self.epoch {
                Some(_) => self.to_resume(),
                None => BTreeMap::new(),
            },
        });
        let rooms = (!self.begins_at_home).then(|| self.wanted.rooms.clone());
        let hello = Request::Hello { version: VERSION, nick: self.nick_to_try(), rooms, resume };
        self.enter(State::Greeting, Some(now + HELLO_MAX));
        self.put(Output::Send(hello.line(None)));
    }

    /// How far each room was read in which we want to be, and each conversation.
    fn to_resume(&self) -> BTreeMap<String, u64> {
        let wanted: HashSet<String> = self.wanted.rooms.iter().map(|room| hub::key_of(room)).collect();
        let is_over = |room: &str| !room.starts_with('@') && !wanted.contains(&hub::key_of(room));
        let seen = self.seen.iter().filter(|(room, _)| !is_over(room));
        seen.map(|(room, seen)| (room.to_string(), *seen)).collect()
    }

    /// Whether we want to be in a room, however its name is written.
    pub(crate) fn is_wanted(&self, room: &str) -> bool {
        let key = hub::key_of(room);
        self.wanted.rooms.iter().any(|wanted| hub::key_of(wanted) == key)
    }

    fn unwant(&mut self, room: &str) {
        let key = hub::key_of(room);
        self.wanted.rooms.retain(|wanted| hub::key_of(wanted) != key);
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

    fn line(&mut self, now: Duration, line: Vec<u8>) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if line.first() != Some(&b'{') {
            return self.strange(now, &line);
        }
        match wire::read(&line) {
            Ok(answer) => self.answer(now, answer, line),
            Err(unreadable) => self.end(End::Stranger(Stranger::Unreadable(unreadable.why))),
        }
    }

    /// Something that is no JSON. Where a Roomful server has been before, something else may be in its place for a while.
    fn strange(&mut self, now: Duration, line: &[u8]) {
        let remark = line.strip_prefix(REMARK).map(|remark| String::from_utf8_lossy(remark));
        let remark = remark.map(|remark| Shown::new(remark.trim_end()));
        let is_greeting = self.state == State::Greeting;
        match (std::mem::take(&mut self.plain), remark) {
            (Plain::Nothing, Some(remark)) if is_greeting => self.plain = Plain::Remark(remark),
            // What people say in the room is among it, too.
            (Plain::Remark(_) | Plain::Greeting, _) if is_greeting => self.plain = Plain::Greeting,
            (_, Some(remark)) => self.not_let_in(now, remark),
            (_, None) if self.was_online => {
                self.give_up(now, Failure::Other(Stranger::who_says(line).to_string()));
            }
            (_, None) => self.end(End::Stranger(Stranger::who_says(line))),
        }
    }

    /// A Roomful server does not want us, and has said why.
    fn not_let_in(&mut self, now: Duration, why: Shown) {
        if self.comes_again() {
            self.give_up(now, Failure::Other(why.to_string()));
        } else {
            self.end(End::Refused(why));
        }
    }

    fn comes_again(&self) -> bool {
        self.was_online || self.wanted.persistence == Persistence::Always
    }

    fn answer(&mut self, now: Duration, answer: Answer, line: Vec<u8>) {
        if self.is_told(now, &answer) {
            let is_kept = self.requests.answered(&answer);
            if is_kept && matches!(answer, Answer::Ack(_)) {
                // It goes on, however often the connection breaks.
                self.backoff.reset();
            }
            self.outputs.push_back((Output::Told(answer), line));
        }
    }

    /// Takes in what an answer means to the link. Whether anybody else is to hear of it.
    fn is_told(&mut self, now: Duration, answer: &Answer) -> bool {
        match answer {
            Answer::Welcome(welcome) if self.state == State::Greeting => {
                return self.is_welcome(now, welcome);
            }
            Answer::Refusal(refusal) if self.state == State::Greeting => {
                self.hello_refused(now, refusal);
                return false;
            }
            Answer::Refusal(refusal) if self.is_too_early(now, refusal) => return false,
            Answer::Refusal(refusal) => self.refused(refusal),
            Answer::Joined(picture) => self.joined(picture),
            Answer::Event(event) => return self.is_news(event),
            Answer::Gap(gap) => self.passed_over(gap),
            Answer::Ack(ack) => self.raise(&ack.room, ack.sequence),
            Answer::Left { nonce, room } => {
                // What we have asked for ourselves is not wanted since then, or is wanted again.
                if nonce.is_none() {
                    self.unwant(room);
                }
                self.seen.remove(room);
            }
            Answer::Nick { nick, .. } => {
                self.nick = Some(nick.clone());
                self.wanted.nick = Some(nick.to_string());
                self.nick_tries = 1;
            }
            Answer::Pong { nonce } => self.pong(now, nonce.as_deref()),
            Answer::Bye(bye) if &*bye.code == "resumed" => {
                self.end(End::Elsewhere);
                return false;
            }
            _ => {}
        }
        true
    }

    /// Whether we are in now.
    fn is_welcome(&mut self, now: Duration, welcome: &Welcome) -> bool {
        if welcome.version != VERSION {
            self.end(End::Version(welcome.server.clone()));
            return false;
        }
        if self.epoch.as_ref().is_some_and(|epoch| *epoch != welcome.epoch) {
            self.forget_history();
        }
        self.epoch = Some(welcome.epoch.clone());
        self.wanted.secret = Some(welcome.resume.secret.clone());
        self.nick = Some(welcome.nick.clone());
        self.was_online = true;
        self.is_in_trouble = false;
        self.online_since = Some(now);
        self.enter(State::Online, None);
        self.ask_for_rooms_besides_home();
        self.ask_whether_it_is_there(now);
        true
    }

    /// The server has another history than it had: sequences mean nothing any more.
    fn forget_history(&mut self) {
        self.epoch = None;
        self.seen.clear();
        let unanswered = self.requests.forget_targets();
        self.unanswered(unanswered);
    }

    /// Says hello again, waits, or gives up: nobody else needs to hear of it.
    fn hello_refused(&mut self, now: Duration, refusal: &Refusal) {
        match &*refusal.code {
            "nick-taken" | "nick-looks-like" if self.nick_to_try().is_some() => {
                self.nick_tries += 1;
                self.hello(now);
            }
            "bad-secret" if self.wanted.secret.take().is_some() => {
                self.forget_history();
                self.hello(now);
            }
            "bad-version" => self.end(End::Version(refusal.text.clone())),
            // It is full, or in trouble: that passes.
            "too-many" | "unwritten" => self.give_up(now, Failure::Other(refusal.text.to_string())),
            _ => self.end(End::Refused(refusal.text.clone())),
        }
    }

    /// Whether this was asked for while nothing could be written down: then it is asked for again.
    fn is_too_early(&mut self, now: Duration, refusal: &Refusal) -> bool {
        if &*refusal.code != "unwritten" {
            return false;
        }
        match (&refusal.nonce, &refusal.room) {
            (Some(nonce), _) if self.requests.send_again(nonce) => {
                self.pause = Some(now + UNWRITTEN_PAUSE);
                true
            }
            // A room of the hello: there is no way to say hello twice on one connection.
            (None, Some(_)) => {
                self.give_up(now, Failure::Other(refusal.text.to_string()));
                true
            }
            _ => false,
        }
    }

    /// A hello that names no room leads home. Rooms for which we asked on a connection that has ended are asked for again behind it.
    fn ask_for_rooms_besides_home(&mut self) {
        if self.begins_at_home {
            for room in self.wanted.rooms.clone() {
                if !self.requests.is_joining(&room) {
                    self.requests.add(Request::Join { room });
                }
            }
        }
    }

    /// A room that was asked for is not entered. One that a hello named is asked for again by the next one.
    fn refused(&mut self, refusal: &Refusal) {
        let asked = refusal.nonce.as_deref().and_then(|nonce| self.requests.get(nonce));
        if let Some(Request::Join { room }) = asked
            && &*refusal.code != "already-in-room"
        {
            let room = room.clone();
            self.unwant(&room);
        }
    }

    fn joined(&mut self, picture: &Picture) {
        self.begins_at_home = false;
        let is_known = self.wanted.rooms.iter().any(|room| *room == *picture.room);
        if !is_known && !self.requests.is_leaving(&picture.room) {
            // However it was written when it was asked for.
            self.unwant(&picture.room);
            self.wanted.rooms.push(picture.room.to_string());
        }
        if !picture.resumed {
            self.seen.remove(&picture.room);
            self.raise(&picture.room, picture.sequence);
        }
    }

    /// What was passed over is told as that, and not again. A picture says nothing of the kind: what lies before it may still come.
    fn passed_over(&mut self, gap: &Gap) {
        if let (Some(room), Some(to)) = (&gap.room, gap.to) {
            self.raise(room, to);
        }
    }

    /// Whether an event is told for the first time.
    fn is_news(&mut self, event: &Event) -> bool {
        if let wire::Happening::Journal { trouble } = &event.what {
            self.is_in_trouble = trouble.is_some();
        }
        let (Some(room), Some(sequence)) = (&event.room, event.sequence) else { return true };
        let is_known = self.seen.get(room).is_some_and(|seen| *seen >= sequence);
        self.raise(room, sequence);
        !is_known
    }

    /// So far a room was read.
    fn raise(&mut self, room: &Shown, sequence: u64) {
        if let Some(seen) = self.seen.get_mut(room) {
            *seen = (*seen).max(sequence);
        } else if self.seen.len() < SEEN_MAX {
            self.seen.insert(room.clone(), sequence);
        } else {
            self.end(End::Stranger(Stranger::Unreadable("it tells of too many rooms".to_owned())));
        }
    }

    fn pong(&mut self, now: Duration, nonce: Option<&str>) {
        if let Some((asked, at)) = &self.ping.asked
            && nonce == Some(asked)
        {
            self.ping.latency = Some(now.saturating_sub(*at));
            self.ping.asked = None;
            self.deadline = Some(now + PING_EVERY);
            self.put(Output::State);
        }
    }

    fn ask_whether_it_is_there(&mut self, now: Duration) {
        let nonce = self.requests.nonce();
        self.put(Output::Send(Request::Ping.line(Some(&nonce))));
        self.ping.asked = Some((nonce, now));
        self.deadline = Some(now + SILENCE_MAX);
    }

    fn look_whether_it_is_there(&mut self, now: Duration) {
        // Behind acknowledgements that do not come nothing is answered.
        let is_excused = self.is_in_trouble && self.requests.has_kept_on_their_way();
        let is_silent = now >= self.ping.heard + SILENCE_MAX && !is_excused;
        match self.ping.asked {
            Some(_) if is_silent => self.give_up(now, Failure::Silent),
            Some(_) => self.deadline = Some(now + PING_EVERY),
            None => self.ask_whether_it_is_there(now),
        }
    }

    fn give_up(&mut self, now: Duration, why: Failure) {
        self.put(Output::Close);
        self.retry(now, why);
    }

    fn retry(&mut self, now: Duration, why: Failure) {
        let unanswered = self.requests.disconnected();
        self.unanswered(unanswered);
        // Not before: a server that lets us in and falls over is not to be asked four times a second.
        if self.online_since.take().is_some_and(|since| now >= since + GOOD_AFTER) {
            self.backoff.reset();
        }
        self.pause = None;
        self.ping = Ping::default();
        if !self.comes_again() {
            return self.enter(State::Over(End::Unreachable(why)), None);
        }
        let until = now + self.backoff.next();
        self.enter(State::Waiting { until, why }, Some(until));
    }

    fn unanswered(&mut self, nonces: Vec<String>) {
        self.outputs.extend(nonces.into_iter().map(|nonce| (Output::Unanswered(nonce), Vec::new())));
    }

    fn end(&mut self, end: End) {
        self.put(Output::Close);
        self.pause = None;
        self.enter(State::Over(end), None);
    }

    fn enter(&mut self, state: State, deadline: Option<Duration>) {
        self.state = state;
        self.deadline = deadline;
        self.put(Output::State);
    }

    fn put(&mut self, output: Output) {
        self.outputs.push_back((output, Vec::new()));
    }

    fn send_what_may_be(&mut self) {
        while self.state == State::Online && self.pause.is_none() {
            let bytes = self.requests.take_sendable();
            if bytes.is_empty() {
                return;
            }
            self.put(Output::Send(bytes));
        }
    }
}

#[cfg(test)]
mod tests;
