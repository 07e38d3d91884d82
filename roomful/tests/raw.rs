//! `roomful join --raw`: at our own styles and at the server of the exercise, in a terminal and in pipes.

use crate::harness::{Ears as _, GUARD, Lines, Server, Terminal, Tool, nobody, roomful};
use rustix::process::Signal;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Output, Stdio};
use std::thread::{self, JoinHandle};

/// The server of the exercise, as it stands in many a tutorial.
const EXERCISE: &str = r#"
import select, socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sockets = [server]

def broadcast(sender, message):
    for other in sockets:
        if other is not server and other is not sender:
            other.send(message)

while True:
    for ready in select.select(sockets, [], [])[0]:
        if ready is server:
            client, address = server.accept()
            sockets.append(client)
            broadcast(client, b"[%s:%d] entered room\n" % (address[0].encode(), address[1]))
        else:
            data = ready.recv(4096)
            if data:
                broadcast(ready, b"\r<" + str(ready.getpeername()).encode() + b"> " + data)
            else:
                broadcast(ready, b"Client (%s, %d) is offline" % (address[0].encode(), ready.getpeername()[1]))
                ready.close()
                sockets.remove(ready)
"#;

/// A line server of whatever kind.
enum LineServer {
    Ours(Box<Server>),
    Exercise(Child, SocketAddr),
}

impl LineServer {
    /// Ours in the style `tagged`, and that of the exercise if Python is there.
    fn both() -> Vec<LineServer> {
        let ours = LineServer::Ours(Box::new(Server::start_with(&["--plain-style", "tagged"])));
        if Tool::PYTHON.is_missing() { vec![ours] } else { vec![ours, LineServer::exercise()] }
    }

