//! The client line by line: for screen readers, braille displays, pipes and terminals that cannot do more.
//!
//! Where it stands: beside the screen; the model is the same, and prints instead of being drawn.
//!
//! What this file must never do: write anything but whole lines, or touch one again that was written.

use super::saving::Saving;
use super::{Clock, Join, Post, carry_out, input_of};
use crate::link::State;
use crate::model::{Effect, Input, Output, Size, Weight};
use crate::net::Net;
use crate::remembered::Remembered;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
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

enum Given {
    Line(String),
    /// There is no more to read.
    End,
    Signal,
}

/// Joins, until the person leaves.
pub(super) fn run(join: &Join, remembered: Remembered) -> Result<(), String> {
    let clock = Clock::start();
    let (posts, waiting) = sync_channel(WAITING_MAX);
    let mut model = join.model(Output::Lines, &remembered, Size { columns: 80, rows: 24 });
    if let Some(remark) = &remembered.remark {
        print(&format!("-- {remark}"))?;
    }
    let address = &join.destination.address;
    let mut net = Net::new(address.host.clone(), address.port, posts.clone());
    let saving = Saving::start(remembered.store);
    watch_signals(posts.clone())?;
    let (go_on, may_read) = sync_channel(1);
    thread::spawn(move || read_lines(&posts, &may_read));
    let mut ending = None;
    let mut has_begun = false;
    let mut effects = model.start(clock.moment());
    loop {
        let mut is_over = false;
        for effect in effects {
            match carry_out(&mut net, effect) {
                Some(Effect::Print(line)) => print(&line)?,
                Some(Effect::Remember) => saving.save(model.remembered()),
                Some(Effect::Notify { .. }) if io::stdout().is_terminal() => bell(),
                Some(Effect::Quit) => is_over = true,
                _ => {}
            }
        }
        if is_over {
            break;
        }
        // What is piped in is not said before there is a room to say it in, or a word about why there is none.
        let is_refused = model.note().is_some_and(|note| note.weight == Weight::Problem);
        has_begun |= *model.state() == State::Online && (model.room().is_some() || is_refused);
        if has_begun && model.link().unacknowledged() < UNACKNOWLEDGED_MAX {
            // It has been told already, or nobody reads any more.
            let _ = go_on.try_send(());
        }
        let is_done = model.link().unacknowledged() == 0 && *model.state() == State::Online;
        if ending.is_some_and(|ending| is_done || ending <= Instant::now()) {
            effects = model.update(clock.moment(), Input::Leave);
            continue;
        }
        let deadline = model.deadline().map(|deadline| clock.until(deadline));
        let left = ending.map(|ending: Instant| ending.saturating_duration_since(Instant::now()));
        let wait = [deadline, left].into_iter().flatten().min().unwrap_or(Duration::from_secs(3600));
        let input = match waiting.recv_timeout(wait) {
            Ok(Post::Net(posted)) => net.news(posted).map(input_of),
            Ok(Post::Given(Given::Line(line))) => Some(Input::Line(line)),
            Ok(Post::Given(Given::Signal)) => Some(Input::Leave),
            Ok(Post::Given(Given::End)) => {
                ending = Some(Instant::now() + LAST_WORDS);
                None
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Some(Input::Tick),
        };
        effects = input.map(|input| model.update(clock.moment(), input)).unwrap_or_default();
    }
    saving.save(model.remembered());
    saving.end();
    join.how_it_ended(&model)
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
fn read_lines(posts: &SyncSender<Post<Given>>, may_read: &std::sync::mpsc::Receiver<()>) {
    use std::io::Read as _;
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
