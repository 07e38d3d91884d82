//! A chat room: what one member says, all the others hear.
//!
//! What one learns: what the evented strategy is for. All members live in one thread, so the room needs no lock; each is sent
//! things through an outlet, which never waits. Who does not read is cut off when its outlet is full, and nobody else
//! notices. What is said is cleaned first, lest somebody's terminal obeys it.
//!
//! ```text
//! cargo run -p socketserver --example chat                      # or: -- ADDRESS:PORT
//! nc 127.0.0.1 8000                                             # in another terminal, and in a third
//! ```

use socketserver::{Ending, Endpoint, Evented, FrameHandler, Framed, Framing, Listener};
use socketserver::{Outlet, OutletError, Output, Server};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const LINE_BYTES_MAX: usize = 2000;
const NAME_BYTES_MAX: usize = 20;
const MEMBERS_MAX: usize = 1000;

/// The members by name.
#[derive(Default)]
struct Room(BTreeMap<String, Outlet>);

impl Room {
    fn tell_all_but(&self, speaker: &str, text: &str) {
        for (name, outlet) in &self.0 {
            if name != speaker && outlet.send(text.as_bytes()) == Err(OutletError::Full) {
                outlet.cut(); // it reads too slowly
            }
        }
    }
}

/// One connection.
struct Member {
    room: Rc<RefCell<Room>>,
    /// None before the first line.
    name: Option<String>,
}

impl Member {
    fn enter(&mut self, name: &str, out: &mut Output<'_>) {
        let mut room = self.room.borrow_mut();
        let is_name = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(char::is_alphanumeric);
        if !is_name || room.0.contains_key(name) {
            return out.send(b"Letters and digits, please, and not too many, or it is taken. Your name? ");
        }
        let names = room.0.keys().cloned().collect::<Vec<_>>().join(", ");
        let here = if names.is_empty() { "nobody else yet" } else { &names };
        out.send(format!("* here are: {here}\n").as_bytes());
        match out.outlet() {
            Ok(outlet) => drop(room.0.insert(name.to_owned(), outlet)),
            Err(error) => return out.fail(error),
        }
        room.tell_all_but(name, &format!("* {name} has joined\n"));
        self.name = Some(name.to_owned());
    }
}

impl FrameHandler for Member {
    fn opened(&mut self, out: &mut Output<'_>) {
        out.send(b"Your name? ");
    }

    fn frame(&mut self, line: &[u8], _: &mut Framing, out: &mut Output<'_>) {
        let text = String::from_utf8_lossy(line).replace(char::is_control, "");
        match &self.name {
            Some(name) => self.room.borrow().tell_all_but(name, &format!("<{name}> {text}\n")),
            None => self.enter(text.trim(), out),
        }
    }

    fn closed(&mut self, ending: Ending) {
        let Some(name) = self.name.take() else { return };
        let mut room = self.room.borrow_mut();
        room.0.remove(&name);
        let how = if ending == Ending::ByServer { "read too slowly and lost the place" } else { "has left" };
        room.tell_all_but(&name, &format!("* {name} {how}\n"));
    }
}

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let room = Rc::<RefCell<Room>>::default();
    let mut server = Server::sans_io(listener, Evented::default().up_to(MEMBERS_MAX), move |_: &_| {
        let member = Member { room: room.clone(), name: None };
        Framed::new(Framing::lines(), member).frame_bytes_max(LINE_BYTES_MAX)
    })?;
    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at {}", server.server_address());
    server.serve_forever()?;
    Ok(())
}
