//! Somebody at telnet: who edits the line, and what keys ask for.
//!
//! Where it stands: between the bytes that arrive and the lines of the session. Telnet's commands are taken out first; then the bytes
//! are lines of the peer's, or keys for the editor here.
//!
//! What this file must never do: offer anything to a peer that has not shown that it is telnet, unless its person asks.

use super::{PlainSession, Stage, Turn};
use crate::plain::commands;
use crate::plain::editor::{Asked, Completion, CompletionKind};
use crate::plain::input::RawLine;
use crate::plain::terminal::Terminal;
use crate::plain::words::{self, remark};
use hub::{Among, Command};
use std::sync::Arc;

impl PlainSession {
    /// Bytes that may have telnet commands in them.
    pub(super) fn hear_telnet(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        let known = self.rare.as_mut().and_then(|rare| rare.terminal.take());
        let mut terminal = known.unwrap_or_else(|| self.style.terminal());
        let was_telnet = terminal.is_telnet();
        let mut data = Vec::with_capacity(bytes.len());
        terminal.decode(bytes, &mut data);
        if self.style.relays() {
            terminal.leave_unanswered();
        }
        let is_new = terminal.is_telnet() && !was_telnet;
        let is_needed = terminal.is_telnet() || terminal.is_in_command();
        self.with_rare(|rare| rare.terminal = is_needed.then_some(terminal));
        if is_new && !self.style.relays() {
            self.offer_editor();
        }
        self.hear(&data, turn);
        self.follow_terminal();
    }

    /// Lets whoever edits the line from now on take over what was typed so far.
    pub(super) fn follow_terminal(&mut self) {
        if self.stage != Stage::Present || !self.terminal().is_some_and(Terminal::is_changing) {
            return;
        }
        let mut draft = self.input.take_partial();
        if let Some(terminal) = self.terminal_mut() {
            terminal.change(&mut draft);
        }
        self.input.add_to_line(&draft);
    }

    pub(super) fn is_editing(&self) -> bool {
        self.terminal().is_some_and(Terminal::edits)
    }

    /// What looked like the beginning of a telnet command was none.
    pub(super) fn end_telnet(&mut self, turn: &mut Turn<'_>) {
        let mut data = Vec::new();
        if let Some(terminal) = self.terminal_mut() {
            terminal.ended(&mut data);
            self.hear(&data, turn);
        }
    }

    /// Offers to edit the line: the peer has shown that it is telnet, sends key by key, or its person has asked for it.
    pub(in crate::plain) fn offer_editor(&mut self) {
        self.with_rare(|rare| rare.terminal.get_or_insert_default().offer());
    }

    /// Leaves the line to the peer; returns whether it was ours.
    pub(in crate::plain) fn withdraw_editor(&mut self) -> bool {
        let Some(terminal) = self.terminal_mut() else { return false };
        let edited = terminal.edits();
        terminal.withdraw();
        self.follow_terminal();
        edited
    }

    /// Takes keys until a line has to wait; returns how many bytes need not be looked at again.
    pub(super) fn edit(&mut self, bytes: &[u8], turn: &mut Turn<'_>) -> usize {
        let mut from = 0;
        while from < bytes.len() && self.is_reading() && self.may_send(turn) {
            let Some(editor) = self.terminal_mut().and_then(Terminal::editor_mut) else {
                return from + self.read(&bytes[from..], turn);
            };
            let (bytes_used, asked) = editor.typed(&bytes[from..]);
            from += bytes_used;
            if asked.is_some() {
                // Whatever is asked for costs as much as a line.
                self.spend(turn);
            }
            match asked {
                None => {}
                Some(Asked::Line(text)) => self.line(RawLine::new(text.as_bytes()), turn),
                Some(Asked::Complete(completion)) => self.complete(&completion, turn),
                Some(Asked::Interrupt) => remark!(turn.output, "Ctrl-D or /quit leaves"),
                Some(Asked::End) => self.quit("", turn),
            }
            self.wait_if_much_was_said(turn);
        }
        if self.is_waiting() { from } else { bytes.len() }
    }

    fn complete(&mut self, completion: &Completion, turn: &mut Turn<'_>) {
        let beginning = completion.word.trim_start_matches('#').to_owned();
        let among = match completion.kind {
            CompletionKind::Command => {
                return self.completed(&commands::beginning_with(&completion.word), turn);
            }
            CompletionKind::Name => Among::Nicks,
            CompletionKind::Room => Among::Rooms,
        };
        self.ask(Command::Complete { among, beginning }, turn);
    }

    fn completed(&mut self, candidates: &[String], turn: &mut Turn<'_>) {
        if let Some(editor) = self.terminal_mut().and_then(Terminal::editor_mut) {
            words::possible(&editor.completed(candidates), turn.output);
        }
    }

    pub(super) fn found(&mut self, names: &[Arc<str>], turn: &mut Turn<'_>) {
        let editor = self.terminal_mut().and_then(Terminal::editor_mut);
        let has_sign =
            editor.and_then(|editor| editor.asked()).is_some_and(|asked| asked.word.starts_with('#'));
        let sign = if has_sign { "#" } else { "" };
        let candidates: Vec<String> = names.iter().map(|name| format!("{sign}{name}")).collect();
        self.completed(&candidates, turn);
    }
}
