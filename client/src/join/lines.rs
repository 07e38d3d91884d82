//! The client line by line: for screen readers, braille displays, pipes and terminals that cannot do more.
//!
//! Where it stands: beside the screen; the model is the same, and prints instead of being drawn.
//!
//! What this file must never do: write anything but whole lines, or touch one again that was written.

use super::saving::Saving;
use super::{Clock, Join, Post, carry_out, input_of};
use crate::link::State;
use crate::model::{Effect, Input, Medium, Model, Size, Weight};
use crate::net::Net;
use crate::remembered::Remembered;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// At most so many things wait to be taken.
const WAITING_MAX: usize = 16;
/// A line that was typed or piped is no longer; what is longer is said in parts.
const LINE_BYTES_MAX: u64 = hub::TEXT_BYTES_MAX as u64;
/// While so many messages are not acknowledged nothing more is read from a pipe.
const UNACKNOWLEDGED_MAX: usize = 500;
/// At the end of the input, what was said is waited for for so long.
const LAST_WORDS: Duration = Duration::from_secs(30);
/// Where nothing is due, it is looked so often whether that is still so.
const PATIENCE_MAX: Duration = Duration::from_secs(3600);

/// What is posted beside the network.
enum Given {
    Line(String),
    /// There is no more to read.
    End,
    Signal,
}

/// Joins, until the person leaves.
pub(super) fn run(join: &Join, remembered: Remembered) -> Result<(), String> {
    let (posts, waiting) = sync_channel(WAITING_MAX);
    let address = &join.destination.address;
    let (go_on, may_read) = sync_channel(1);
    let mut lines = Lines {
        model: join.model(Medium::Lines, &remembered, Size { columns: 80, rows: 24 }),
        net: Net::new(address.host.clone(), address.port, posts.clone()),
        saving: Saving::start(remembered.store),
        clock: Clock::start(),
        go_on,
        has_begun: false,
        ending: None,
    };
    if let Some(remark) = &remembered.remark {
        print(&format!("-- {remark}"))?;
    }
    watch_signals(posts.clone())?;
    thread::spawn(move || read_lines(&posts, &may_read));
    let mut effects = lines.model.start(lines.clock.moment());
    while lines.carry_out(effects)?.is_continue() {
        lines.let_read();
        effects = lines.next(&waiting);
    }
    // Nothing is taken any more: whoever waits to post something must not be waited for when the connection is closed.
    drop(waiting);
    lines.saving.save(lines.model.remembered());
    lines.saving.end();
    join.how_it_ended(&lines.model)
}

struct Lines {
    model: Model,
    net: Net<Post<Given>>,
    saving: Saving,
    clock: Clock,
    /// Lets the reader of standard input read one more line.
    go_on: SyncSender<()>,
    /// There has been a room to say something in, or a word about why there is none.
    has_begun: bool,
    /// The input has ended: until when what was said last is waited for.
    ending: Option<Instant>,
}

impl Lines {
    /// Breaks off when the client is to end.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<ControlFlow<()>, String> {
        let mut flow = ControlFlow::Continue(());
        for effect in effects {
            match carry_out(&mut self.net, effect) {
                Some(Effect::Print(line)) => print(&line)?,
                Some(Effect::Remember) => self.saving.save(self.model.remembered()),
                Some(Effect::Notify { .. }) if io::stdout().is_terminal() => bell(),
                Some(Effect::Quit) => flow = ControlFlow::Break(()),
                _ => {}
            }
        }
        Ok(flow)
    }

    /// What is piped in is read no faster than it is acknowledged, and not before it is known where it could be said.
    fn let_read(&mut self) {
        let model = &self.model;
        let is_refused = model.note().is_some_and(|note| note.weight == Weight::Problem);
        self.has_begun |= *model.state() == State::Online && (model.room().is_some() || is_refused);
        if self.has_begun && !model.is_moving() && model.link().unacknowledged() < UNACKNOWLEDGED_MAX {
            // It has been told already, or nobody reads any more.
            let _ = self.go_on.try_send(());
        }
    }

    /// Waits for what comes next, and gives it to the model.
    fn next(&mut self, waiting: &Receiver<Post<Given>>) -> Vec<Effect> {
        let model = &self.model;
        let is_done =
            model.link().unacknowledged() == 0 && !model.is_moving() && *model.state() == State::Online;
        if self.ending.is_some_and(|ending| is_done || ending <= Instant::now()) {
            return self.model.update(self.clock.moment(), Input::Leave);
        }
        let input = match waiting.recv_timeout(self.patience()) {
            Ok(Post::Net(posted)) => self.net.news(posted).map(input_of),
            Ok(Post::Given(Given::Line(line))) => Some(Input::Line(line)),
            Ok(Post::Given(Given::Signal)) => Some(Input::Leave),
            Ok(Post::Given(Given::End)) => {
                self.ending = Some(Instant::now() + LAST_WORDS);
                None
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Some(Input::Tick),
        };
        input.map(|input| self.model.update(self.clock.moment(), input)).unwrap_or_default()
    }

    /// For how long nothing but news is waited for.
    fn patience(&self) -> Duration {
        let deadline = self.model.deadline().map(|deadline| self.clock.until(deadline));
        let left = self.ending.map(|ending| ending.saturating_duration_since(Instant::now()));
        [deadline, left].into_iter().flatten().min().unwrap_or(PATIENCE_MAX)
    }
}

/// Whoever stops reading has what they want.
fn print(line: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
        Ok(()) => Ok(()),
    }
}

fn bell() {
    // It may not be heard, either.
    let _ = io::stdout().write_all(b"\x07").and_then(|()| io::stdout().flush());
}

/// Reads standard input line by line, each only when the last ones are on their way.
fn read_lines(posts: &SyncSender<Post<Given>>, may_read: &Receiver<()>) {
    let mut input = io::stdin().lock();
    while may_read.recv().is_ok() {
        let mut bytes = Vec::new();
        let given = match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => Given::End,
            Ok(_) => Given::Line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
        };
        let is_end = matches!(given, Given::End);
        if posts.send(Post::Given(given)).is_err() || is_end {
            return;
        }
    }
}

fn watch_signals(posts: SyncSender<Post<Given>>) -> Result<(), String> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if posts.send(Post::Given(Given::Signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}
