//! The real program as a server, on a port that the system chooses.

use super::data::DataDirectory;
use super::ears::{Ears, Heard, Lines};
use ::server::PollerKind;
use rustix::process::{Pid, Signal, kill_process};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The program under test, untouched by the environment of whoever runs the tests.
pub(crate) fn roomful(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomful"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ROOMFUL_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Which poller the servers of this run use: the default, unless `ROOMFUL_POLLER` names another.
pub(crate) fn poller_under_test() -> PollerKind {
    let Some(name) = std::env::var_os("ROOMFUL_POLLER") else { return PollerKind::default() };
    name.to_string_lossy().parse().unwrap_or_else(|error| panic!("ROOMFUL_POLLER: {error}"))
}

/// A running server. At its end it is killed, and must not have complained or died before.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// What it has printed.
    pub(crate) stdout: Lines,
    /// What it has logged.
    pub(crate) logs: Lines,
    has_stopped: bool,
    /// What it has reason to complain of.
    forgiven: Vec<&'static str>,
    /// What it keeps, if that is gone when it is.
    _data: Option<DataDirectory>,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with(&[])
    }

    /// With more flags than where to listen, and with the poller under test unless one is among the flags. What it keeps, it
    /// keeps in a directory of its own, and shows it to nobody unasked, unless the flags say where and how much.
    pub(crate) fn start_with(flags: &[&str]) -> Server {
        Server::start_as(roomful(&["serve", "--listen", "127.0.0.1:0"]), flags)
    }

    /// Started by a command that leads to the same: in a namespace, say, or under the eyes of another program.
    pub(crate) fn start_as(mut command: Command, flags: &[&str]) -> Server {
        if !flags.contains(&"--poller") {
            command.args(["--poller", poller_under_test().name()]);
        }
        let data = (!flags.contains(&"--data")).then(DataDirectory::new);
        if let Some(data) = &data {
            command.args(["--data", data.text(), "--replay-lines", "0"]);
        }
        let piped = command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let mut stdout = Lines::of("standard output", child.stdout.take().expect("a pipe"));
        let logs = Lines::of("the log", child.stderr.take().expect("a pipe"));
        let hint = stdout.waits_for("  nc ");
        let address = address_in(&hint);
        Server { child, address, stdout, logs, has_stopped: false, forgiven: Vec::new(), _data: data }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the signal is sent");
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.has_stopped = true;
        // Its standard output ends when the process does; unlike waiting for the process this has a guard. Nothing but more
        // ways to join stands there.
        while let Some(line) = self.stdout.next("the end") {
            let is_way = ["  roomful join ", "  telnet -- "].iter().any(|way| line.starts_with(way));
            assert!(is_way, "{line}");
        }
        self.child.wait().expect("the process can be waited for")
    }

    /// Kills it, which it can do nothing about, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.has_stopped = true;
        self.signal(Signal::KILL);
        self.child.wait().expect("the process can be waited for");
    }

    /// It will have reason to log this as an error.
    pub(crate) fn may_complain_of(&mut self, problem: &'static str) {
        self.forgiven.push(problem);
    }

    /// Waits until the server has noticed that a client is gone: whatever others hear about that is on its way then.
    pub(crate) fn notices_end_of(&mut self, client: SocketAddr) {
        let peer = client.to_string();
        while !self.logs.waits_for("offline").contains(&peer) {}
    }

    /// Whether connections are refused.
    pub(crate) fn refuses_connections(&self) -> bool {
        TcpStream::connect(self.address).is_err()
    }

    /// Everything logged until its end, for a server that has ended.
    pub(crate) fn whole_log(&mut self) -> String {
        while self.logs.next("the end").is_some() {}
        self.logs.heard().join("\n")
    }
}

/// `  nc 127.0.0.1 40123`
fn address_in(hint: &str) -> SocketAddr {
    let mut words = hint.split_whitespace().skip(1);
    let ip = words.next().and_then(|ip| ip.parse().ok()).expect("an address");
    let port = words.next().and_then(|port| port.parse().ok()).expect("a port");
    SocketAddr::new(ip, port)
}

impl Drop for Server {
    fn drop(&mut self) {
        let is_running = self.child.try_wait().is_ok_and(|status| status.is_none());
        // It may have ended by itself in the meantime; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            while let Heard::Line(line) = self.logs.next_within(super::GUARD) {
                self.logs.heard().push(line);
            }
            eprintln!("log of the server:\n{}", self.logs.heard().join("\n"));
            return;
        }
        let log = self.whole_log();
        assert!(self.has_stopped || is_running, "the server has died:\n{log}");
        let is_forgiven = |line: &str| self.forgiven.iter().any(|problem| line.contains(problem));
        let is_complaint = |line: &&str| line.contains("panicked") || line.contains("ERROR");
        let complaint = log.lines().filter(is_complaint).find(|line| !is_forgiven(line));
        assert_eq!(complaint, None, "the server complained:\n{log}");
    }
}
