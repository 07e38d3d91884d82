//! Meddling with what a running server asks of the system: `strace` has its calls fail, or take long, from one moment to another.

use crate::harness::{Ears as _, Lines, Server, Tool};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};

/// What every sync of the disk is, whoever asks for it.
const SYNCS: &str = "fsync,fdatasync";

/// As long as this lives, syncs of a server are not what they were.
pub(crate) struct Meddling {
    strace: Child,
}

impl Meddling {
    /// Every sync fails from now on.
    pub(crate) fn syncs_fail(server: &Server) -> Option<Meddling> {
        Meddling::begin(server, "error=EIO")
    }

    /// Every sync takes so much longer from now on.
    pub(crate) fn syncs_take(server: &Server, ms: u32) -> Option<Meddling> {
        Meddling::begin(server, &format!("delay_enter={ms}ms"))
    }

    /// Begins, or says why this test is skipped.
    ///
    /// # Panics
    /// If it cannot begin though root asks, and tests must not be skipped.
    fn begin(server: &Server, how: &str) -> Option<Meddling> {
        if Tool::STRACE.is_missing() {
            return None;
        }
        let pid = server.pid().as_raw_nonzero().to_string();
        let (trace, inject) = (format!("trace={SYNCS}"), format!("inject={SYNCS}:{how}"));
        let mut command = Tool::STRACE.command();
        command.args(["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject, "-p", &pid]);
        let piped = command.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut meddling = Meddling { strace: piped.spawn().expect("the program starts") };
        let mut said = Lines::of("strace", meddling.strace.stderr.take().expect("a pipe"));
        let first = said.next("its first words").unwrap_or_default();
        if first.contains(" attached") {
            return Some(meddling);
        }
        let is_required =
            rustix::process::geteuid().is_root() && std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
        assert!(!is_required, "strace cannot attach, and ROOMFUL_REQUIRE_TOOLS is set: {first}");
        println!("skipped: strace cannot attach: {first}");
        None
    }

    /// From now on the system does what it is asked for.
    pub(crate) fn ends(mut self) {
        kill_process(Pid::from_child(&self.strace), Signal::INT).expect("it is there");
        self.strace.wait().expect("the process can be waited for");
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}
