//! What lies over the room, and what keys do there.
//!
//! Where it stands: between the keys and the table of what they do; what is not for a list is left to that.
//!
//! What this file must never do: change what is said, or the draft below.

use super::bindings::{self, Action};
use super::update::Effect;
use super::{Asked, Choice, Medium, Model, Overlay, SearchProgress, SearchView};
use crate::keys::{Key, KeyPress};
use crate::layout::{Sheet, overlay_scroll_max};
use crate::wire::{Request, RoomLine, Span};
use dialect::editing::{Line, Lines};

/// What is chosen from a list.
enum Chosen {
    Room(usize),
    Finding(usize),
    Enter(String),
    Link(String),
    Nothing,
}

impl Model {
    /// Whether the key was for what lies over the room.
    pub(super) fn press_in_overlay(&mut self, press: KeyPress) -> bool {
        let action = bindings::action(press);
        match (action, press.key) {
            (Some(Action::Escape | Action::ClearOrLeave), _) => self.overlay = None,
            (Some(Action::Help), _) if matches!(self.overlay, Some(Overlay::Help { .. })) => {
                self.overlay = None;
            }
            (Some(Action::Members), _) if matches!(self.overlay, Some(Overlay::Members { .. })) => {
                self.overlay = None;
            }
            (Some(Action::Up | Action::Older | Action::RowUp), _) => self.select(-1),
            (Some(Action::Down | Action::Newer | Action::RowDown | Action::Complete), _) => self.select(1),
            (Some(Action::PageUp), _) => self.select(-10),
            (Some(Action::PageDown), _) => self.select(10),
            (Some(Action::Send), _) => self.choose(),
            (None, Key::Character('c' | 'y')) if matches!(self.overlay, Some(Overlay::Links(_))) => {
                self.copy_link();
            }
            (
                Some(
                    Action::Go(_)
                    | Action::Erase(_)
                    | Action::Kill(_)
                    | Action::Yank
                    | Action::Undo
                    | Action::Redo,
                ),
                _,
            ) => {
                return false;
            }
            (Some(Action::NewLine), _) => {}
            (None | Some(Action::EraseOrLeave | Action::Transpose), _) => return false,
            (Some(_), _) => {
                // Whatever else a key does, it does it in the room.
                self.overlay = None;
                return false;
            }
        }
        true
    }

    fn select(&mut self, steps: isize) {
        let move_by = |selected: &mut usize, count: usize| {
            *selected = selected.saturating_add_signed(steps).min(count.saturating_sub(1));
        };
        let scroll_max = overlay_scroll_max(self);
        match &mut self.overlay {
            Some(Overlay::Help { scroll } | Overlay::Members { scroll }) => move_by(scroll, scroll_max + 1),
            Some(Overlay::Switcher(choice)) => move_by(&mut choice.selected, choice.entries.len()),
            Some(Overlay::Rooms(choice)) => move_by(&mut choice.selected, choice.entries.len()),
            Some(Overlay::Links(choice)) => move_by(&mut choice.selected, choice.entries.len()),
            Some(Overlay::Search(search)) => move_by(&mut search.selected, search.findings.len()),
            None => {}
        }
    }

    /// Enter.
    fn choose(&mut self) {
        let chosen = match &self.overlay {
            Some(Overlay::Switcher(choice)) => match choice.entries.get(choice.selected) {
                Some(&index) => Chosen::Room(index),
                // A room that is not open is entered.
                None => Chosen::Enter(choice.query.text().to_owned()),
            },
            Some(Overlay::Search(search)) => match search.progress {
                SearchProgress::Answered(_) if !search.findings.is_empty() => {
                    Chosen::Finding(search.selected)
                }
                SearchProgress::Typing => {
                    let words = search.query.text().to_owned();
                    let is_asked = self.start_search(&words);
                    if let Some(Overlay::Search(search)) = &mut self.overlay
                        && is_asked
                    {
                        search.progress = SearchProgress::Asked;
                    }
                    return;
                }
                _ => return,
            },
            Some(Overlay::Rooms(choice)) => choice
                .entries
                .get(choice.selected)
                .map_or(Chosen::Nothing, |line| Chosen::Enter(line.room.to_string())),
            Some(Overlay::Links(choice)) => {
                choice.entries.get(choice.selected).map_or(Chosen::Nothing, |link| Chosen::Link(link.clone()))
            }
            Some(Overlay::Help { .. } | Overlay::Members { .. }) | None => Chosen::Nothing,
        };
        let finding = match (&self.overlay, &chosen) {
            (Some(Overlay::Search(search)), Chosen::Finding(nth)) => search.findings.get(*nth).cloned(),
            _ => None,
        };
        self.overlay = None;
        match chosen {
            Chosen::Room(index) => self.go_to(index),
            Chosen::Enter(room) if !room.trim().is_empty() => drop(self.submit_command("join", room.trim())),
            Chosen::Link(link) => self.effects.push(Effect::Open(link)),
            Chosen::Finding(_) => {
                if let Some(finding) = finding
                    && let Some(index) = self.index_of_room(&finding.room)
                {
                    self.go_to(index);
                    self.show_message(index, finding.sequence);
                }
            }
            Chosen::Enter(_) | Chosen::Nothing => {}
        }
    }

