//! Somebody in front of a terminal, invented by a fuzzer: keys, text from others, windows that change their size.
//!
//! Where it stands: behind the feature `fuzzing`, called by `crate::fuzzing`; the terminal is that of the tests, which refuses
//! every sequence that the editor may not send. What it must never do: press what no telnet could pass on.

use super::terminal::Terminal;
use super::{Asked, Editor};
use crate::editing::width::columns;
use crate::fuzzing::Choices;
use hub::TEXT_BYTES_MAX;

/// What is pressed besides letters.
const KEYS: &[&str] = &[
    "\r\n",
    "\n",
    "\r\0",
    "\t",
    "\u{8}",
    "\u{7f}",
    "\u{1}",
    "\u{2}",
    "\u{3}",
    "\u{4}",
    "\u{5}",
    "\u{6}",
    "\u{b}",
    "\u{c}",
    "\u{e}",
    "\u{10}",
    "\u{14}",
    "\u{15}",
    "\u{17}",
    "\u{19}",
    "\u{1b}[A",
    "\u{1b}[B",
    "\u{1b}[C",
    "\u{1b}[D",
    "\u{1b}[H",
    "\u{1b}[F",
    "\u{1b}[3~",
    "\u{1b}b",
    "\u{1b}f",
    "\u{1b}d",
    "\u{1b}OA",
    "\u{1b}[1;5C",
    "\u{1b}[200~",
    "\u{1b}[201~",
    "\u{1b}",
    "/nick a",
    "/join #d",
    "漢",
    "👨‍👩‍👧‍👦",
    "e\u{301}",
    "🇩🇪",
    "👍🏽",
    "\u{200d}",
    "\u{fe0f}",
    "\u{9b}A",
    "a b c",
];

/// What arrives from others, cut anywhere.
const NEWS: &[&str] = &[
    "<bob> hello\n",
    "-- 漢字 entered room\n",
    "<bob> half",
    " a line\n",
    "\n",
    "\u{1b}[2J\n",
    "<eve> 👨‍👩‍👧‍👦 e\u{301}\n",
];

/// Plays what these choices describe.
///
/// # Panics
/// When the editor sends what it may not, or the row is not what it should be.
pub(crate) fn play(mut choices: Choices<'_>) {
    let mut person = Person::new(80);
    while !choices.is_empty() {
        person.step(&mut choices);
        person.show(&[]);
    }
}

struct Person {
    editor: Editor,
    terminal: Terminal,
}

impl Person {
    fn new(columns: u16) -> Person {
        let editor = Editor::new(columns);
        let terminal = Terminal::new(editor.screen.columns());
        Person { editor, terminal }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(10) {
            0 => {
                let count = choices.below(40);
                self.press(choices.bytes(count));
            }
            1..=3 => self.press(choices.one_of(KEYS).as_bytes()),
            4 => self.press(&choices.one_of(KEYS).repeat(1 + 4 * choices.below(255)).into_bytes()),
            5 => {
                let news = choices.one_of(NEWS).as_bytes();
                let (start, end) = news.split_at(choices.below(20).min(news.len()));
                self.show(&[start]);
                self.show(&[end]);
            }
            6 => *self = Person::new(choices.byte().into()),
            7 => self.press(b"\x08"),
            8 => self.press(b"\x03"),
            _ => {
                let candidates: Vec<String> =
                    (0..choices.below(4)).map(|_| choices.nick().to_string()).collect();
                self.editor.completed(&candidates);
            }
        }
    }

    fn press(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let (used, asked) = self.editor.typed(rest);
            rest = &rest[used..];
            match asked {
                None => break,
                Some(Asked::Line(line)) => {
                    assert!(line.len() <= TEXT_BYTES_MAX, "{} bytes", line.len());
                    assert!(!line.contains(char::is_control), "{}", line.escape_debug());
                }
                Some(Asked::Complete(_) | Asked::Interrupt | Asked::End) => {}
            }
        }
        assert!(rest.is_empty(), "all that is not asked about is used");
    }

    /// The last row is what a fresh one would be.
    fn show(&mut self, above: &[&[u8]]) {
        let mut bytes = Vec::new();
        self.editor.show(above, &mut bytes);
        self.terminal.write(&bytes);
        let (row, _) = self.editor.row();
        assert_eq!(self.terminal.input(), (row.text().into(), columns(row.before_cursor())));
        assert!(self.terminal.is_at_bottom());
    }
}