    fn exercise() -> LineServer {
        let mut command = Tool::PYTHON.command();
        let mut child =
            command.args(["-c", EXERCISE]).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut port).expect("its first line");
        let port = port.trim().parse().expect("a port");
        LineServer::Exercise(child, (Ipv4Addr::LOCALHOST, port).into())
    }

    fn address(&self) -> SocketAddr {
        match self {
            LineServer::Ours(server) => server.address(),
            LineServer::Exercise(_, address) => *address,
        }
    }

    /// Ends. Ours says so in words first.
    fn ends(&mut self) {
        match self {
            LineServer::Ours(server) => {
                server.signal(Signal::TERM);
                assert!(server.ends().success());
            }
            LineServer::Exercise(child, _) => {
                child.kill().expect("it can be killed");
                child.wait().expect("it can be waited for");
            }
        }
    }

    /// Somebody at a terminal of so many columns, who has begun.
    fn person(&self, columns: u16) -> Terminal {
        let port = self.address().port().to_string();
        let mut terminal = Terminal::roomful(&["join", "--raw", "127.0.0.1", &port], columns, 24);
        terminal.shows_row("Connected to remote host. Start sending messages");
        terminal.edits("<You>", 6);
        terminal
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        if let LineServer::Exercise(child, _) = self {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Somebody at a client that shows what it reads as it is.
struct Bob {
    stream: TcpStream,
    lines: Lines,
}

impl Bob {
    /// Joins, and is seen by somebody who is there.
    fn joins(server: &LineServer, witness: &mut Terminal) -> Bob {
        let stream = TcpStream::connect_timeout(&server.address(), GUARD).expect("the server accepts");
        let lines = Lines::of("bob", stream.try_clone().expect("a descriptor"));
        let bob = Bob { stream, lines };
        witness.shows_row(&format!("[127.0.0.1:{}] entered room", bob.port()));
        bob
    }

    fn port(&self) -> u16 {
        self.stream.local_addr().expect("an address").port()
    }

    fn sends(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("the server takes what is sent");
    }

    fn tag(&self) -> String {
        format!("<('127.0.0.1', {})> ", self.port())
    }
}

#[test]
fn half_typed_line_survives_whatever_arrives() {
    for server in LineServer::both() {
        let mut ann = server.person(80);
        let mut bob = Bob::joins(&server, &mut ann);
        ann.types("half 一句");
        ann.edits("<You> half 一句", 15);
        ann.types("\x1b[D");
        ann.edits("<You> half 一句", 13);
        bob.sends("hello\n");
        ann.shows_row(&format!("{}hello", bob.tag()));
        ann.edits("<You> half 一句", 13);
        bob.sends("\x1b[2J\x07clean\u{9b}31m\n");
        ann.shows("the next line", |ann| ann.screen().contains("clean"));
        assert!(ann.screen().contains("hello"), "the screen was not cleared");
        ann.edits("<You> half 一句", 13);
        ann.types("两\r");
        bob.lines.waits_for("> half 一两句");
        ann.edits("<You>", 6);
        ann.shows_row("<You> half 一两句");
    }
}

#[test]
fn text_without_an_end_is_shown_after_a_while() {
    for server in LineServer::both() {
        let mut ann = server.person(80);
        let bob = Bob::joins(&server, &mut ann);
        ann.types("half");
        bob.stream.shutdown(Shutdown::Both).expect("the connection is closed");
        ann.shows_row(&format!("Client (127.0.0.1, {}) is offline", bob.port()));
        ann.edits("<You> half", 10);
    }
}

#[test]
fn end_of_the_server_is_told_and_the_terminal_is_as_it_was() {
    for mut server in LineServer::both() {
        let mut ann = server.person(80);
        assert!(!ann.is_as_before(), "keys come one by one");
        ann.types("half");
        ann.edits("<You> half", 10);
        server.ends();
        ann.shows_row("Disconnected from chat server");
        ann.shows_row("not sent: half");
        assert_eq!(ann.ends().code(), Some(1));
        assert!(ann.is_as_before());
    }
}

#[test]
fn person_leaves_behind_what_was_said_last() {
    for keys in ["\x03", "\x04", "draft\x03\x03"] {
        for server in LineServer::both() {
            let mut ann = server.person(80);
            let mut bob = Bob::joins(&server, &mut ann);
            ann.types(&format!("bye\r{keys}"));
            assert_eq!(ann.ends().code(), Some(0), "{keys:?}");
            assert!(ann.is_as_before(), "{keys:?}");
            bob.lines.waits_for("> bye");
        }
    }
}

#[test]
fn signal_ends_it_and_leaves_the_terminal_as_it_was() {
    let server = LineServer::both().remove(0);
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut ann = server.person(80);
        ann.types("half");
        ann.edits("<You> half", 10);
        ann.signal(signal);
        assert_eq!(ann.ends().code(), Some(status), "{signal:?}");
        assert!(ann.is_as_before(), "{signal:?}");
    }
}

#[test]
fn suspended_program_gives_the_terminal_back_and_takes_it_again() {
    if Tool::BASH.is_missing() {
        return;
    }
    let server = LineServer::both().remove(0);
    let mut shell = Terminal::bash(80, 24);
    shell.edits("$", 2);
    shell.types(&format!("roomful join --raw 127.0.0.1 {}\r", server.address().port()));
    shell.edits("<You>", 6);
    let mut bob = Bob::joins(&server, &mut shell);
    shell.types("half\x1a");
    shell.shows("that it is stopped", |shell| shell.screen().contains("Stopped"));
    shell.edits("$", 2);
    bob.sends("meanwhile\n");
    shell.types("echo cooked; fg\r");
    shell.shows_row("cooked");
    shell.shows_row(&format!("{}meanwhile", bob.tag()));
    shell.edits("<You> half", 10);
    shell.types(" whole\r");
    bob.lines.waits_for("> half whole");
    shell.types("\x04");
    shell.edits("$", 2);
    shell.types("exit\r");
    assert!(shell.ends().success());
}

#[test]
fn person_without_a_shell_is_not_stopped_for_ever() {
    let server = LineServer::both().remove(0);
    let mut ann = server.person(80);
    ann.types("half\x1a whole");
    ann.edits("<You> half whole", 16);
}

/// The shell that starts it leads the session, and does not look after jobs.
#[test]
fn person_in_a_script_that_leads_the_session_is_not_stopped_for_ever() {
    let server = LineServer::both().remove(0);
    let script = format!("roomful join --raw 127.0.0.1 {}; echo over", server.address().port());
    let mut ann = Terminal::script_in(&[], &script, 80, 24);
    ann.edits("<You>", 6);
    ann.types("half\x1a whole");
    ann.edits("<You> half whole", 16);
    ann.types("\x03\x03");
    ann.shows_row("over");
    assert!(ann.ends().success());
}

#[test]
fn line_survives_another_size_of_the_window() {
    let server = LineServer::both().remove(0);
    let mut ann = server.person(80);
    ann.types("half of 一句话");
    ann.edits("<You> half of 一句话", 20);
    ann.resizes(18, 12);
    ann.shows("the end of the line", |terminal| terminal.cursor().0.starts_with("<You> <"));
    ann.resizes(60, 12);
    ann.edits("<You> half of 一句话", 20);
}

#[test]
fn whoever_cannot_connect_is_told_why() {
    let free = nobody().port();
    for (host, reason) in [
        ("127.0.0.1", "nothing listens at 127.0.0.1 port "),
        ("roomful.invalid", "no host is called roomful.invalid"),
    ] {
        let mut terminal = Terminal::roomful(&["join", "--raw", host, &free.to_string()], 100, 24);
        assert_eq!(terminal.ends().code(), Some(1));
        let screen = terminal.screen();
        assert!(screen.starts_with(&format!("Unable to connect: {reason}")), "{screen}");
        assert!(terminal.is_as_before());
    }
}

/// What comes of this being typed into a pipe.
fn piped(server: &LineServer, input: &str) -> Output {
    let mut command = roomful(&["join", "--raw", "127.0.0.1", &server.address().port().to_string()]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it takes its input");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

#[test]
fn pipe_delivers_and_nothing_else_is_in_what_goes_out() {
    for server in LineServer::both() {
        let mut ann = server.person(80);
        let output = piped(&server, "hi\nthere\n");
        ann.shows("what came through the pipe", |ann| ann.screen().contains("> hi"));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "Connected to remote host. Start sending messages\n");
    }
}

/// A server for one client: answers every line, and says good-bye without an end when no more will come.
fn answering() -> (SocketAddr, JoinHandle<io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        let mut answers = stream.try_clone()?;
        for line in BufReader::new(stream).split(b'\n') {
            answers.write_all(&[b"\rgot \x1b[31m", &line?[..], b"\n"].concat())?;
        }
        answers.write_all(b"bye")
    });
    (address, served)
}

