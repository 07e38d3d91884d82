//! What keys do.
//!
//! Where it stands: behind the table of keys; what lies over the room is asked first.
//!
//! What this file must never do: lose what was typed.

use super::bindings::{self, Action};
use super::update::Effect;
use super::{Draft, Focus, Model, Overlay, Place, Presence, Scroll};
use crate::keys::{Key, KeyPress};
use crate::layout::{Regions, Sheet, Vertical, moved_vertically, room_at};
use crate::link::State;
use dialect::editing::{Line, Motion};
use dialect::plain::{Completed, Completion, CompletionKind, Typed, typed};
use hub::{Manner, TEXT_BYTES_MAX, Text};

/// A wheel or an arrow moves so many rows.
const FEW_ROWS: isize = 3;
/// So many candidates of a completion are named.
const CANDIDATES_SHOWN: usize = 12;

impl Model {
    pub(super) fn press(&mut self, press: KeyPress) {
        if self.overlay.is_some() && self.press_in_overlay(press) {
            return;
        }
        match bindings::action(press) {
            Some(action) => self.act(action),
            None => self.type_character(press),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.close_what_takes_no_text();
        let rest = match self.line_mut() {
            Some(line) => line.paste(text),
            None => return,
        };
        if rest > 0 {
            self.problem(format!(
                "{rest} bytes of that did not fit: a message has at most {} lines and {} KiB; 'roomful say' sends whole files",
                hub::TEXT_LINES_MAX,
                TEXT_BYTES_MAX / 1024
            ));
        }
        self.query_has_changed();
    }

    fn type_character(&mut self, press: KeyPress) {
        let Key::Character(character) = press.key else { return };
        if press.held.ctrl || press.held.alt {
            return;
        }
        self.close_what_takes_no_text();
        if let Some(line) = self.line_mut() {
            line.insert(character);
        }
        self.query_has_changed();
    }

    /// What is typed into what lies over the room, or else the draft.
    pub(super) fn line_typed_into(&self) -> &Line {
        let query = self.overlay.as_ref().and_then(Overlay::query);
        query.unwrap_or(&self.draft().line)
    }

    /// Where what is typed goes: into what lies over the room, or into the draft.
    pub(super) fn line_mut(&mut self) -> Option<&mut Line> {
        match self.overlay {
            Some(_) => self.overlay.as_mut()?.query_mut(),
            None => Some(&mut self.draft_mut().line),
        }
    }

    /// What is typed over something that takes no text was meant for the draft.
    fn close_what_takes_no_text(&mut self) {
        self.overlay.take_if(|overlay| overlay.query().is_none());
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Send => self.send(),
            Action::NewLine => self.with_line(|line| line.insert('\n')),
            Action::Complete => self.complete(),
            Action::Go(motion) => self.with_line(|line| line.go(motion)),
            Action::Erase(motion) => self.with_line(|line| line.cut(motion)),
            Action::Kill(motion) => self.kill(motion),
            Action::Yank => {
                let killed = self.killed.clone();
                self.with_line(|line| line.insert_text(0, &killed));
            }
            Action::Transpose => self.with_line(Line::transpose),
            Action::Undo => self.with_line(Line::undo),
            Action::Redo => self.with_line(Line::redo),
            Action::Up => self.vertically(Vertical::Up),
            Action::Down => self.vertically(Vertical::Down),
            Action::Older => self.recall(Vertical::Up),
            Action::Newer => self.recall(Vertical::Down),
            Action::EditLast => self.edit_last(),
            Action::PageUp => self.scroll_by(-self.page_rows()),
            Action::PageDown => self.scroll_by(self.page_rows()),
            Action::RowUp => self.scroll_by(-1),
            Action::RowDown => self.scroll_by(1),
            Action::Top => self.show_the_oldest(),
            Action::Bottom => self.show_the_end(),
            Action::FirstNew => self.show_what_is_new(),
            Action::Room(number) => {
                if number <= self.rooms.len() {
                    self.go_to(number - 1);
                }
            }
            Action::PreviousRoom => self.go_beside(self.rooms.len().saturating_sub(1)),
            Action::NextRoom => self.go_beside(1),
            Action::NextUnread => self.go_to_unread(),
            Action::Switcher => self.open_switcher(),
            Action::Search => self.open_search(""),
            Action::Links => self.open_links(),
            Action::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Action::Members => self.overlay = Some(Overlay::Members { scroll: 0 }),
            Action::Escape => self.escape(),
            Action::EraseOrLeave | Action::ClearOrLeave if self.is_draft_empty() => self.go(None),
            Action::EraseOrLeave => self.with_line(|line| line.cut(Motion::Right)),
            Action::ClearOrLeave => self.clear_draft(),
            Action::Repaint => self.effects.push(Effect::Repaint),
            Action::Suspend => self.effects.push(Effect::Suspend),
        }
    }

