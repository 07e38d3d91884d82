//! A terminal that is small enough to be seen to be right: it understands what the painter writes, and nothing else.

use dialect::editing::width::{columns, graphemes, is_certain};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

/// How a terminal finds the width of what others find wider or narrower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Eyes {
    /// A cluster is one picture, as wide as the standard says.
    Together,
    /// Each character of a cluster has its own place.
    Apart,
    /// A cluster is one picture; one that asks to be a picture is as narrow as the text that it would be otherwise.
    Narrow,
}

/// What is seen in a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// Nothing in the second column of a wide cluster.
    pub(super) text: String,
    pub(super) style: (Color, Color, Modifier),
    pub(super) link: Option<String>,
}

impl Seen {
    fn blank() -> Seen {
        Seen { text: " ".into(), style: PLAIN, link: None }
    }
}

const PLAIN: (Color, Color, Modifier) = (Color::Reset, Color::Reset, Modifier::empty());

#[derive(Debug)]
pub(super) struct Model {
    eyes: Eyes,
    columns: usize,
    cells: Vec<Vec<Seen>>,
    column: usize,
    row: usize,
    is_cursor_shown: bool,
    pen: Seen,
    title: String,
}

impl Model {
    pub(super) fn new(columns: u16, rows: u16, eyes: Eyes) -> Model {
        let cells = vec![vec![Seen::blank(); columns.into()]; rows.into()];
        let [column, row] = [0, 0];
        let (columns, title) = (columns.into(), String::new());
        Model { eyes, columns, cells, column, row, is_cursor_shown: true, pen: Seen::blank(), title }
    }

    pub(super) fn at(&self, column: u16, row: u16) -> &Seen {
        &self.cells[usize::from(row)][usize::from(column)]
    }

    pub(super) fn cursor(&self) -> Option<Position> {
        self.is_cursor_shown.then(|| Position::new(self.column as u16, self.row as u16))
    }

    pub(super) fn title(&self) -> &String {
        &self.title
    }

    pub(super) fn take(&mut self, frame: &[u8]) {
        let mut rest = std::str::from_utf8(frame).expect("a frame is text");
        while !rest.is_empty() {
            rest = if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|c: char| ('@'..='~').contains(&c)).expect("a sequence ends");
                self.control(&sequence[..end], &sequence[end..=end]);
                &sequence[end + 1..]
            } else if let Some(string) = rest.strip_prefix("\x1b]") {
                let (string, behind) = string.split_once("\x1b\\").expect("a string ends");
                self.string(string);
                behind
            } else if let Some(behind) = rest.strip_prefix('\r') {
                self.column = 0;
                behind
            } else {
                let end = rest.find(char::is_control).unwrap_or(rest.len());
                assert!(end > 0, "no such control: {rest:?}");
                graphemes(&rest[..end]).for_each(|cluster| self.cluster(cluster));
                &rest[end..]
            };
        }
    }

    fn control(&mut self, parameters: &str, last: &str) {
        let numbers: Vec<usize> =
            parameters.trim_start_matches('?').split(';').map(|number| number.parse().unwrap_or(0)).collect();
        match (parameters, last) {
            ("?25", "h" | "l") => self.is_cursor_shown = last == "h",
            ("?2026", "h" | "l") => {}
            ("2", "J") => self.cells.iter_mut().flatten().for_each(|seen| *seen = Seen::blank()),
            ("", "K") => {
                let erased = Seen {
                    text: " ".into(),
                    style: (Color::Reset, self.pen.style.1, Modifier::empty()),
                    link: None,
                };
                self.tear(self.column);
                self.cells[self.row][self.column..].fill(erased);
            }
            (_, "H") => {
                self.row = numbers[0].max(1) - 1;
                self.column = numbers.get(1).copied().unwrap_or(1).max(1) - 1;
            }
            (_, "C") => self.column += numbers[0].max(1),
            (_, "m") => self.style(&numbers),
            other => panic!("the painter does not write {other:?}"),
        }
    }

    fn string(&mut self, string: &str) {
        match string.split_once(';').expect("a number") {
            ("2", title) => self.title = title.into(),
            ("8", ";") => self.pen.link = None,
            ("8", link) => self.pen.link = Some(link.into()),
            other => panic!("the painter does not write {other:?}"),
        }
    }

    fn style(&mut self, numbers: &[usize]) {
        let (front, back, modifier) = &mut self.pen.style;
        let mut rest = numbers;
        while let [number, behind @ ..] = rest {
            rest = behind;
            match number {
                0 => (*front, *back, *modifier) = PLAIN,
                1 => modifier.insert(Modifier::BOLD),
                2 => modifier.insert(Modifier::DIM),
                3 => modifier.insert(Modifier::ITALIC),
                4 => modifier.insert(Modifier::UNDERLINED),
                7 => modifier.insert(Modifier::REVERSED),
                9 => modifier.insert(Modifier::CROSSED_OUT),
                30..=39 | 90..=97 => *front = colour(*number, &mut rest),
                40..=49 | 100..=107 => *back = colour(*number - 10, &mut rest),
                other => panic!("the painter does not write {other}"),
            }
        }
    }

    fn cluster(&mut self, cluster: &str) {
        match self.eyes {
            _ if is_certain(cluster) => self.put(cluster, columns(cluster)),
            Eyes::Together => self.put(cluster, columns(cluster)),
            Eyes::Narrow => {
                self.put(cluster, if cluster.contains('\u{fe0f}') { 1 } else { columns(cluster) });
            }
            Eyes::Apart => {
                for character in cluster.chars() {
                    let character = character.to_string();
                    let width = columns(&character);
                    if width > 0 {
                        self.put(&character, width);
                    }
                }
            }
        }
    }

    /// Lines do not go on in the next row: what does not fit any more is drawn over the end.
    fn put(&mut self, text: &str, width: usize) {
        self.column = self.column.min(self.columns - width);
        self.tear(self.column);
        self.tear(self.column + width);
        let row = &mut self.cells[self.row];
        row[self.column..self.column + width].fill(Seen { text: String::new(), ..self.pen.clone() });
        row[self.column].text = text.into();
        self.column += width;
    }

    /// Something else begins here, or ends before: of a wide cluster that stands on both sides nothing is left.
    fn tear(&mut self, column: usize) {
        let row = &mut self.cells[self.row];
        if row.get(column).is_some_and(|seen| seen.text.is_empty()) {
            let first = (0..column).rfind(|&column| !row[column].text.is_empty()).unwrap_or(0);
            let end = (column..self.columns).find(|&column| !row[column].text.is_empty());
            for seen in &mut row[first..end.unwrap_or(self.columns)] {
                seen.text = " ".into();
            }
        }
    }
}

fn colour(number: usize, rest: &mut &[usize]) -> Color {
    let named = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match (number, *rest) {
        (38, [5, index, behind @ ..]) => {
            *rest = behind;
            Color::Indexed(*index as u8)
        }
        (38, [2, red, green, blue, behind @ ..]) => {
            *rest = behind;
            Color::Rgb(*red as u8, *green as u8, *blue as u8)
        }
        (39, _) => Color::Reset,
        (30..=37, _) => named[number - 30],
        (90..=97, _) => named[number - 82],
        other => panic!("the painter does not write {other:?}"),
    }
}
