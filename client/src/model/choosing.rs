//! What lies over the room, and what keys do there.
//!
//! Where it stands: between the keys and the table of what they do; what is not for a list is left to that.
//!
//! What this file must never do: change what is said, or the draft below.

use super::bindings::{self, Action};
use super::matching::{Match, best_first, matched};
use super::overlay::FINDINGS_HELD_MAX;
use super::update::Effect;
use super::{
    Asked, Candidate, Choice, Finding, Medium, Model, Overlay, Presence, SearchProgress, SearchView,
};
use crate::address;
use crate::keys::{Key, KeyPress};
use crate::layout::{Sheet, overlay_scroll_max};
use crate::wire::{Request, RoomLine, Span};
use dialect::editing::{Line, Lines};
use hub::Time;

/// What Enter does.
enum Chosen {
    /// Goes to a room that is open.
    Room(usize),
    /// Enters a room.
    Enter(String),
    /// Shows what was found.
    Finding(Finding),
    /// Opens a link.
    Link(String),
    /// Looks for words.
    Words(String),
    /// Nothing: what is typed is no room's name.
    NoRoom(String),
    /// Nothing: there is nothing to choose from yet.
    Nothing,
    /// Closes what is only read.
    Close,
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
            (Some(Action::PageUp), _) => self.select(-self.page_entries()),
            (Some(Action::PageDown), _) => self.select(self.page_entries()),
            (Some(Action::Send), _) => self.choose(),
            (None, Key::Character('c' | 'y')) if matches!(self.overlay, Some(Overlay::Links(_))) => {
                self.copy_link();
            }
            (Some(Action::NewLine), _) => {}
            (
                None
                | Some(
                    Action::Go(_)
                    | Action::Erase(_)
                    | Action::EraseOrLeave
                    | Action::Kill(_)
                    | Action::Yank
                    | Action::Transpose
                    | Action::Undo
                    | Action::Redo,
                ),
                _,
            ) => return false,
            (Some(_), _) => {
                // Whatever else a key does, it does it in the room.
                self.overlay = None;
                return false;
            }
        }
        true
    }

    /// How many entries a page has at least.
    fn page_entries(&self) -> isize {
        match self.overlay {
            // What was found may take two rows.
            Some(Overlay::Search(_)) => (self.page_rows() / 2).max(1),
            _ => self.page_rows(),
        }
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
            Some(Overlay::Search(search)) if steps > 0 && search.is_at_an_open_end() => {
                self.search_further_back();
            }
            Some(Overlay::Search(search)) => move_by(&mut search.selected, search.findings.len()),
            None => {}
        }
    }

    /// Enter.
    fn choose(&mut self) {
        match self.chosen() {
            Chosen::Words(words) => drop(self.start_search(&words, None)),
            Chosen::NoRoom(typed) => self.say_that_it_is_no_room(&typed),
            Chosen::Nothing => {}
            chosen => {
                self.overlay = None;
                self.go_to_chosen(chosen);
            }
        }
    }

    fn chosen(&self) -> Chosen {
        match &self.overlay {
            Some(Overlay::Switcher(choice)) => match choice.chosen() {
                Some(Candidate::Known(index)) => Chosen::Room(*index),
                Some(Candidate::New(name)) => Chosen::Enter(name.clone()),
                None => Chosen::NoRoom(choice.query.text().to_owned()),
            },
            Some(Overlay::Rooms(choice)) => match choice.chosen() {
                Some(Candidate::Known(line)) => Chosen::Enter(line.room.to_string()),
                Some(Candidate::New(name)) => Chosen::Enter(name.clone()),
                None => Chosen::NoRoom(choice.query.text().to_owned()),
            },
            Some(Overlay::Search(search)) => match (search.chosen(), search.progress) {
                (Some(finding), _) => Chosen::Finding(finding.clone()),
                (None, SearchProgress::Typing) => Chosen::Words(search.query.text().to_owned()),
                (None, _) => Chosen::Nothing,
            },
            Some(Overlay::Links(choice)) => {
                choice.chosen().map_or(Chosen::Nothing, |link| Chosen::Link(link.clone()))
            }
            Some(Overlay::Help { .. } | Overlay::Members { .. }) | None => Chosen::Close,
        }
    }

    fn go_to_chosen(&mut self, chosen: Chosen) {
        match chosen {
            Chosen::Room(index) => self.go_to(index),
            Chosen::Enter(room) => drop(self.submit_command("join", &room)),
            Chosen::Link(link) => self.effects.push(Effect::Open(link)),
            Chosen::Finding(finding) => {
                if let Some(index) = self.index_of_room(&finding.room) {
                    self.go_to(index);
                    self.show_message(index, finding.sequence);
                }
            }
            Chosen::Words(_) | Chosen::NoRoom(_) | Chosen::Nothing | Chosen::Close => {}
        }
    }

    fn say_that_it_is_no_room(&mut self, typed: &str) {
        match address::room(typed.trim()) {
            Err(problem) if !typed.trim().is_empty() => self.problem(problem.to_string()),
            _ => self.hint("type the name of a room; Esc closes this"),
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
        // What was asked for before is not waited for any longer.
        self.asked.retain(|_, asked| *asked != Asked::Search);
        let mut query = Line::new(Lines::One);
        query.paste(words);
        self.overlay = Some(Overlay::Search(SearchView {
            query,
            searched: String::new(),
            findings: Vec::new(),
            selected: 0,
            progress: SearchProgress::Typing,
        }));
    }

    /// The server is being asked for this: what it was asked for before is not waited for any longer.
    pub(super) fn search_is_asked(&mut self, words: &str, older_than: Option<Time>) {
        if let Some(Overlay::Search(search)) = &mut self.overlay {
            words.clone_into(&mut search.searched);
            let is_anew = older_than.is_none();
            search.progress = if is_anew { SearchProgress::Asked } else { SearchProgress::Older };
            self.asked.retain(|_, asked| *asked != Asked::Search);
        }
    }

    fn search_further_back(&mut self) {
        let Some(Overlay::Search(search)) = &self.overlay else { return };
        let Some(last) = search.findings.last() else { return };
        if search.findings.len() >= FINDINGS_HELD_MAX {
            return self.hint("these are many; before:2026-11-20 or since:3d finds what is not among them");
        }
        // A millisecond behind it, for more may have been said in its millisecond.
        let (words, older_than) = (search.searched.clone(), last.time.after_ms(1));
        self.start_search(&words, Some(older_than));
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
        match &self.overlay {
            Some(Overlay::Switcher(choice)) => {
                let candidates = self.open_rooms(choice.query.text());
                if let Some(Overlay::Switcher(choice)) = &mut self.overlay {
                    choice.set_entries(candidates);
                }
            }
            Some(Overlay::Rooms(choice)) => {
                let candidates = self.listed_rooms(choice.query.text());
                if let Some(Overlay::Rooms(choice)) = &mut self.overlay {
                    choice.set_entries(candidates);
                }
            }
            Some(Overlay::Search(search)) if search.query.text() != search.searched => {
                if let Some(Overlay::Search(search)) = &mut self.overlay {
                    search.progress = SearchProgress::Typing;
                }
                self.asked.retain(|_, asked| *asked != Asked::Search);
            }
            _ => {}
        }
    }

    /// The rooms and conversations that are open, and the room that is not.
    fn open_rooms(&self, typed: &str) -> Vec<Candidate<usize>> {
        let query = folded(typed);
        let title = |index: &usize| folded(&self.rooms[*index].title());
        let found = best_first(0..self.rooms.len(), |index| matched(&title(index), &query));
        with_new(found, typed, |name| self.index_of_room(name).is_some())
    }

    /// The rooms that the server has listed, and the one that it has not.
    fn listed_rooms(&self, typed: &str) -> Vec<Candidate<RoomLine>> {
        let query = folded(typed);
        let found = best_first(self.known_rooms.iter(), |line| line_matched(line, &query));
        let key = |name: &str| hub::key_of(name);
        let is_listed = |name: &str| self.known_rooms.iter().any(|line| key(&line.room) == key(name));
        with_new(found.into_iter().cloned().collect(), typed, is_listed)
    }

    /// The list is there at once, and what comes is listed in it: whoever types meanwhile is not interrupted.
    pub(super) fn open_known_rooms(&mut self) {
        if self.medium == Medium::Screen {
            self.overlay = Some(Overlay::Rooms(Choice::empty()));
        }
    }

    /// Whether the server has not said yet which rooms there are.
    pub(crate) fn asks_for_rooms(&self) -> bool {
        self.is_asked(|asked| *asked == Asked::Rooms)
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
        if self.is_asked(|asked| matches!(asked, Asked::Around { room, .. } if *room == number)) {
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
        if let Some(room) = self.rooms.get_mut(self.current) {
            room.jumped_to = None;
            if room.unread == 0 {
                room.timeline.set_marker(None);
            }
        }
        self.current = index;
        if self.medium == Medium::Lines {
            let room = &self.rooms[index];
            let word = if room.presence == Presence::Entering { "entering" } else { "you now talk in" };
            self.print(format!("-- {word} {}", room.title()));
        }
    }
}

impl<T> Choice<T> {
    fn empty() -> Choice<T> {
        Choice { query: Line::new(Lines::One), entries: Vec::new(), selected: 0 }
    }
}

/// What is typed, or a name, as they are compared: without the sign in front.
fn folded(name: &str) -> String {
    hub::key_of(name.trim().trim_start_matches(['#', '@']))
}

/// How well a room matches by its name, or else by what it is about.
fn line_matched(line: &RoomLine, query: &str) -> Option<Match> {
    let is_about = || line.topic.as_ref().is_some_and(|topic| hub::key_of(topic).contains(query));
    matched(&folded(&line.room), query).or_else(|| is_about().then_some(Match::Characters))
}

/// Those that were found, and behind them the room of the name that is typed, if it is none of those that there are.
fn with_new<T>(found: Vec<T>, typed: &str, is_known: impl Fn(&str) -> bool) -> Vec<Candidate<T>> {
    let new = address::room(typed.trim()).ok().filter(|name| !is_known(name));
    found.into_iter().map(Candidate::Known).chain(new.map(Candidate::New)).collect()
}
