//! What the system tells a program that has a terminal, and stopping.
//!
//! Where it stands: a thread waits for signals and hands them on as events, so that the program ends in order: what was typed is
//! kept, the server is told good-bye, the terminal is given back.
//!
//! What this file must never do: keep a program alive that was asked twice to end.

use super::event::{Signal, TerminalEvent};
use super::{Device, Sink, Suspension, modes};
use nix::unistd::{Pid, getsid};
use rustix::process::{Signal as Stopping, getppid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{pipe, unregister};
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
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

/// Whether there is a shell that would wake us: whoever started us is in our session. The system itself takes no notice of
/// Ctrl-Z where there is none, but we cannot leave it to the system, because the terminal has to be given back first.
fn can_be_woken() -> bool {
    // Where a session is led from outside a container, its number in here is 0: rustix says that there is no such thing.
    let parent = getppid().map(|parent| getsid(Some(Pid::from_raw(parent.as_raw_pid()))));
    parent.is_some_and(|parent| parent.is_ok() && parent == getsid(None))
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
