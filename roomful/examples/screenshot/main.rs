//! `cargo xtask screenshot`: the picture in the README, taken of the real client at the real server.
//!
//! Where it stands: an example of its package, because it is built with what the tests of the process are built with. It starts
//! a server that keeps nothing, lets people talk there (two at netcat, one with a program that speaks JSON, one at our own client in
//! a pseudo-terminal), and draws what the last one sees.
//!
//! What this file must never do: sleep in order to wait, or show anything of the machine on which it runs.

mod svg;

use anyhow::{Context as _, Result, bail};
use pty_process::Size;
use pty_process::blocking::{Command as TerminalCommand, Pty};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const COLUMNS: u16 = 100;
const ROWS: u16 = 22;
/// Nothing here takes so long.
const GUARD: Duration = Duration::from_secs(20);
const TITLE: &str = "The terminal client of Roomful: rooms on the left, what was said in the middle, members on the right, \
                     and a half-typed line at the bottom";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, picture] = arguments.as_slice() else {
        bail!("give the path of the program `roomful`, and where the picture shall be written");
    };
    let screen = play(Path::new(program))?;
    fs::write(picture, svg::draw(&screen, TITLE)).with_context(|| format!("cannot write {picture}"))?;
    println!("written to {picture}");
    Ok(())
}

/// What happens in the picture.
fn play(program: &Path) -> Result<vt100::Screen> {
    let home = Home::new()?;
    let server = Server::start(program, &home)?;
    let bob = Guest::netcat(&server, "bob", "dev")?;
    let carol = Guest::program(&server, "carol", "dev")?;
    let dave = Guest::netcat(&server, "dave", "lobby")?;
    bob.says("/topic what we build; the release is on friday")?;
    let mut ann = Terminal::join(program, &home, &server, "ann")?;
    ann.sees("lobby")?;
    ann.types("/join dev\r")?;
    ann.sees("on friday")?;
    ann.sees("carol")?;
    bob.says("morning! the tests are green again")?;
    ann.sees("green again")?;
    carol.asks(
        &json!({"type": "say", "room": "dev", "text": "早上好 ☕ the notes: https://example.org/notes"}),
    )?;
    ann.sees("example.org/notes")?;
    bob.says("it was the clock: one machine was ahead")?;
    ann.sees("was ahead")?;
    ann.types("well found, thank you 👍\r")?;
    ann.sees("thank you")?;
    carol.asks(&json!({"type": "act", "room": "dev", "text": "bows"}))?;
    ann.sees("bows")?;
    // Somewhere else she was spoken to.
    dave.says("ann: lunch at one?")?;
    ann.sees("@1")?;
    ann.types("I'll tag it as soon as")?;
    ann.sees("as soon as")?;
    // It must fit into one row: what goes over two is not found on the screen.
    bob.says("ann: two minutes, please, one test still runs")?;
    ann.sees("still runs")?;
    Ok(ann.screen.screen().clone())
}

/// A directory in which the client finds no settings and leaves none.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Result<Home> {
        Ok(Home(tempfile::tempdir().context("a directory for the client")?))
    }

    /// What our programs may know of the machine: nothing.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.0.path().display().to_string();
        let colours = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
        let fixed = [("TZ", "UTC"), ("LANG", "C.UTF-8"), ("COLORFGBG", "15;0")];
        let places = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"];
        let known = colours.into_iter().chain(fixed).map(|(name, value)| (name, value.to_owned()));
        known.chain(places.map(|name| (name, home.clone()))).collect()
    }
}

/// A server that keeps nothing. At its end it is killed.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &Path, home: &Home) -> Result<Server> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", ":memory:"])
            .env_clear()
            .envs(home.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let output = child.stdout.take().context("the server's output")?;
        let hints = BufReader::new(output).lines();
        let hint =
            hints.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("  nc ")?.replace(' ', ":")));
        let address = hint.context("the server does not say where it listens")?.parse()?;
        Ok(Server { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody with what is already there.
struct Guest(TcpStream);

impl Guest {
    fn netcat(server: &Server, nick: &str, room: &str) -> Result<Guest> {
        let guest = Guest::connect(server)?;
        guest.says(&format!("/nick {nick}\n/join {room}\n/who"))?;
        guest.hears(nick)?;
        Ok(guest)
    }

    fn program(server: &Server, nick: &str, room: &str) -> Result<Guest> {
        let guest = Guest::connect(server)?;
        guest.asks(&json!({"type": "hello", "version": 1, "nick": nick, "rooms": [room]}))?;
        guest.hears("\"joined\"")?;
        Ok(guest)
    }

    fn connect(server: &Server) -> Result<Guest> {
        let stream = TcpStream::connect(server.address).context("the server accepts nobody")?;
        stream.set_read_timeout(Some(GUARD))?;
        Ok(Guest(stream))
    }

    fn says(&self, line: &str) -> Result<()> {
        Ok((&self.0).write_all(format!("{line}\n").as_bytes())?)
    }

    fn asks(&self, request: &Value) -> Result<()> {
        self.says(&request.to_string())
    }

    fn hears(&self, part: &str) -> Result<()> {
        for line in BufReader::new(&self.0).lines() {
            if line.with_context(|| format!("never heard {part:?}"))?.contains(part) {
                return Ok(());
            }
        }
        bail!("the server went away before it said {part:?}")
    }
}

/// Our client in a terminal. At its end it is killed.
struct Terminal {
    child: Child,
    pty: Pty,
    painted: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    fn join(program: &Path, home: &Home, server: &Server, nick: &str) -> Result<Terminal> {
        let (pty, pts) = pty_process::blocking::open()?;
        pty.resize(Size::new(ROWS, COLUMNS))?;
        let command =
            TerminalCommand::new(program).args(["join".to_owned(), format!("{nick}@{}", server.address)]);
        let child = command.env_clear().envs(home.environment()).spawn(pts)?;
        let mut output = File::from(pty.as_fd().try_clone_to_owned()?);
        let (sender, painted) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // At the end of the program the pseudo-terminal gives an error.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Terminal { child, pty, painted, screen: vt100::Parser::new(ROWS, COLUMNS, 0) })
    }

    fn types(&mut self, keys: &str) -> Result<()> {
        Ok(self.pty.write_all(keys.as_bytes())?)
    }

    fn sees(&mut self, text: &str) -> Result<()> {
        let deadline = Instant::now() + GUARD;
        while !self.screen.screen().contents().contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.painted.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => bail!("never saw {text:?} ({error}) on\n{}", self.screen.screen().contents()),
            }
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
