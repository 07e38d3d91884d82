//! A client of JSON lines: objects in, objects out. Its connection may be cut off at any moment, on either side.

use super::ears::{Ears, Heard};
use super::server::Server;
use super::{GUARD, is_harmless};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that is read object by object.
pub(crate) struct JsonClient {
    who: String,
    reader: BufReader<TcpStream>,
    partial: Vec<u8>,
    heard: Vec<String>,
    asked: u64,
}

impl JsonClient {
    /// Connects and says nothing.
    pub(crate) fn connect(server: &Server) -> JsonClient {
        JsonClient::connect_to(server.address()).expect("the server accepts")
    }

    /// The same to a server that may be gone.
    pub(crate) fn connect_to(address: SocketAddr) -> io::Result<JsonClient> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GUARD))?;
        stream.set_write_timeout(Some(GUARD))?;
        let (reader, who) = (BufReader::new(stream), "json".to_owned());
        Ok(JsonClient { who, reader, partial: Vec::new(), heard: Vec::new(), asked: 0 })
    }

    /// Says hello with this nick, and has read everything up to being in the lobby.
    pub(crate) fn join(server: &Server, nick: &str) -> JsonClient {
        let mut client = JsonClient::connect(server);
        nick.clone_into(&mut client.who);
        client.sends(&json!({"type": "hello", "version": 1, "nick": nick}));
        client.waits_for_type("joined");
        client
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.reader.into_inner()
    }

    pub(crate) fn sends(&self, object: &Value) {
        self.tries_to_send(format!("{object}\n").as_bytes()).expect("the server takes what is sent");
    }

    /// Sends something, if there is somebody who takes it.
    pub(crate) fn tries_to_send(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream().write_all(bytes)
    }

    /// The next object, or none at the end of the connection, whatever end that is. What was cut off in the middle is not heard.
    pub(crate) fn object_or_end(&mut self) -> Option<Value> {
        let Heard::Line(line) = self.read(GUARD).unwrap_or(Heard::End) else { return None };
        let object = serde_json::from_str(&line);
        let object = object.unwrap_or_else(|error| self.fail(&format!("heard {line:?}: {error}")));
        self.heard.push(line);
        Some(object)
    }

    /// The next object.
    pub(crate) fn object(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| self.fail(&format!("heard {line:?}: {error}")))
    }

    /// Passes over objects until one is of this type; returns that one.
    pub(crate) fn waits_for_type(&mut self, kind: &str) -> Value {
        self.waits_for_one(kind, |object| object["type"] == kind)
    }

    /// Passes over objects until one is an event of this kind; returns that one.
    pub(crate) fn waits_for_event(&mut self, kind: &str) -> Value {
        self.waits_for_one(kind, |object| object["type"] == "event" && object["kind"] == kind)
    }

    /// Passes over objects until one is the wanted one; returns it.
    pub(crate) fn waits_for_one(&mut self, wanted: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        while let Some(line) = self.next(wanted) {
            let object: Value = serde_json::from_str(&line)
                .unwrap_or_else(|error| self.fail(&format!("heard {line:?}: {error}")));
            if is_wanted(&object) {
                return object;
            }
        }
        self.fail(&format!("never heard {wanted}"))
    }

    /// Sends a request under a nonce of its own, passes over everything else, and returns the answer.
    pub(crate) fn asks(&mut self, mut request: Value) -> Value {
        self.asked += 1;
        let nonce = format!("{}-{}", self.who, self.asked);
        request["nonce"] = Value::from(nonce.as_str());
        self.sends(&request);
        self.waits_for_one(&nonce, |object| object["nonce"] == nonce)
    }

    fn read(&mut self, time: Duration) -> io::Result<Heard> {
        self.stream().set_read_timeout(Some(time))?;
        match self.reader.read_until(b'\n', &mut self.partial) {
            Ok(_) if self.partial.pop_if(|last| *last == b'\n').is_some() => {
                let line = String::from_utf8(std::mem::take(&mut self.partial)).expect("UTF-8");
                assert!(is_harmless(&line), "{} was sent {line:?}", self.who);
                Ok(Heard::Line(line))
            }
            Ok(_) => Ok(Heard::End),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(Heard::Silence)
            }
            Err(error) => Err(error),
        }
    }
}

impl Ears for JsonClient {
    fn who(&self) -> &str {
        &self.who
    }

    fn next_within(&mut self, time: Duration) -> Heard {
        match self.read(time) {
            Ok(Heard::End) if !self.partial.is_empty() => self.fail("heard a line without an end"),
            Ok(heard) => heard,
            Err(error) => self.fail(&format!("was cut off: {error}")),
        }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }
}

/// What a room has in the history of the server, from its first to its last, as it happened.
pub(crate) fn facts_of(client: &mut JsonClient, room: &str) -> Vec<Value> {
    let mut facts = Vec::new();
    let mut after = Value::from(0);
    while !after.is_null() {
        let request =
            json!({"type": "history", "room": room, "after": after, "limit": 200, "shape": "facts"});
        let mut page = client.asks(request);
        assert_eq!(page["type"], "history", "{page}");
        facts.append(page["events"].as_array_mut().expect("a list"));
        after = page["after"].take();
    }
    facts
}
