//! What all scripts do alike: come in, wait for what comes next, and give up if that is hopeless.
//!
//! Where it stands: between the session and each script.
//!
//! What this file must never do: go on after a signal has told it to end.

use super::input::Input;
use super::{Problem, remark};
use crate::address::Address;
use crate::chance::seed;
use crate::link::{End, Otherwise, Persistence, State, Wanted};
use crate::session::{Next, Post, Session};
use crate::wire::{Answer, Picture, Request};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, iterator::Signals};
use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection that was lost may stay away, if somebody waits for an answer.
const AWAY_MAX: Duration = Duration::from_secs(30);
/// How long a server that is there may take to answer: it looks through its history for much less.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// What is posted beside the network.
pub(super) enum Given<I> {
    Signal(i32),
    Own(I),
}

/// What comes next.
pub(super) enum Happened<I> {
    Told { answer: Answer, line: Vec<u8> },
    Unanswered(String),
    Given(I),
    Signal(i32),
    Nothing,
}

/// How long a script puts up with there being no connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Not if the first one fails; if a later one is lost, as long as somebody waits for an answer.
    Short,
    /// Not if the first one fails; after that its user says when it is enough.
    OnceThere,
    /// Its user says when it is enough, also if there is no server yet.
    Endless,
}

impl Patience {
    /// What it means for the link, which knows nothing of somebody who waits.
    fn persistence(self) -> Persistence {
        match self {
            Patience::Short | Patience::OnceThere => Persistence::OnceThere,
            Patience::Endless => Persistence::Always,
        }
    }
}

/// Something that was asked and is to be waited for.
pub(super) struct Question {
    request: Request,
    nonce: String,
    /// Until when.
    until: Instant,
}

impl Question {
    /// Whether it is about this that the server says so.
    pub(super) fn is_answered_by(&self, answer: &Answer) -> bool {
        answer.nonce() == Some(&self.nonce)
    }
}

/// A client of one server, as scripts use it.
pub(super) struct Visit<I> {
    session: Session<Given<I>>,
    server: String,
    asked_nick: Option<String>,
    told_nick: Option<String>,
    patience: Patience,
    away_since: Option<Instant>,
    answer_max: Duration,
}

