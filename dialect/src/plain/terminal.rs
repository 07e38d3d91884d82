//! The terminal of somebody at telnet: what is agreed with it, and the way out to it.
//!
//! Where it stands: kept aside by a session whose peer has shown that it is telnet, or has sent what may be the beginning
//! of that. In: bytes lose their telnet commands. Out: this is the filter through which everything goes.
//!
//! What this file must never do: send anything to a peer that has not shown that it is telnet.

use super::editor::Editor;
use super::telnet::Telnet;

/// To a telnet that asks whether we are there (RFC 854: AYT). It is no answer to a line and does not wait for its turn.
const ANSWER: &[u8] = b"-- yes, this is Roomful, and you are connected\n";
/// While more than this waits to be sent, nothing is read: whoever asks has to read the answers.
const OUTGOING_BYTES_MAX: usize = 4096;

/// The terminal of one session.
#[derive(Default)]
pub(super) struct Terminal {
    telnet: Telnet,
    editor: Option<Box<Editor>>,
    /// Of an editor that has ended: to be written as it is.
    outgoing: Vec<u8>,
}

impl Terminal {
    /// A terminal whose line is never edited here.
    pub(super) fn never_edited() -> Terminal {
        Terminal { telnet: Telnet::without_echo(), ..Terminal::default() }
    }

    /// Whether the peer is telnet.
    pub(super) fn is_telnet(&self) -> bool {
        self.telnet.is_known()
    }

    /// Whether what came last may be the beginning of a telnet command.
    pub(super) fn is_in_command(&self) -> bool {
        self.telnet.is_in_command()
    }

    /// Whether we are there is not said where nothing is said but what others say.
    pub(super) fn leave_unanswered(&mut self) {
        self.telnet.take_question();
    }

    /// Takes telnet's commands out of what has arrived.
    pub(super) fn decode(&mut self, bytes: &[u8], data: &mut Vec<u8>) {
        let columns = self.telnet.columns();
        self.telnet.decode(bytes, data);
        if self.telnet.columns() != columns
            && let Some(editor) = &mut self.editor
        {
            editor.resize(self.telnet.columns());
        }
    }

    /// Nothing more will arrive.
    pub(super) fn ended(&mut self, data: &mut Vec<u8>) {
        self.telnet.ended(data);
    }

    /// Offers to edit the line.
    pub(super) fn offer(&mut self) {
        self.telnet.offer();
    }

    /// Leaves the line to the peer.
    pub(super) fn withdraw(&mut self) {
        self.telnet.withdraw();
    }

    /// The editor, if the line is edited here.
    pub(super) fn editor_mut(&mut self) -> Option<&mut Editor> {
        self.editor.as_deref_mut()
    }

    /// Whether the line is edited here.
    pub(super) fn edits(&self) -> bool {
        self.editor.is_some()
    }

    /// Whether it was agreed that somebody else edits the line from now on.
    pub(super) fn is_changing(&self) -> bool {
        self.telnet.edits() != self.edits()
    }

    /// Begins or ends editing, as was agreed. `draft` is the line as it was typed so far: whoever edits it now takes it over.
    pub(super) fn change(&mut self, draft: &mut Vec<u8>) {
        if self.edits() {
            return self.end(draft);
        }
        let mut editor = Editor::new(self.telnet.columns());
        editor.take_over(&String::from_utf8_lossy(&std::mem::take(draft)));
        self.editor = Some(Box::new(editor));
    }

    /// Ends editing. What was typed so far goes into `draft`.
    pub(super) fn end(&mut self, draft: &mut Vec<u8>) {
        if let Some(mut editor) = self.editor.take() {
            draft.extend_from_slice(editor.draft().as_bytes());
            editor.leave(&mut self.outgoing);
        }
    }

    /// Whether the peer has read enough of the answers to be read from.
    pub(super) fn has_room(&self) -> bool {
        self.telnet.replies().len() + self.outgoing.len() <= OUTGOING_BYTES_MAX
    }

    /// Whether there is something to be sent besides what others say.
    pub(super) fn is_due(&self) -> bool {
        let editor_is_due = self.editor.as_ref().is_some_and(|editor| editor.is_stale());
        editor_is_due
            || self.telnet.has_question()
            || !self.outgoing.is_empty()
            || !self.telnet.replies().is_empty()
    }

    /// Writes what is due and then `text`, whose lines end as telnet wants it (RFC 854: CR LF).
    pub(super) fn write(&mut self, text: &[&[u8]], bytes: &mut Vec<u8>) {
        bytes.append(self.telnet.replies_mut());
        bytes.append(&mut self.outgoing);
        if self.telnet.take_question() {
            self.write_text(&[ANSWER], bytes);
        }
        self.write_text(text, bytes);
    }

    fn write_text(&mut self, text: &[&[u8]], bytes: &mut Vec<u8>) {
        if let Some(editor) = &mut self.editor {
            return editor.show(text, bytes);
        }
        for slice in text {
            for line in slice.split_inclusive(|byte| *byte == b'\n') {
                let end: &[u8] = if line.ends_with(b"\n") { b"\r\n" } else { b"" };
                let body = line.strip_suffix(b"\n").unwrap_or(line);
                bytes.extend_from_slice(body.strip_suffix(b"\r").unwrap_or(body));
                bytes.extend_from_slice(end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telnet_that_does_not_read_its_answers_is_not_read_from() {
        const DO_UNKNOWN: [u8; 3] = [255, 253, 40];
        let (mut terminal, mut data) = (Terminal::default(), Vec::new());
        while terminal.has_room() {
            terminal.decode(&DO_UNKNOWN, &mut data);
            assert!(terminal.telnet.replies().len() <= OUTGOING_BYTES_MAX + DO_UNKNOWN.len());
        }
        terminal.write(&[], &mut Vec::new());
        assert!(terminal.has_room() && data.is_empty());
    }

    #[test]
    fn draft_that_is_handed_over_is_not_cut_at_a_key() {
        for (draft, rest) in
            [("see\tyou later", "you later"), ("one\rtwo three", "two three"), ("a\x03b c", "b c")]
        {
            let mut terminal = Terminal::default();
            terminal.change(&mut draft.as_bytes().to_vec());
            let mut given_back = Vec::new();
            terminal.end(&mut given_back);
            assert!(String::from_utf8_lossy(&given_back).contains(rest), "{draft:?} became {given_back:?}");
        }
    }
}
