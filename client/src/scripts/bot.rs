//! `bot`: runs a command that talks in a room: it reads what others say, and what it prints is said.
//!
//! Where it stands: behind the command line. The command has its standard error from us; its standard input is written by a thread
//! ([`super::feeding`]), its standard output read by another, and a third waits for its end.
//!
//! What this file must never do: give the command what it said itself, or outlive it.

use super::feeding::Feeder;
use super::input::{self, AHEAD_MAX, Allowance, Input};
use super::printed::{Form, json_line, name_of};
use super::saying::Saying;
use super::visit::{Given, Happened, Patience, Visit, not_let_in};
use super::{BY_SIGNAL, FAILED, Problem, remark};
use crate::address::Address;
use crate::link::Otherwise;
use crate::session::Post;
use crate::wire::{Answer, Event, Gap, Happening};
use hub::Manner;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take to end when it is told to.
const ENDING_MAX: Duration = Duration::from_secs(5);
/// How long acknowledgements of what it said last are waited for.
const LAST_WORDS_MAX: Duration = Duration::from_secs(30);

/// What is run, and what it reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BotWanted {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Lines as people read them, or events.
    pub form: Form,
}

/// Runs it until it ends. Answers with its status.
///
/// # Errors
/// There was no connection, or it was not let in, or the command could not be started.
pub fn bot(address: &Address, wanted: &BotWanted) -> Result<u8, Problem> {
    let mut visit = Visit::start(address, Otherwise::Home, Patience::OnceThere)?;
    let room = visit.enter()?.room;
    let mut child = spawn(&wanted.command)?;
    let feeder = Feeder::start(child.stdin.take());
    let allowance = child.stdout.take().map(|stdout| input::read_lines(stdout, AHEAD_MAX, visit.poster()));
    watch(&child, visit.posts());
    let mut bot = Bot {
        saying: Saying::new(&room, Manner::Saying),
        room: room.to_string(),
        form: wanted.form,
        nicks: HashSet::new(),
        visit,
        child,
        feeder,
        allowance,
        has_exited: false,
        ending: None,
        kill_at: None,
        last_word: None,
    };
    let ended = bot.run();
    let status = bot.end();
    bot.visit.leave();
    ended?;
    status
}

/// What is posted beside the network.
enum BotInput {
    Line(Input),
    Exited,
}

impl From<Input> for BotInput {
    fn from(input: Input) -> BotInput {
        BotInput::Line(input)
    }
}

struct Bot {
    visit: Visit<BotInput>,
    saying: Saying,
    room: String,
    form: Form,
    /// What we are or were called.
    nicks: HashSet<String>,
    child: Child,
    feeder: Feeder,
    allowance: Option<Allowance>,
    has_exited: bool,
    /// The signal that ends us.
    ending: Option<i32>,
    /// When the command is killed, which happens once.
    kill_at: Option<Instant>,
    /// Until when the last words of a command that has ended are waited for.
    last_word: Option<Instant>,
}

