//! Other people's programs as clients. A machine may not have them; then a test says so and passes, unless the
//! environment variable `ROOMFUL_REQUIRE_TOOLS` is set, as `cargo xtask test` does.

use super::ears::{Ears, Heard, Lines};
use super::server::Server;
use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A program that may be installed.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    flag: &'static str,
    /// There are several programs called `nc`: what the right one says of itself.
    says: &'static str,
}

impl Tool {
    /// OpenBSD's netcat, which is Debian's.
    pub(crate) const NC: Tool = Tool { program: "nc", flag: "-h", says: "OpenBSD" };
    pub(crate) const SOCAT: Tool = Tool { program: "socat", flag: "-V", says: "socat" };
    /// GNU's, which is Debian's.
    pub(crate) const TELNET: Tool = Tool { program: "telnet", flag: "--version", says: "GNU inetutils" };
    /// Has the calls of another program to the system fail.
    pub(crate) const STRACE: Tool = Tool { program: "strace", flag: "--version", says: "strace -- version" };
    pub(crate) const PYTHON: Tool = Tool { program: "python3", flag: "--version", says: "Python 3" };
    pub(crate) const BASH: Tool = Tool { program: "bash", flag: "--version", says: "bash" };

    /// Whether a test that needs the program has to be skipped. Says so.
    ///
    /// # Panics
    /// If it has, and that is not allowed.
    pub(crate) fn is_missing(self) -> bool {
        let answer = Command::new(self.program).arg(self.flag).stdin(Stdio::null()).output();
        let is_there = answer.is_ok_and(|answer| {
            let said = [answer.stdout, answer.stderr].concat();
            String::from_utf8_lossy(&said).contains(self.says)
        });
        let program = self.program;
        assert!(
            is_there || std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_none(),
            "{program} is not installed, and ROOMFUL_REQUIRE_TOOLS is set"
        );
        if !is_there {
            println!("skipped: {program} is not installed");
        }
        !is_there
    }

    pub(crate) fn program(self) -> &'static str {
        self.program
    }

    pub(crate) fn command(self) -> Command {
        Command::new(self.program)
    }
}

/// Another program that is connected to the server.
pub(crate) struct Outside {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines,
}

impl Outside {
    /// `nc FLAGS HOST PORT`
    pub(crate) fn nc(server: &Server, flags: &[&str]) -> Outside {
        let address = server.address();
        let mut command = Tool::NC.command();
        command.args(flags).arg(address.ip().to_string()).arg(address.port().to_string());
        Outside::start("nc", &mut command)
    }

    /// `socat - TCP:HOST:PORT`
    pub(crate) fn socat(server: &Server) -> Outside {
        Outside::start("socat", Tool::SOCAT.command().arg("-").arg(format!("TCP:{}", server.address())))
    }

    fn start(who: &str, command: &mut Command) -> Outside {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = piped.spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let lines = Lines::of(who, child.stdout.take().expect("a pipe"));
        Outside { child, stdin, lines }
    }

    /// Types a line.
    pub(crate) fn says(&mut self, line: &str) {
        self.types(format!("{line}\n").as_bytes());
    }

    pub(crate) fn types(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input has not ended");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("it takes its input");
    }

    /// Ends its input.
    pub(crate) fn ends_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        // Its output ends when it does; unlike waiting for the process this has a guard.
        while self.lines.next("the end").is_some() {}
        self.child.wait().expect("the process can be waited for")
    }
}

impl Ears for Outside {
    fn who(&self) -> &str {
        self.lines.who()
    }

    fn next_within(&mut self, time: Duration) -> Heard {
        self.lines.next_within(time)
    }

    fn heard(&mut self) -> &mut Vec<String> {
        self.lines.heard()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
