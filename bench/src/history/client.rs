//! A client that speaks JSON lines: it says things and counts its receipts, or asks and waits for the answer.
//!
//! `receipts` lets many of them talk, `million` puts its questions by one. It waits for nothing longer than a few seconds, and
//! takes nothing for granted: an answer that it did not expect is an error.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use hub::MessageId;
use serde_json::{Value, json};

/// How long the server may be silent while something is expected of it.
const SILENCE_AT_MOST: Duration = Duration::from_secs(10);
/// The name that a question has, to tell its answer from what else is said.
const QUESTION: &str = "question";

/// One connection, in one room.
pub struct JsonClient {
    stream: BufReader<TcpStream>,
    room: String,
    line: String,
    unsent: Vec<u8>,
}

/// That something is durable.
pub struct Receipt {
    /// Which of the things that the client said.
    pub nonce: String,
    /// Its name for everybody.
    pub id: MessageId,
}

impl JsonClient {
    /// Connects, says hello and waits until it is in the room.
    ///
    /// # Errors
    ///
    /// If it is not let in.
    pub fn enter(address: SocketAddr, nick: &str, room: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_AT_MOST))?;
        let stream = BufReader::with_capacity(64 * 1024, stream);
        let mut client = Self { stream, room: room.to_owned(), line: String::new(), unsent: Vec::new() };
        client.send(&json!({"type": "hello", "version": 1, "nick": nick, "rooms": [room]}))?;
        while client.hear("joined")?["type"] != "joined" {}
        Ok(client)
    }

    /// Asks something of the room and waits for the answer, which is of this type.
    ///
    /// # Errors
    ///
    /// If it is refused or not answered.
    pub fn ask(&mut self, mut question: Value, answer: &str) -> Result<Value> {
        question["room"] = self.room.as_str().into();
        question["nonce"] = QUESTION.into();
        self.send(&question)?;
        loop {
            let heard = self.hear(answer)?;
            if heard["type"] == answer && heard["nonce"] == QUESTION {
                return Ok(heard);
            }
        }
    }

    /// Takes in something to say under a nonce; [`JsonClient::send_all`] sends it.
    pub fn say(&mut self, nonce: &str, text: &str) {
        let say = json!({"type": "say", "room": self.room, "text": text, "nonce": nonce});
        self.unsent.extend_from_slice(say.to_string().as_bytes());
        self.unsent.push(b'\n');
    }

    /// Sends what has been taken in.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub fn send_all(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(&self.unsent).context("cannot say anything")?;
        self.unsent.clear();
        Ok(())
    }

    /// Waits for the next receipt.
    ///
    /// # Errors
    ///
    /// If something is refused or no receipt comes.
    pub fn receipt(&mut self) -> Result<Receipt> {
        loop {
            let heard = self.hear("ack")?;
            if heard["type"] == "ack" {
                let text =
                    |key: &str| heard[key].as_str().with_context(|| format!("a receipt without {key}"));
                let id = text("id")?.parse().context("a receipt whose id is none")?;
                return Ok(Receipt { nonce: text("nonce")?.to_owned(), id });
            }
        }
    }

    /// Whether more has come already than was read.
    pub fn has_heard_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    fn send(&mut self, request: &Value) -> Result<()> {
        self.unsent.extend_from_slice(request.to_string().as_bytes());
        self.unsent.push(b'\n');
        self.send_all()
    }

    fn hear(&mut self, expected: &str) -> Result<Value> {
        self.line.clear();
        let read = self.stream.read_line(&mut self.line);
        let read = read.with_context(|| format!("waited in vain for \"{expected}\""))?;
        ensure!(read > 0, "the server closed the connection where \"{expected}\" should have come");
        let heard: Value =
            serde_json::from_str(&self.line).with_context(|| format!("no JSON: {}", self.line))?;
        if ["refusal", "notice", "gap", "bye"].iter().any(|unwanted| heard["type"] == *unwanted) {
            bail!("waited for \"{expected}\" and heard {}", self.line.trim_end());
        }
        Ok(heard)
    }
}
