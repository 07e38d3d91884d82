//! The client line by line: for screen readers, braille displays, pipes and terminals that cannot do more.
//!
//! Where it stands: beside the screen; the model is the same, and prints instead of being drawn.
//!
//! What this file must never do: write anything but whole lines, or touch one again that was written.

use super::saving::Saving;
use super::{Clock, Join, Post, carry_out, input_of};
use crate::link::State;
use crate::model::{Effect, Input, Medium, Model, Size};
use crate::net::Net;
use crate::remembered::Remembered;
use crate::scripts::input::{self, Allowance};
use dialect::plain::{Typed, typed};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// At most so many things wait to be taken.
const WAITING_MAX: usize = 16;
/// While so many messages are not acknowledged nothing more is read from a pipe.
const UNACKNOWLEDGED_MAX: usize = 500;
/// At the end of the input, what was said is waited for for so long.
const LAST_WORDS: Duration = Duration::from_secs(30);
/// Where nothing is due, it is looked so often whether that is still so.
const PATIENCE_MAX: Duration = Duration::from_secs(3600);

/// What is posted beside the network.
enum Given {
    Read(input::Input),
    Signal,
}

/// Joins, until the person leaves.
pub(super) fn run(join: &Join, remembered: Remembered) -> Result<(), String> {
    let (posts, waiting) = sync_channel(WAITING_MAX);
    let address = &join.destination.address;
    let read = posts.clone();
    let post = move |input| {
        let post = Post::Given(Given::Read(input));
        read.send(post).map_or(ControlFlow::Break(()), ControlFlow::Continue)
    };
    let mut lines = Lines {
        model: join.model(Medium::Lines, &remembered, Size { columns: 80, rows: 24 }),
        net: Net::new(address.host.clone(), address.port, posts.clone()),
        saving: Saving::start(remembered.store),
        clock: Clock::start(),
        allowance: input::read_lines(io::stdin(), 0, post),
        is_reading: false,
        ending: None,
    };
    if let Some(remark) = &remembered.remark
        && print(&format!("-- {remark}"))?.is_break()
    {
        return Ok(());
    }
    watch_signals(posts)?;
    let mut effects = lines.model.start(lines.clock.moment());
    while lines.carry_out(effects)?.is_continue() {
        lines.let_read();
        effects = lines.next(&waiting);
    }
    // Nothing is taken any more: whoever waits to post something must not be waited for when the connection is closed.
    drop(waiting);
    lines.saving.save(lines.model.remembered());
    lines.saving.end();
    join.how_it_ended(&lines.model)?;
    // Whoever typed it has read why.
    match lines.model.undone() {
        0 => Ok(()),
        _ if io::stdin().is_terminal() => Ok(()),
        1 => Err("one line was not said or done".to_owned()),
        undone => Err(format!("{undone} lines were not said or done")),
    }
}

struct Lines {
    model: Model,
    net: Net<Post<Given>>,
    saving: Saving,
    clock: Clock,
    /// Lets the reader of standard input go on.
    allowance: Allowance,
    /// It may read a line and none has come yet, or it is not to read any more.
    is_reading: bool,
    /// The input has ended: until when what was said last is waited for.
    ending: Option<Instant>,
}