#[test]
fn pipe_is_answered_and_waits_for_the_answers() {
    let (address, served) = answering();
    let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
    let mut command = roomful(&["join", "--raw", "127.0.0.1", &address.port().to_string()]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let typed = lines.join("\n") + "\n";
    let writing = thread::spawn(move || stdin.write_all(typed.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writing.join().expect("a thread").expect("it takes its input");
    served.join().expect("a thread").expect("it is read from");
    let answers = String::from_utf8(output.stdout).expect("text");
    let cleaned: Vec<&str> = answers.lines().map(|line| line.trim_start_matches("got [31m")).collect();
    assert_eq!(cleaned.len(), lines.len() + 1);
    assert!(cleaned.iter().zip(&lines).all(|(answer, line)| answer == line));
    assert_eq!(cleaned.last(), Some(&"bye"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn server_that_never_closes_is_left_after_a_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let mut command = roomful(&["join", "--raw", "127.0.0.1", &port]);
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    drop(listener);
}

#[test]
fn pipe_is_told_when_the_server_ends_before_it_does() {
    for mut server in LineServer::both() {
        let mut command = roomful(&["join", "--raw", "127.0.0.1", &server.address().port().to_string()]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let mut said = Lines::of("standard error", child.stderr.take().expect("a pipe"));
        said.hears("Connected to remote host. Start sending messages");
        server.ends();
        assert!(said.line().starts_with("Disconnected from chat server"));
        assert_eq!(child.wait().expect("it ends").code(), Some(1));
    }
}