impl<I: Send + 'static> Visit<I> {
    /// Connects, and listens to signals from now on.
    pub(super) fn start(
        address: &Address,
        otherwise: Otherwise,
        patience: Patience,
    ) -> Result<Visit<I>, Problem> {
        let rooms = address.room.iter().cloned().collect();
        let wanted = Wanted { nick: address.nick.clone(), rooms, otherwise, ..Wanted::default() };
        Visit::with(wanted, address, patience)
    }

    /// The same with other rooms than that of the address.
    pub(super) fn with(wanted: Wanted, address: &Address, patience: Patience) -> Result<Visit<I>, Problem> {
        let asked_nick = wanted.nick.clone();
        let wanted = Wanted { persistence: patience.persistence(), ..wanted };
        let session = Session::start(wanted, seed(), &address.host, address.port);
        watch_signals(session.posts())?;
        Ok(Visit {
            session,
            server: address.server(),
            asked_nick,
            told_nick: None,
            patience,
            away_since: None,
            answer_max: ANSWER_MAX,
        })
    }

    /// Where a thread of the script's own posts.
    pub(super) fn posts(&self) -> SyncSender<Post<Given<I>>> {
        self.session.posts()
    }

    /// What posts lines that a thread of the script's own reads.
    pub(super) fn poster(&self) -> impl FnMut(Input) -> ControlFlow<()> + Send + 'static
    where
        I: From<Input>,
    {
        let posts = self.session.posts();
        move |input| {
            let post = Post::Given(Given::Own(I::from(input)));
            posts.send(post).map_or(ControlFlow::Break(()), ControlFlow::Continue)
        }
    }

    pub(super) fn request(&mut self, request: Request) -> String {
        self.session.request(request)
    }

    /// What we are called.
    pub(super) fn nick(&self) -> Option<&str> {
        self.session.link().nick().map(|nick| &**nick)
    }

    /// Why there is no connection, if there is none at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        match self.session.link().state() {
            State::Waiting { why, .. } => Some(why.to_string()),
            State::Over(end) => Some(end.to_string()),
            State::Connecting | State::Greeting => Some("there is no connection yet".to_owned()),
            State::Resting | State::Online => None,
        }
    }

    /// Waits for what comes next, at the longest until then.
    ///
    /// # Errors
    /// There is no connection and will be none.
    pub(super) fn next(&mut self, until: Option<Instant>) -> Result<Happened<I>, Problem> {
        loop {
            let hopeless =
                self.away_since.filter(|_| self.patience == Patience::Short).map(|since| since + AWAY_MAX);
            match self.session.next(until.into_iter().chain(hopeless).min()) {
                Next::Told { answer, line } => return Ok(Happened::Told { answer, line }),
                Next::Unanswered(nonce) => return Ok(Happened::Unanswered(nonce)),
                Next::Given(Given::Signal(number)) => return Ok(Happened::Signal(number)),
                Next::Given(Given::Own(own)) => return Ok(Happened::Given(own)),
                Next::State => self.look_at_state()?,
                Next::Nothing if hopeless.is_some_and(|end| end <= Instant::now()) => {
                    return Err(self.given_up());
                }
                Next::Nothing => return Ok(Happened::Nothing),
            }
        }
    }

    /// Asks something that is to be waited for.
    pub(super) fn ask(&mut self, request: Request) -> Question {
        let nonce = self.request(request.clone());
        Question { request, nonce, until: Instant::now() + self.answer_max }
    }

    /// Waits for what the server says next: the answer to that, which is asked again if a connection ends before it is answered,
    /// or something else. Some have several pages.
    ///
    /// # Errors
    /// There is no connection and will be none, or the server does not answer, or a signal ends us.
    pub(super) fn next_told(&mut self, question: &mut Question) -> Result<(Answer, Vec<u8>), Problem> {
        loop {
            match self.next(Some(question.until))? {
                Happened::Told { answer, line } => {
                    if question.is_answered_by(&answer) {
                        question.until = Instant::now() + self.answer_max;
                    }
                    return Ok((answer, line));
                }
                Happened::Unanswered(nonce) if nonce == question.nonce => {
                    *question = self.ask(question.request.clone());
                }
                Happened::Signal(number) => return Err(Problem::Signal(number)),
                Happened::Nothing if question.until <= Instant::now() => {
                    // For how long it may be away is another question.
                    if *self.session.link().state() == State::Online {
                        return Err(self.given_up());
                    }
                    question.until = Instant::now() + self.answer_max;
                }
                _ => {}
            }
        }
    }

    /// Waits for the next answer to that. Whatever else happens meanwhile does not matter.
    ///
    /// # Errors
    /// It was refused, and as [`Visit::next_told`].
    pub(super) fn answer_to(&mut self, question: &mut Question) -> Result<(Answer, Vec<u8>), Problem> {
        loop {
            match self.next_told(question)? {
                (answer, _) if !question.is_answered_by(&answer) => {}
                (Answer::Refusal(refusal), _) => return Err(Problem::Refused(refusal.text.to_string())),
                told => return Ok(told),
            }
        }
    }

    /// Waits until it is in a room.
    pub(super) fn enter(&mut self) -> Result<Picture, Problem> {
        self.enter_by(Some(Instant::now() + self.answer_max))
    }

    /// The same, at the longest until then.
    pub(super) fn enter_by(&mut self, until: Option<Instant>) -> Result<Picture, Problem> {
        loop {
            match self.next(until)? {
                Happened::Told { answer: Answer::Joined(picture), .. } => return Ok(picture),
                Happened::Told { answer, .. } => not_let_in(&answer)?,
                Happened::Signal(number) => return Err(Problem::Signal(number)),
                _ if until.is_some_and(|until| until <= Instant::now()) => return Err(self.given_up()),
                _ => {}
            }
        }
    }

    /// Leaves. What was sent is written before.
    pub(super) fn leave(self) {
        self.session.quit();
    }

    fn look_at_state(&mut self) -> Result<(), Problem> {
        match self.session.link().state() {
            State::Over(end) => return Err(self.ended(end.clone())),
            State::Online => {
                self.away_since = None;
                self.tell_nick();
            }
            State::Waiting { why, .. } => {
                if self.away_since.is_none() {
                    self.away_since = Some(Instant::now());
                    tell_person(&format!("{}: {why}; trying again", self.server));
                }
            }
            State::Resting | State::Connecting | State::Greeting => {}
        }
        Ok(())
    }

    fn tell_nick(&mut self) {
        let nick = self.session.link().nick().map(ToString::to_string);
        if let (Some(asked), Some(nick)) = (&self.asked_nick, &nick)
            && asked != nick
            && self.told_nick.as_ref() != Some(nick)
        {
            tell_person(&format!("{asked} is taken; you are called {nick} there"));
        }
        self.told_nick = nick;
    }

    fn given_up(&self) -> Problem {
        let end = match self.session.link().state() {
            State::Waiting { why, .. } => End::Unreachable(why.clone()),
            State::Over(end) => end.clone(),
            _ => End::Unreachable(crate::link::Failure::Silent),
        };
        self.ended(end)
    }

    fn ended(&self, end: End) -> Problem {
        Problem::Ended { server: self.server.clone(), end }
    }
}