impl Lines {
    /// Breaks off when the client is to end.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<ControlFlow<()>, String> {
        let mut flow = ControlFlow::Continue(());
        for effect in effects {
            match carry_out(&mut self.net, effect) {
                Some(Effect::Print(line)) if print(&line)?.is_break() => return Ok(self.leave()),
                Some(Effect::Remember) => self.saving.save(self.model.remembered()),
                Some(Effect::Notify { .. }) if io::stdout().is_terminal() => bell(),
                Some(Effect::Quit) => flow = ControlFlow::Break(()),
                _ => {}
            }
        }
        Ok(flow)
    }

    /// Nobody reads any more: says good-bye, and ends.
    fn leave(&mut self) -> ControlFlow<()> {
        for effect in self.model.update(self.clock.moment(), Input::Leave) {
            carry_out(&mut self.net, effect);
        }
        ControlFlow::Break(())
    }

    /// What is piped in is read no faster than it is acknowledged, and not before there is a room in which it could be said, or
    /// the server has told us all that it has to say of rooms.
    fn let_read(&mut self) {
        let link = self.model.link();
        let has_begun = self.model.room().is_some() || link.latency().is_some();
        let may_read = !self.is_reading && !self.model.is_leaving();
        if has_begun && may_read && link.unacknowledged() < UNACKNOWLEDGED_MAX {
            self.is_reading = true;
            self.allowance.grant(1);
        }
    }

    /// Waits for what comes next, and gives it to the model.
    fn next(&mut self, waiting: &Receiver<Post<Given>>) -> Vec<Effect> {
        let is_done = !self.model.waits_for_answers() && *self.model.state() == State::Online;
        if self.ending.is_some_and(|ending| is_done || ending <= Instant::now()) {
            return self.model.update(self.clock.moment(), Input::Leave);
        }
        let input = match waiting.recv_timeout(self.patience()) {
            Ok(Post::Net(posted)) => self.net.news(posted).map(input_of),
            Ok(Post::Given(Given::Read(read))) => return self.read(read),
            Ok(Post::Given(Given::Signal)) => Some(Input::Leave),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Some(Input::Tick),
        };
        input.map(|input| self.model.update(self.clock.moment(), input)).unwrap_or_default()
    }

    /// Takes in what was read.
    fn read(&mut self, read: input::Input) -> Vec<Effect> {
        self.is_reading = false;
        let input = match read {
            input::Input::Message { text, .. } => return self.line(text.formatted()),
            input::Input::Unsayable { why, is_command, .. } => {
                let effects = self.model.update(self.clock.moment(), Input::Unsayable(why.to_string()));
                return if is_command { self.end_where_a_command_fails(effects) } else { effects };
            }
            input::Input::Broken(why) => {
                self.end();
                Input::Trouble(format!("cannot read on: {why}"))
            }
            input::Input::End => {
                self.end();
                return Vec::new();
            }
        };
        self.model.update(self.clock.moment(), input)
    }

    /// A line that was typed or piped in. If it is a command that cannot be done then nobody knows what the lines behind it were
    /// meant for, or for whom: a person sees that and a pipe does not.
    fn line(&mut self, line: &str) -> Vec<Effect> {
        let undone = self.model.undone();
        let effects = self.model.update(self.clock.moment(), Input::Line(line.to_owned()));
        let is_failure = self.model.undone() > undone && matches!(typed(line), Typed::Command(_));
        if is_failure { self.end_where_a_command_fails(effects) } else { effects }
    }

    fn end_where_a_command_fails(&mut self, mut effects: Vec<Effect>) -> Vec<Effect> {
        if !io::stdin().is_terminal() {
            effects.push(Effect::Print("-- nothing of what follows was said or done".to_owned()));
            self.end();
        }
        effects
    }

    /// Nothing more is read.
    fn end(&mut self) {
        self.is_reading = true;
        self.ending = Some(Instant::now() + LAST_WORDS);
    }

    /// For how long nothing but news is waited for.
    fn patience(&self) -> Duration {
        let deadline = self.model.deadline().map(|deadline| self.clock.until(deadline));
        let left = self.ending.map(|ending| ending.saturating_duration_since(Instant::now()));
        [deadline, left].into_iter().flatten().min().unwrap_or(PATIENCE_MAX)
    }
}

/// Breaks off if nobody reads any more, who has what they want.
fn print(line: &str) -> Result<ControlFlow<()>, String> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
        Ok(()) => Ok(ControlFlow::Continue(())),
    }
}

fn bell() {
    // It may not be heard, either.
    let _ = io::stdout().write_all(b"\x07").and_then(|()| io::stdout().flush());
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
