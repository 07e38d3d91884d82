//! A conversation on a screen: what is typed below, what arrives above.
//!
//! Where it stands: between what happens (`inputs`) and what is done about it (`screen`). Pure: bytes in, bytes and wishes out.
//!
//! What this file must never do: I/O, or let what arrives change the line that is being typed.

use super::incoming::Incoming;
use dialect::plain::{Asked, Editor};

const PROMPT: &str = "<You> ";

/// Ctrl-Z.
const SUSPEND: u8 = 0x1a;

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// A line is to be sent.
    Send(String),
    /// The program is to be stopped until the shell lets it go on.
    Suspend,
    /// That is all.
    End,
}

/// The conversation.
pub(super) struct Talk {
    editor: Editor,
    incoming: Incoming,
    /// What is to be shown above, each line with its LF.
    above: String,
}

impl Talk {
    /// On a terminal with so many columns; 0 if nobody knows.
    pub(super) fn new(columns: u16) -> Talk {
        Talk {
            editor: Editor::for_any_server(columns, PROMPT),
            incoming: Incoming::default(),
            above: String::new(),
        }
    }

    /// Keys were pressed. Behind [`Wish::End`] none counts.
    pub(super) fn typed(&mut self, bytes: &[u8]) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for (index, part) in bytes.split(|&byte| byte == SUSPEND).enumerate() {
            if index > 0 {
                wishes.push(Wish::Suspend);
            }
            self.edit(part, &mut wishes);
            if wishes.last() == Some(&Wish::End) {
                break;
            }
        }
        wishes
    }

    fn edit(&mut self, bytes: &[u8], wishes: &mut Vec<Wish>) {
        let mut rest = bytes;
        while let (used, Some(asked)) = self.editor.typed(rest) {
            rest = &rest[used..];
            match asked {
                Asked::Line(line) => wishes.push(Wish::Send(line)),
                Asked::Interrupt | Asked::End => return wishes.push(Wish::End),
                // It is never asked here.
                Asked::Complete(_) => {}
            }
        }
    }

    /// The server has sent something.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        let mut lines = Vec::new();
        self.incoming.add(bytes, &mut lines);
        self.put_above(&lines);
    }

    /// Nothing more has come for a while.
    pub(super) fn paused(&mut self) {
        let mut lines = Vec::new();
        self.incoming.pause(&mut lines);
        self.put_above(&lines);
    }

    /// Whether there is something that a pause would show.
    pub(super) fn is_holding(&self) -> bool {
        self.incoming.is_holding()
    }

    /// The server will send nothing more: what is left is shown, and what is to be said about that. A line that was being
    /// typed is not lost from sight.
    pub(super) fn disconnected(&mut self, words: &str) {
        let mut lines = Vec::new();
        self.incoming.end(&mut lines);
        lines.push(words.to_owned());
        if !self.editor.draft().is_empty() {
            lines.push(format!("not sent: {}", self.editor.draft()));
        }
        self.put_above(&lines);
    }

    /// Says a line of the program's own.
    pub(super) fn say(&mut self, line: &str) {
        self.put_above(&[line.to_owned()]);
    }

    /// The terminal has another width.
    pub(super) fn resize(&mut self, columns: u16) {
        self.editor.resize(columns);
    }

    /// Nobody knows any more what stands on the row.
    pub(super) fn redraw(&mut self) {
        self.editor.redraw();
    }

    /// Writes what has changed.
    pub(super) fn show(&mut self, bytes: &mut Vec<u8>) {
        let above = std::mem::take(&mut self.above);
        if !above.is_empty() || self.editor.is_stale() {
            self.editor.show(&[above.as_bytes()], bytes);
        }
    }

    /// Writes what has changed, and takes the row away: the cursor stands at the beginning of an empty one.
    pub(super) fn leave(&mut self, bytes: &mut Vec<u8>) {
        self.show(bytes);
        self.editor.leave(bytes);
    }

    fn put_above(&mut self, lines: &[String]) {
        for line in lines {
            self.above.push_str(line);
            self.above.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(talk: &mut Talk) -> String {
        let mut bytes = Vec::new();
        talk.show(&mut bytes);
        String::from_utf8(bytes).expect("text")
    }

    fn talk() -> Talk {
        let mut talk = Talk::new(80);
        talk.say("hello");
        assert_eq!(shown(&mut talk), "\r\u{1b}[Jhello\r\n<You> ");
        talk
    }

    #[test]
    fn half_typed_line_stays_below_what_arrives() {
        let mut talk = talk();
        assert_eq!(talk.typed("half 一".as_bytes()), []);
        assert_eq!(shown(&mut talk), "half 一");
        talk.received(b"\r<a> one\n\r<b> tw");
        assert_eq!(shown(&mut talk), "\r\u{1b}[K<a> one\r\n<You> half 一");
        assert!(talk.is_holding());
        talk.paused();
        assert_eq!(shown(&mut talk), "\r\u{1b}[K<b> tw\r\n<You> half 一");
        assert!(!talk.is_holding());
        assert_eq!(shown(&mut talk), "");
    }

    #[test]
    fn lines_are_sent_as_they_were_typed_and_stay() {
        let mut talk = talk();
        let wishes = talk.typed(b"/who\r\rhi\t\r");
        assert_eq!(wishes, ["/who", "", "hi"].map(|line| Wish::Send(line.into())));
        assert_eq!(shown(&mut talk), "\r\u{1b}[K<You> /who\r\n<You> \r\n<You> hi\r\n<You> \u{7}");
    }

    #[test]
    fn person_can_leave_and_be_suspended() {
        for (keys, wishes) in [
            ("\u{3}", vec![Wish::End]),
            ("\u{4}", vec![Wish::End]),
            ("abc\u{3}", vec![]),
            ("abc\u{3}\u{3}\rx", vec![Wish::End]),
            ("hi\r\u{4}", vec![Wish::Send("hi".into()), Wish::End]),
            ("a\u{1a}b\r\u{1a}", vec![Wish::Suspend, Wish::Send("ab".into()), Wish::Suspend]),
        ] {
            assert_eq!(talk().typed(keys.as_bytes()), wishes, "{keys:?}");
        }
    }

    #[test]
    fn what_was_being_typed_is_not_lost_when_the_server_ends() {
        let mut talk = talk();
        talk.typed(b"half");
        talk.received(b"bye");
        talk.disconnected("it ended");
        let mut bytes = Vec::new();
        talk.leave(&mut bytes);
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(text, "\r\u{1b}[Kbye\r\nit ended\r\nnot sent: half\r\n<You> half\r\u{1b}[K");
    }
}