    fn with_line<T>(&mut self, change: impl FnOnce(&mut Line) -> T) {
        if let Some(line) = self.line_mut() {
            change(line);
        }
        self.query_has_changed();
    }

    fn kill(&mut self, motion: Motion) {
        let Some(line) = self.line_mut() else { return };
        let killed = line.cut(motion);
        if !killed.text().is_empty() {
            self.killed = killed;
        }
        self.query_has_changed();
    }

    fn is_draft_empty(&self) -> bool {
        self.draft().line.text().is_empty()
    }

    fn clear_draft(&mut self) {
        let draft = self.draft_mut();
        draft.editing = None;
        let line = draft.line.take();
        draft.sent.add(&line);
        self.hint("Ctrl-C again leaves");
    }

    /// To the row above or below; where there is none, to what was said before or after that.
    fn vertically(&mut self, direction: Vertical) {
        let columns = Regions::of(self).draft_columns();
        let draft = self.draft_mut();
        match moved_vertically(&draft.line, columns, direction) {
            Some(byte) => draft.line.go_to_byte(byte),
            None => self.recall(direction),
        }
    }

    fn recall(&mut self, direction: Vertical) {
        let draft = self.draft_mut();
        let line = match direction {
            Vertical::Up => draft.sent.older(draft.line.clusters()),
            Vertical::Down => draft.sent.newer(),
        };
        if let Some(line) = line {
            draft.line.set(line);
        }
    }

    fn escape(&mut self) {
        if self.draft().editing.is_some() {
            let draft = self.draft_mut();
            draft.editing = None;
            let line = draft.line.take();
            draft.sent.add(&line);
            return;
        }
        self.show_the_end();
    }

    pub(super) fn page_rows(&self) -> isize {
        let rows = isize::try_from(Regions::of(self).timeline.height).unwrap_or(1);
        // One row of the page before stays, to find one's place.
        (rows - 1).max(1)
    }

    pub(super) fn scroll_by(&mut self, rows: isize) {
        self.scroll_to(|sheet| sheet.scrolled(rows));
    }

