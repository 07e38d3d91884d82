//! Which key does what: one table, from which keys are read, and F1 and the guide are made.
//!
//! Where it stands: between a key and what it does; F1 and the guide to the client are made of it.
//!
//! What this file must never do: know a key that is not in the table.

use crate::keys::KeyPress;
use dialect::editing::Motion;

/// A row of the table.
pub(crate) struct Binding {
    /// All of them do it, as [`KeyPress`] writes them.
    pub keys: &'static [&'static str],
    /// What, for people.
    pub does: &'static str,
    pub(super) action: Action,
}

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Send,
    NewLine,
    Complete,
    Go(Motion),
    Erase(Motion),
    Kill(Motion),
    Yank,
    Transpose,
    Undo,
    Redo,
    Up,
    Down,
    Older,
    Newer,
    EditLast,
    PageUp,
    PageDown,
    RowUp,
    RowDown,
    Top,
    Bottom,
    FirstNew,
    Room(usize),
    PreviousRoom,
    NextRoom,
    NextUnread,
    Switcher,
    Search,
    Links,
    Help,
    Members,
    Escape,
    EraseOrLeave,
    ClearOrLeave,
    Repaint,
    Suspend,
}

const fn row(keys: &'static [&'static str], action: Action, does: &'static str) -> Binding {
    Binding { keys, does, action }
}

static BINDINGS: &[Binding] = &[
    row(&["Enter"], Action::Send, "says what is typed; while there is no connection, tries at once"),
    row(&["Alt-Enter", "Ctrl-J", "Shift-Enter"], Action::NewLine, "begins another line of the same message"),
    row(&["Tab"], Action::Complete, "completes a name, a room or a command"),
    row(&["Up"], Action::Up, "a row up; in the first row, what you said before"),
    row(&["Down"], Action::Down, "a row down; in the last row, back again"),
    row(&["Ctrl-P"], Action::Older, "what you said before"),
    row(&["Ctrl-N"], Action::Newer, "back again"),
    row(&["Alt-E"], Action::EditLast, "changes what you said last; Esc leaves it as it was"),
    row(&["PageUp"], Action::PageUp, "a page up; at the top, older messages come from the server"),
    row(&["PageDown"], Action::PageDown, "a page down"),
    row(&["Shift-Up", "Ctrl-Up"], Action::RowUp, "a row up in what was said"),
    row(&["Shift-Down", "Ctrl-Down"], Action::RowDown, "a row down"),
    row(&["Ctrl-Home"], Action::Top, "the oldest that is here"),
    row(&["Ctrl-End"], Action::Bottom, "the newest"),
    row(&["Alt-N"], Action::FirstNew, "the first new message"),
    row(&["Ctrl-K"], Action::Switcher, "goes to a room by its name"),
    row(&["Alt-1"], Action::Room(1), "goes to the first room; Alt-2 to Alt-9 likewise"),
    row(&["Alt-2"], Action::Room(2), ""),
    row(&["Alt-3"], Action::Room(3), ""),
    row(&["Alt-4"], Action::Room(4), ""),
    row(&["Alt-5"], Action::Room(5), ""),
    row(&["Alt-6"], Action::Room(6), ""),
    row(&["Alt-7"], Action::Room(7), ""),
    row(&["Alt-8"], Action::Room(8), ""),
    row(&["Alt-9"], Action::Room(9), ""),
    row(&["Alt-Up", "Ctrl-PageUp"], Action::PreviousRoom, "the room above"),
    row(&["Alt-Down", "Ctrl-PageDown"], Action::NextRoom, "the room below"),
    row(
        &["Alt-A"],
        Action::NextUnread,
        "the next room in which something is unread; where you are named first",
    ),
    row(&["Ctrl-R"], Action::Search, "searches what was said"),
    row(&["Ctrl-O"], Action::Links, "lists the links that can be seen, to open or copy one"),
    row(&["F1"], Action::Help, "lists keys and commands"),
    row(&["F2"], Action::Members, "lists who is here"),
    row(&["Esc"], Action::Escape, "closes what lies over the room; else goes to the newest message"),
    row(&["Ctrl-A", "Home"], Action::Go(Motion::Start), "the beginning of the line"),
    row(&["Ctrl-E", "End"], Action::Go(Motion::End), "its end"),
    row(&["Ctrl-B", "Left"], Action::Go(Motion::Left), "a character back"),
    row(&["Ctrl-F", "Right"], Action::Go(Motion::Right), "a character on"),
    row(&["Alt-B", "Ctrl-Left", "Alt-Left"], Action::Go(Motion::WordLeft), "a word back"),
    row(&["Alt-F", "Ctrl-Right", "Alt-Right"], Action::Go(Motion::WordRight), "a word on"),
    row(&["Alt-<"], Action::Go(Motion::TextStart), "the beginning of the message"),
    row(&["Alt->"], Action::Go(Motion::TextEnd), "its end"),
    row(
        &["Backspace", "Ctrl-H", "Shift-Backspace"],
        Action::Erase(Motion::Left),
        "takes away the character before the cursor",
    ),
    row(&["Delete"], Action::Erase(Motion::Right), "the character behind it"),
    row(&["Ctrl-D"], Action::EraseOrLeave, "the same; with nothing typed, leaves"),
    row(&["Ctrl-W"], Action::Kill(Motion::BlankLeft), "cuts back to the blank before"),
    row(
        &["Alt-Backspace", "Ctrl-Backspace"],
        Action::Kill(Motion::WordLeft),
        "cuts the word before the cursor",
    ),
    row(&["Alt-D", "Ctrl-Delete"], Action::Kill(Motion::WordRight), "cuts the word behind it"),
    row(&["Ctrl-U"], Action::Kill(Motion::Start), "cuts back to the beginning of the line"),
    row(&["Alt-K"], Action::Kill(Motion::End), "cuts to its end"),
    row(&["Ctrl-Y"], Action::Yank, "puts back what was cut"),
    row(&["Ctrl-T"], Action::Transpose, "exchanges two characters"),
    row(&["Ctrl-_", "Ctrl-7", "Alt-U"], Action::Undo, "takes back the last change"),
    row(&["Alt-R"], Action::Redo, "makes it again"),
    row(&["Ctrl-L"], Action::Repaint, "draws the screen anew"),
    row(&["Ctrl-Z"], Action::Suspend, "back to the shell; 'fg' comes back here"),
    row(
        &["Ctrl-C"],
        Action::ClearOrLeave,
        "clears what is typed (Up brings it back); with nothing typed, leaves",
    ),
];

/// All rows, in the order in which F1 lists them; those that say nothing are part of the one above.
pub(crate) fn bindings() -> impl Iterator<Item = &'static Binding> + Clone {
    BINDINGS.iter().filter(|binding| !binding.does.is_empty())
}

/// What a key does, if it does anything.
pub(super) fn action(press: KeyPress) -> Option<Action> {
    let name = press.to_string();
    let row = BINDINGS.iter().find(|binding| binding.keys.contains(&name.as_str()))?;
    Some(row.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guide;

    #[test]
    fn keys_in_the_guide_are_those_of_the_table() {
        let mut table = "| key | what it does |\n|---|---|\n".to_owned();
        for binding in bindings() {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
            table.extend(["| ", &keys.join(", "), " | ", binding.does, " |\n"]);
        }
        guide::check("keys", &table);
    }

    #[test]
    fn every_key_is_a_key_and_does_one_thing() {
        let mut all: Vec<&str> = BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
        for key in &all {
            assert_eq!(KeyPress::parse(key).map(|press| press.to_string()).as_deref(), Some(*key));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a key stands in two rows");
    }
}