    fn submit_command(&mut self, verb: &str, parameters: &str) -> bool {
        self.command(dialect::plain::Typing { verb, parameters })
    }

    fn copy_link(&mut self) {
        if let Some(Overlay::Links(choice)) = &self.overlay
            && let Some(link) = choice.entries.get(choice.selected).cloned()
        {
            self.effects.push(Effect::Copy(link));
            self.overlay = None;
            self.hint("copied, if your terminal allows it");
        }
    }

    pub(super) fn open_switcher(&mut self) {
        self.overlay = Some(Overlay::Switcher(Choice::empty()));
        self.query_has_changed();
    }

    pub(super) fn open_search(&mut self, words: &str) {
        let mut query = Line::new(Lines::One);
        query.paste(words);
        let progress = if words.is_empty() { SearchProgress::Typing } else { SearchProgress::Asked };
        self.overlay =
            Some(Overlay::Search(SearchView { query, findings: Vec::new(), selected: 0, progress }));
    }

    pub(super) fn open_links(&mut self) {
        let links = Sheet::of(self).map(|sheet| sheet.visible().links()).unwrap_or_default();
        if links.is_empty() {
            return self.hint("no link can be seen here");
        }
        self.overlay = Some(Overlay::Links(Choice { entries: links, ..Choice::empty() }));
    }

    /// What is typed makes lists shorter.
    pub(super) fn query_has_changed(&mut self) {
        let rooms: Vec<(usize, String)> =
            self.rooms.iter().enumerate().map(|(index, room)| (index, room.title().to_lowercase())).collect();
        match &mut self.overlay {
            Some(Overlay::Switcher(choice)) => {
                let query = choice.query.text().trim_start_matches('#').to_lowercase();
                let matching = |beginning: bool| {
                    let query = &query;
                    rooms.iter().filter(move |(_, title)| {
                        let title = title.trim_start_matches('#');
                        title.contains(query.as_str()) && title.starts_with(query.as_str()) == beginning
                    })
                };
                choice.entries = matching(true).chain(matching(false)).map(|(index, _)| *index).collect();
                choice.selected = choice.selected.min(choice.entries.len().saturating_sub(1));
            }
            Some(Overlay::Rooms(choice)) => {
                choice.entries = shortened(&self.known_rooms, choice.query.text());
                choice.selected = choice.selected.min(choice.entries.len().saturating_sub(1));
            }
            Some(Overlay::Search(search)) if search.query.text() != self.searched => {
                search.query.text().clone_into(&mut self.searched);
                search.progress = SearchProgress::Typing;
            }
            _ => {}
        }
    }

    pub(super) fn show_known_rooms(&mut self) {
        if self.medium == Medium::Lines {
            return;
        }
        self.overlay = Some(Overlay::Rooms(Choice { entries: self.known_rooms.clone(), ..Choice::empty() }));
    }

    /// A message is put into the middle of the screen; if it is not here, it is fetched.
    pub(super) fn show_message(&mut self, index: usize, sequence: u64) {
        let Some(room) = self.rooms.get(index) else { return };
        if let Some(item) = room.timeline.kept(sequence).map(|item| item.number) {
            if index == self.current {
                self.centre(item);
            }
            return;
        }
        let number = room.number;
        let Some(name) = room.name().cloned() else { return };
        let is_asked =
            self.asked.values().any(|asked| matches!(asked, Asked::Around { room, .. } if *room == number));
        if is_asked {
            return;
        }
        let request = Request::History {
            room: name.to_string(),
            span: Span::Around(sequence),
            limit: Some(super::PAGE_ITEMS),
        };
        self.ask(request, Asked::Around { room: number, target: Some(sequence) });
    }

    pub(super) fn go_beside(&mut self, steps: usize) {
        if !self.rooms.is_empty() {
            self.go_to((self.current + steps) % self.rooms.len());
        }
    }

    /// The next room in which somebody names us, or else in which something is unread.
    pub(super) fn go_to_unread(&mut self) {
        let count = self.rooms.len();
        let behind = || (1..=count).map(|step| (self.current + step) % count);
        let named = behind().find(|&index| self.rooms[index].mentions > 0);
        match named.or_else(|| behind().find(|&index| self.rooms[index].unread > 0)) {
            Some(index) => self.go_to(index),
            None => self.hint("nothing is unread"),
        }
    }

    pub(super) fn go_to(&mut self, index: usize) {
        if index >= self.rooms.len() || index == self.current {
            return;
        }
        if let Some(room) = self.rooms.get_mut(self.current)
            && room.unread == 0
        {
            room.timeline.set_marker(None);
        }
        self.current = index;
        if self.medium == Medium::Lines {
            let title = self.rooms[index].title();
            self.print(format!("-- you now talk in {title}"));
        }
    }
}

impl<T> Choice<T> {
    fn empty() -> Choice<T> {
        Choice { query: Line::new(Lines::One), entries: Vec::new(), selected: 0 }
    }
}

fn shortened(rooms: &[RoomLine], query: &str) -> Vec<RoomLine> {
    let query = query.trim().trim_start_matches('#').to_lowercase();
    let is_meant = |line: &&RoomLine| {
        line.room.to_lowercase().contains(&query)
            || line.topic.as_ref().is_some_and(|topic| topic.to_lowercase().contains(&query))
    };
    rooms.iter().filter(is_meant).cloned().collect()
}
