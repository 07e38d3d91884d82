//! What we ask the server for.
//!
//! Where it stands: the link writes these as lines.
//!
//! What this file must never do: write a line that the protocol's schema does not allow.

use serde::Serialize;
use std::collections::BTreeMap;

/// A request. The link gives it its nonce.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Request {
    /// The first one on every connection; only the link says it.
    Hello {
        /// Of the protocol.
        version: u32,
        /// What one wants to be called; without it one gets a guest's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        nick: Option<String>,
        /// Where one wants to be; without it, in the home room.
        #[serde(skip_serializing_if = "Option::is_none")]
        rooms: Option<Vec<String>>,
        /// Who one was before, and how far one has read.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume: Option<Resume>,
    },
    /// Says something in a room.
    Say {
        /// Where.
        room: String,
        /// 1 to 256 lines, with LF between them.
        text: String,
    },
    /// Says what one does.
    Act {
        /// Where.
        room: String,
        /// What.
        text: String,
    },
    /// Says something to one person alone.
    Direct {
        /// Their nick.
        to: String,
        /// What.
        text: String,
    },
    /// Changes what one said.
    Edit {
        /// Where it was said.
        room: String,
        /// The sequence that it has.
        target: u64,
        /// What it says from now on.
        text: String,
    },
    /// Erases what one said.
    Redact {
        /// Where it was said.
        room: String,
        /// The sequence that it has.
        target: u64,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Enters a room, or opens it.
    Join {
        /// Which.
        room: String,
    },
    /// Leaves a room.
    Leave {
        /// Which.
        room: String,
    },
    /// Takes another name.
    Nick {
        /// Which.
        nick: String,
    },
    /// Who is in a room?
    Who {
        /// Which.
        room: String,
    },
    /// Which rooms are there?
    Rooms,
    /// With whom has one talked alone, and how far did that go?
    Conversations,
    /// What is a room about?
    Topic {
        /// Which.
        room: String,
    },
    /// Says what a room is about, or that it is about nothing any more.
    #[serde(rename = "topic")]
    SetTopic {
        /// Which.
        room: String,
        /// `None` clears it.
        topic: Option<String>,
    },
    /// Goes away, or comes back.
    Away {
        /// What is told to those who write; `None` is back.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Hears no more of somebody, or hears them again; without a nick, whom one does not hear.
    Ignore {
        /// Of whom.
        #[serde(skip_serializing_if = "Option::is_none")]
        nick: Option<String>,
    },
    /// A page of what was said.
    History {
        /// Where; also `@` and a conversation's number.
        room: String,
        /// Which part of it.
        #[serde(flatten)]
        span: Span,
        /// At most so many events.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Who said what, where?
    Search {
        /// All of these words.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<String>,
        /// Said by this person.
        #[serde(skip_serializing_if = "Option::is_none")]
        author: Option<String>,
        /// In this room; without it, in all in which one is.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<String>,
        /// Not before this moment, in RFC 3339.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<String>,
        /// Before this moment, in RFC 3339.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// At most so many.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Does the server still answer?
    Ping,
    /// Leaves for good.
    Quit {
        /// Last words.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Which part of the past.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Span {
    /// What is before this sequence.
    Before(u64),
    /// What is behind it.
    After(u64),
    /// What is around it.
    Around(u64),
    /// What was said from this moment on, in RFC 3339.
    Since(String),
    /// What happened behind a sequence, change by change, as it was told to those who were there.
    #[serde(untagged)]
    Facts {
        /// The sequence.
        after: u64,
        /// Always that.
        shape: Shape,
    },
}

/// How the past is told.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// As it happened.
    Facts,
}

/// Who one was, and what one knows.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resume {
    /// As `welcome` gave it.
    pub secret: String,
    /// As `welcome` gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last sequence that one has read of each room and conversation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, u64>,
}

impl Request {
    /// Whether the server keeps it for good, and does it once however often it is asked for under one nonce: such a request
    /// outlives its connection.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(
            self,
            Request::Say { .. }
                | Request::Act { .. }
                | Request::Direct { .. }
                | Request::Edit { .. }
                | Request::Redact { .. }
                | Request::SetTopic { .. }
        )
    }

    /// Its line, with its end.
    pub(crate) fn line(&self, nonce: Option<&str>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            #[serde(flatten)]
            request: &'a Request,
            #[serde(skip_serializing_if = "Option::is_none")]
            nonce: Option<&'a str>,
        }
        // Keys are constants, values are strings and numbers: nothing of it can fail.
        let mut line = serde_json::to_vec(&Line { request: self, nonce }).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: &Request) -> String {
        String::from_utf8(request.line(Some("n"))).unwrap()
    }

    #[test]
    fn requests_are_what_the_protocol_shows() {
        let say = Request::Say { room: "lobby".into(), text: "hello\n\"you\"".into() };
        assert_eq!(
            written(&say),
            "{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"hello\\n\\\"you\\\"\",\"nonce\":\"n\"}\n"
        );
        let page = Request::History { room: "dev".into(), span: Span::Before(5), limit: Some(2) };
        assert_eq!(
            written(&page),
            "{\"type\":\"history\",\"room\":\"dev\",\"before\":5,\"limit\":2,\"nonce\":\"n\"}\n"
        );
        let span = Span::Facts { after: 1, shape: Shape::Facts };
        let page = Request::History { room: "dev".into(), span, limit: Some(1) };
        assert_eq!(
            written(&page),
            "{\"type\":\"history\",\"room\":\"dev\",\"after\":1,\"shape\":\"facts\",\"limit\":1,\"nonce\":\"n\"}\n"
        );
        let topic = Request::SetTopic { room: "dev".into(), topic: None };
        assert_eq!(written(&topic), "{\"type\":\"topic\",\"room\":\"dev\",\"topic\":null,\"nonce\":\"n\"}\n");
        assert_eq!(written(&Request::Rooms), "{\"type\":\"rooms\",\"nonce\":\"n\"}\n");
    }
}