impl Bot {
    /// Until the command has ended and what it said is acknowledged.
    fn run(&mut self) -> Result<(), Problem> {
        while !self.is_over() {
            match self.visit.next(self.deadline())? {
                Happened::Given(BotInput::Line(input)) => {
                    if let Some(allowance) = &self.allowance {
                        self.saying.read(input, &mut self.visit, allowance);
                    }
                }
                Happened::Given(BotInput::Exited) => {
                    self.has_exited = true;
                    self.last_word = Some(Instant::now() + ENDING_MAX);
                }
                Happened::Told { answer, line } => self.told(&answer, &line)?,
                Happened::Signal(number) => self.told_to_end(number),
                Happened::Nothing if !self.has_exited && self.kill_at.take().is_some() => {
                    self.kill(Signal::KILL);
                }
                Happened::Nothing | Happened::Unanswered(_) => {}
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let is_late = |end: Instant| end <= Instant::now();
        let is_read = self.saying.is_over || self.last_word.is_some_and(is_late);
        let is_said = self.saying.waiting() == 0 || is_late(self.saying.progressed + LAST_WORDS_MAX);
        self.has_exited && is_read && is_said
    }

    fn deadline(&self) -> Option<Instant> {
        if self.has_exited {
            let unread = self.last_word.filter(|_| !self.saying.is_over);
            return unread.or(Some(self.saying.progressed + LAST_WORDS_MAX));
        }
        self.kill_at
    }

    fn told_to_end(&mut self, number: i32) {
        if self.ending.is_none() {
            self.ending = Some(number);
            self.kill_at = Some(Instant::now() + ENDING_MAX);
            self.kill(Signal::TERM);
        }
    }

    /// Signals the command. It has not been waited for, so that its number is nobody else's.
    fn kill(&self, signal: Signal) {
        // It may be over already.
        let _ = kill_process(Pid::from_child(&self.child), signal);
        if let (Signal::KILL, Some(_)) = (signal, self.ending) {
            remark("the command did not end, and was killed");
        }
    }

    fn told(&mut self, answer: &Answer, line: &[u8]) -> Result<(), Problem> {
        not_let_in(answer)?;
        self.nicks.extend(self.visit.nick().map(str::to_owned));
        if self.saying.hear(answer) {
            if let Some(allowance) = &self.allowance {
                allowance.grant(1);
            }
            return Ok(());
        }
        match answer {
            Answer::Event(event) if self.is_of_others(event) => self.give(event, line),
            Answer::Gap(gap) => self.tell_gap(gap),
            _ => {}
        }
        Ok(())
    }

    /// What we said ourselves is told as an event if its acknowledgement was on its way when a connection ended.
    fn is_of_others(&self, event: &Event) -> bool {
        let is_here = event.room.as_ref().is_none_or(|room| **room == *self.room);
        let is_own = |from: &crate::wire::Author| from.door.is_none() && self.nicks.contains(&*from.nick);
        is_here && !event.from.as_ref().is_some_and(is_own)
    }

    fn give(&self, event: &Event, line: &[u8]) {
        match self.form {
            Form::Json => {
                let written = serde_json::from_slice(line).unwrap_or_default();
                self.feeder.give(&json_line(written));
            }
            Form::Text => {
                let name = name_of(event.from.as_ref());
                match &event.what {
                    Happening::Said { text, .. } => {
                        text.lines().for_each(|line| self.feeder.give(&format!("<{name}> {line}")));
                    }
                    Happening::Acted { text, .. } => {
                        text.lines().for_each(|line| self.feeder.give(&format!("* {name} {line}")));
                    }
                    _ => {}
                }
            }
        }
    }

    fn tell_gap(&self, gap: &Gap) {
        if gap.room.as_deref() == Some(&*self.room)
            && let Some(messages) = gap.messages
        {
            remark(&format!(
                "{messages} messages were skipped, because they came faster than they were read"
            ));
        }
    }

    /// Sees to it that the command is over, and answers with its status.
    fn end(&mut self) -> Result<u8, Problem> {
        if !self.has_exited {
            self.kill(Signal::TERM);
            let deadline = Instant::now() + ENDING_MAX;
            while !self.has_exited && Instant::now() < deadline {
                // Whatever else happens does not matter any more.
                self.has_exited =
                    matches!(self.visit.next(Some(deadline)), Ok(Happened::Given(BotInput::Exited)));
            }
            // It may be over already.
            let _ = self.child.kill();
        }
        let status =
            self.child.wait().map_err(|error| Problem::Io { what: "cannot wait for the command", error })?;
        if self.saying.waiting() > 0 {
            remark(&format!("{} messages were not acknowledged", self.saying.waiting()));
        }
        match self.ending {
            Some(number) => Err(Problem::Signal(number)),
            None => Ok(status_of(status)),
        }
    }
}

/// As shells have it.
fn status_of(status: ExitStatus) -> u8 {
    let number = status.code().or_else(|| Some(BY_SIGNAL + status.signal()?));
    number.and_then(|number| u8::try_from(number).ok()).unwrap_or(FAILED)
}

fn spawn(command: &[OsString]) -> Result<Child, Problem> {
    let cannot = |error| Problem::Io { what: "cannot start the command", error };
    let (program, arguments) =
        command.split_first().ok_or_else(|| cannot(io::ErrorKind::InvalidInput.into()))?;
    Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(cannot)
}

/// Posts when it has ended, and leaves it to be waited for, so that nobody else gets its number before.
fn watch(child: &Child, posts: SyncSender<Post<Given<BotInput>>>) {
    let pid = Pid::from_child(child);
    thread::spawn(move || {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        // Nobody may be there any more.
        let _ = posts.send(Post::Given(Given::Own(BotInput::Exited)));
    });
}