/// A room that the hello named cannot be entered: then there is nothing to do.
pub(super) fn not_let_in(answer: &Answer) -> Result<(), Problem> {
    match answer {
        Answer::Refusal(refusal) if refusal.nonce.is_none() && refusal.room.is_some() => {
            Err(Problem::Refused(refusal.text.to_string()))
        }
        _ => Ok(()),
    }
}

/// What only a person wants to know, and no log.
fn tell_person(text: &str) {
    if io::stderr().is_terminal() {
        remark(text);
    }
}

fn watch_signals<I: Send + 'static>(posts: SyncSender<Post<Given<I>>>) -> Result<(), Problem> {
    let cannot = |error| Problem::Io { what: "cannot wait for signals", error };
    let is_ending = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, the second finds it up and ends the process.
        flag::register_conditional_default(signal, is_ending.clone())
            .and_then(|_| flag::register(signal, is_ending.clone()))
            .map_err(cannot)?;
    }
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(cannot)?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if posts.send(Post::Given(Given::Signal(signal))).is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Patience, Visit};
    use crate::address::Address;
    use crate::link::Otherwise;
    use crate::wire::Request;
    use serde_json::{Value, json};
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    /// Lets everybody in, and answers nothing but whether it is there.
    fn serve(stream: &TcpStream) -> std::io::Result<()> {
        for line in BufReader::new(stream).lines() {
            let request: Value = serde_json::from_str(&line?)?;
            let answer = match request["type"].as_str() {
                Some("hello") => {
                    json!({"type": "welcome", "version": 1, "server": "x", "epoch": "e", "nick": "ann", "resume": {"secret": "s"}})
                }
                Some("ping") => json!({"type": "pong", "nonce": request["nonce"]}),
                _ => continue,
            };
            writeln!(&mut &*stream, "{answer}")?;
        }
        Ok(())
    }

    #[test]
    fn server_that_is_there_and_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || serve(&listener.accept().unwrap().0));
        let address = Address::parse(&format!("127.0.0.1:{port}")).unwrap();
        let mut visit: Visit<()> = Visit::start(&address, Otherwise::Nowhere, Patience::OnceThere).unwrap();
        visit.answer_max = Duration::from_millis(200);
        let mut question = visit.ask(Request::Rooms);
        let problem = visit.answer_to(&mut question).expect_err("it is given up");
        assert_eq!(problem.to_string(), format!("127.0.0.1:{port}: the server does not answer any more"));
        assert!(visit.enter().is_err());
    }
}
