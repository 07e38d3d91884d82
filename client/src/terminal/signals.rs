//! What the system tells a program that has a terminal, and stopping.
//!
//! Where it stands: a thread waits for signals and hands them on as events, so that the program ends in order: what was typed is
//! kept, the server is told good-bye, the terminal is given back.
//!
//! What this file must never do: keep a program alive that was asked twice to end.

use super::event::{Signal, TerminalEvent};
use super::{Device, Sink, Suspension, modes};
use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};
use rustix::process::{Signal as Stopping, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{pipe, unregister};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::thread;

/// Starts to wait for signals. The thread ends when the sink breaks off.
pub(super) fn watch(device: Device, sink: impl Sink) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH])?;
    let run = move || {
        let mut ends = 0;
        for signal in signals.forever() {
            let event = match signal {
                SIGTSTP => TerminalEvent::Signal(Signal::Suspend),
                SIGCONT => TerminalEvent::Signal(Signal::Continued),
                SIGWINCH => match device.size() {
                    Ok(size) => TerminalEvent::Resize(size),
                    Err(_) => TerminalEvent::Gone,
                },
                _ if ends == 0 => {
                    ends += 1;
                    // In a thread of its own: where the inputs are gathered there may be no room, as long as the terminal takes
                    // nothing, and a second signal must be heard then, too.
                    let sink = sink.clone();
                    thread::spawn(move || sink(TerminalEvent::Signal(Signal::End)));
                    continue;
                }
                _ => {
                    modes::leave();
                    // What shells say of a program that a signal ended.
                    process::exit(128 + signal);
                }
            };
            if sink(event).is_break() {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(run).map(drop)
}

/// Gives the terminal back, and stops us until the shell wakes us: then it has to be taken again.
pub(super) fn suspend() -> io::Result<Suspension> {
    if !can_be_woken() {
        return Ok(Suspension::NobodyWouldWakeUs);
    }
    modes::leave();
    stop()?;
    Ok(Suspension::Over)
}

/// Whether there is a shell that would wake us: the first of our ancestors that is of another job is in our session. The system
/// itself takes no notice of Ctrl-Z where there is none, but we cannot leave it to the system, because the terminal has to be
/// given back first. A parent in our session is not enough: the shell of `ssh -t HOST 'roomful join …; …'` leads the session, is
/// of the same job as what it runs, and would be stopped with us for good.
fn can_be_woken() -> bool {
    // Where a session or a job is led from outside a container, its number in here is 0: rustix says that there is no such thing.
    let (session, job) = (getsid(None), getpgrp());
    let mut ancestor = Some(getppid());
    // Whoever started us from outside a container has the number 0, and cannot be asked.
    while let Some(starter) = ancestor.filter(|starter| starter.as_raw() > 0) {
        if getsid(Some(starter)) != session {
            return false;
        }
        match getpgid(Some(starter)) {
            Ok(other) if other == job => ancestor = parent_of(starter),
            outcome => return outcome.is_ok(),
        }
    }
    false
}

/// Who started that process, if the system tells us.
fn parent_of(child: Pid) -> Option<Pid> {
    // In a container that has the files of the system outside, other processes have these numbers there.
    let is_ours = fs::read_link("/proc/self").is_ok_and(|own| own == Path::new(&process::id().to_string()));
    let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok().filter(|_| is_ours)?;
    // `proc_pid_stat(5)`: the name of the program, in brackets, may have blanks and brackets in it. Behind it stand its state and
    // its parent.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
}

/// Stops us and the others of our job, as Ctrl-Z does. Comes back when somebody wakes us.
///
/// The system stops one thread after the other, so that the one that asks for it goes on for a moment: it has to wait until
/// it is told that the pause is over, or it would take the terminal again before the shell has it.
fn stop() -> io::Result<()> {
    let (mut woken, waker) = UnixStream::pair()?;
    let registration = pipe::register(SIGCONT, waker)?;
    let stopped = kill_current_process_group(Stopping::STOP).map_err(io::Error::from);
    let outcome = stopped.and_then(|()| woken.read_exact(&mut [0]));
    unregister(registration);
    outcome
}