    fn scroll_to(&mut self, place: impl FnOnce(&Sheet<'_>) -> Scroll) {
        let Some(scroll) = Sheet::of(self).map(|sheet| place(&sheet)) else { return };
        self.rooms[self.current].scroll_to(scroll);
    }

    fn show_the_oldest(&mut self) {
        if let Some(scroll) = Sheet::of(self).as_ref().map(Sheet::top) {
            self.rooms[self.current].scroll_to(scroll);
        }
    }

    fn show_what_is_new(&mut self) {
        let Some(timeline) = self.room().map(|room| &room.timeline) else { return };
        let marker = timeline.marker();
        let first = marker.and_then(|marker| timeline.items().iter().find(|item| item.order > marker));
        match first.map(|item| item.number) {
            Some(number) => self.scroll_to(|sheet| sheet.scroll_to(number)),
            None => self.hint("nothing here is new"),
        }
    }

    /// A message of the room that is seen is put into the middle of the screen, and marked.
    pub(crate) fn centre(&mut self, number: u32) {
        self.scroll_to(|sheet| sheet.scroll_to(number));
        if let Some(room) = self.rooms.get_mut(self.current) {
            room.jumped_to = Some(number);
        }
    }

    fn show_the_end(&mut self) {
        if let Some(room) = self.rooms.get_mut(self.current) {
            room.scroll_to(Scroll::End);
        }
    }

    pub(super) fn wheel(&mut self, notches: i32) {
        self.scroll_by(isize::try_from(notches).unwrap_or(0) * FEW_ROWS);
    }

    pub(super) fn look(&mut self, focus: Focus) {
        self.focus = focus;
    }

    pub(super) fn click(&mut self, column: u16, row: u16) {
        if let Some(index) = room_at(self, column, row).filter(|_| self.overlay.is_none()) {
            self.go_to(index);
        }
    }

    /// Enter.
    fn send(&mut self) {
        if matches!(self.state(), State::Waiting { .. }) {
            self.link.hurry();
        }
        if self.draft().line.text().trim().is_empty() {
            return;
        }
        // A command may lead to another room, or close this one.
        let number = self.room().map(|room| room.number);
        let draft = self.draft_mut();
        let line = std::mem::replace(&mut draft.line, Draft::default().line);
        let editing = draft.editing.take();
        let is_taken = match editing {
            Some(target) => self.edit(target, line.text()),
            None => self.submit(line.text()),
        };
        let draft = match number.and_then(|number| self.index_numbered(number)) {
            Some(index) => &mut self.rooms[index].draft,
            None => self.draft_mut(),
        };
        if is_taken {
            draft.sent.add(line.clusters());
        } else {
            (draft.line, draft.editing) = (line, editing);
        }
    }

    /// A line that was typed where the terminal edits it, or piped in.
    pub(super) fn line(&mut self, line: &str) {
        if !line.trim().is_empty() && !self.submit(line) {
            self.undone += 1;
        }
    }

    /// Such a line that cannot be said at all.
    pub(super) fn unsayable(&mut self, why: &str) {
        self.problem(format!("that cannot be said: {why}"));
        self.undone += 1;
    }

    /// Says a text, or does a command. Whether it was taken: what was not stays where it was typed.
    fn submit(&mut self, text: &str) -> bool {
        // Only a single line can be a command; what was pasted is talk.
        let is_single = !text.trim_end_matches('\n').contains('\n');
        match typed(text) {
            Typed::Command(typing) if is_single => self.command(typing),
            Typed::Command(_) => self.talk(text, Manner::Saying),
            Typed::Talk(talk) => self.talk(talk, Manner::Saying),
        }
    }

    pub(super) fn talk(&mut self, text: &str, manner: Manner) -> bool {
        let Some(room) = self.rooms.get(self.current) else {
            self.problem("you are in no room; /join NAME enters one");
            return false;
        };
        if room.presence == Presence::Gone {
            let title = room.title();
            self.problem(match room.place {
                Place::Room(_) => format!("you are not in {title}; /join enters it"),
                Place::Direct { .. } => {
                    format!("somebody else is called {title} now; /msg {title} TEXT writes to them")
                }
            });
            return false;
        }
        if manner == Manner::Acting && matches!(room.place, Place::Direct { .. }) {
            self.problem("/me is for rooms");
            return false;
        }
        let Some(text) = self.sayable(text) else { return false };
        self.say_in(self.current, manner, text);
        true
    }

    /// A text that may be said; why another may not is told.
    pub(super) fn sayable(&mut self, text: &str) -> Option<Text> {
        Text::new(text).map_err(|problem| self.problem(problem.to_string())).ok()
    }

    fn complete(&mut self) {
        let Some(completion) = Completion::at_cursor(&self.draft().line) else { return };
        let candidates = self.candidates(&completion);
        let completed = completion.apply(&candidates, &mut self.draft_mut().line);
        match completed {
            Completed::Inserted => {}
            Completed::Nothing => self.hint(match completion.kind {
                CompletionKind::Command => "no command begins like this; F1 lists them",
                CompletionKind::Room => "no room that is known here begins like this; /rooms lists them",
                CompletionKind::Name => "nobody here is called like this",
            }),
            Completed::Several(several) => {
                let more = several.len().saturating_sub(CANDIDATES_SHOWN);
                let mut shown = several[..several.len() - more].join("  ");
                if more > 0 {
                    shown.extend(["  and ", &more.to_string(), " more"]);
                }
                self.hint(shown);
            }
        }
    }

    fn candidates(&self, completion: &Completion) -> Vec<String> {
        match completion.kind {
            CompletionKind::Command => super::commands::names().map(|name| format!("/{name}")).collect(),
            CompletionKind::Room => {
                let mark = if completion.word.starts_with('#') { "#" } else { "" };
                let open = self.rooms.iter().filter_map(|room| match &room.place {
                    Place::Room(name) => Some(name),
                    Place::Direct { .. } => None,
                });
                let known = self.known_rooms.iter().map(|line| &line.room);
                open.chain(known).map(|name| format!("{mark}{name}")).collect()
            }
            CompletionKind::Name => {
                let room = self.rooms.get(self.current);
                let with = room.and_then(|room| match &room.place {
                    Place::Direct { with, .. } => Some(with.to_string()),
                    Place::Room(_) => None,
                });
                let members = room
                    .into_iter()
                    .flat_map(|room| room.members.iter().map(|member| member.nick.to_string()));
                let me = self.link.nick().map(ToString::to_string);
                with.into_iter().chain(members).filter(|nick| Some(nick) != me.as_ref()).collect()
            }
        }
    }
}
