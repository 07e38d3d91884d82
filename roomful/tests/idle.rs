//! Rest: a server that nobody uses costs nothing, whoever has left it before, and however.
//!
//! The kernel counts the processor's time of a process in hundredths of a second. A loop that spins would be at nearly all
//! of the time that passes; at rest it is at none.

use crate::harness::{Client, Ears as _, Server, reset};
use std::time::Duration;

/// How long it is watched.
const WATCHED: Duration = Duration::from_millis(600);
/// In hundredths of a second. What was going on before may still end when the watch begins.
const TICKS_MAX: u64 = 2;

/// The processor's time that a server has used, in hundredths of a second (`proc_pid_stat(5)`, fields 14 and 15).
fn ticks(server: &Server) -> u64 {
    let path = format!("/proc/{}/stat", server.pid().as_raw_nonzero());
    let stat = std::fs::read_to_string(path).expect("the system tells of its processes");
    // The name of the program, in brackets, may have blanks in it.
    let (_, behind_name) = stat.rsplit_once(") ").expect("the format of Linux");
    let field =
        |number: usize| behind_name.split(' ').nth(number - 3).and_then(|field| field.parse::<u64>().ok());
    field(14).zip(field(15)).map(|(user, system)| user + system).expect("the format of Linux")
}

/// Somebody listens and hears nothing; meanwhile the server does nothing.
fn rests(server: &Server, listener: &mut Client) {
    let before = ticks(server);
    listener.hears_nothing_for(WATCHED);
    let used = ticks(server) - before;
    assert!(used <= TICKS_MAX, "{used} hundredths of a second in {WATCHED:?}");
}

#[test]
fn idle_server_uses_no_processor_whoever_has_left() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    rests(&server, &mut ann);

    let [bob, cat, dan] = ["bob", "cat", "dan"].map(|nick| Client::join(&server, nick));
    drop(bob);
    ann.waits_for("[bob] is offline");
    reset(cat.into_stream());
    ann.waits_for("[cat] is offline");
    // One that has closed its side lingers for a second: that is what is watched here.
    dan.half_closes();
    rests(&server, &mut ann);
    ann.hears("[dan] is offline");
    // One that does not close its side when the server has closed its own is waited for, for a while.
    let mut eve = Client::join(&server, "eve");
    eve.says("/quit");
    eve.ends_with(&["-- bye"]);
    ann.waits_for("[eve] is offline");
    rests(&server, &mut ann);
}
