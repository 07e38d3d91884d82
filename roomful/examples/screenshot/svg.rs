//! A terminal's screen becomes a picture that every browser draws alike.
//!
//! Where it stands: the script has brought the screen to where it is worth a picture; this is a pure function from it to SVG. Each
//! run of cells that look the same is one text, whose length is given, so that it ends where its cells end whatever font the reader
//! has; a wide character is a run of its own. The picture is dark for everybody: the client chose its colours for a dark
//! background, and a reader's browser cannot choose them anew.
//!
//! What this file must never do: trust a cell's text to be no markup.

use std::fmt::Write as _;
use vt100::{Cell, Color, Screen};

/// Sizes in pixels. A cell is 0.6 of the font's size wide, as in nearly all fonts of terminals.
const FONT_SIZE: u32 = 14;
const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: u32 = 18;
/// From the top of a cell to where letters stand.
const BASELINE: u32 = 14;
const MARGIN: u32 = 14;
const FONTS: &str = "ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', 'Segoe UI Mono', 'DejaVu Sans Mono', Consolas, monospace";
const FOREGROUND: &str = "#d8dee9";
const BACKGROUND: &str = "#16181d";

/// The sixteen colours that have names, on that background.
const NAMED: [&str; 16] = [
    "#2b303b", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#6b7280",
    "#ff8b94", "#b5e890", "#ffd890", "#8cc8ff", "#de9cf5", "#7fdde8", "#ffffff",
];

/// Cells of one row that look the same.
struct Run {
    row: u16,
    column: u16,
    columns: u16,
    text: String,
    look: Look,
}

/// All of a cell but its text.
#[derive(Clone, PartialEq, Eq)]
struct Look {
    foreground: String,
    background: Option<String>,
    /// What else is to be written into the text's element.
    style: String,
}

/// Draws the screen; `title` is what those hear who do not see it.
pub(crate) fn draw(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (left(columns) + MARGIN as f32, top(rows) + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height}\" width=\"{width:.1}\" \
         height=\"{height}\" role=\"img\" font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        escaped(title)
    );
    let runs: Vec<Run> = (0..rows).flat_map(|row| runs(screen, row)).collect();
    for run in &runs {
        draw_background(run, &mut svg);
    }
    draw_cursor(screen, &mut svg);
    for run in &runs {
        draw_text(run, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn left(column: u16) -> f32 {
    MARGIN as f32 + f32::from(column) * CELL_WIDTH
}

fn top(row: u16) -> u32 {
    MARGIN + u32::from(row) * CELL_HEIGHT
}

fn draw_background(run: &Run, svg: &mut String) {
    if let Some(colour) = &run.look.background {
        let (x, y, width) = (left(run.column), top(run.row), f32::from(run.columns) * CELL_WIDTH);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{colour}\"/>"
        );
    }
}

fn draw_cursor(screen: &Screen, svg: &mut String) {
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let (x, y) = (left(column), top(row));
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{CELL_WIDTH}\" height=\"{CELL_HEIGHT}\" fill=\"{FOREGROUND}\" \
             fill-opacity=\".7\"/>"
        );
    }
}

/// Blanks are not drawn: browsers do not agree about those at the ends of a text.
fn draw_text(run: &Run, svg: &mut String) {
    let text = run.text.trim_end();
    if text.is_empty() {
        return;
    }
    let blanks = (run.text.len() - text.len()) as u16;
    let (x, y) = (left(run.column), top(run.row) + BASELINE);
    let length = f32::from(run.columns - blanks) * CELL_WIDTH;
    let (colour, style) = (&run.look.foreground, &run.look.style);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         fill=\"{colour}\"{style}>{}</text>",
        escaped(text)
    );
}

fn runs(screen: &Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..screen.size().1 {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else {
            continue;
        };
        let (look, text) = (look(cell), if cell.has_contents() { cell.contents() } else { " " });
        let is_alone = cell.is_wide() || !text.is_ascii();
        match runs.last_mut() {
            Some(run) if run.look == look && !is_alone && goes_on(run, text) => {
                run.text.push_str(text);
                run.columns += 1;
            }
            _ => {
                let columns = if cell.is_wide() { 2 } else { 1 };
                runs.push(Run { row, column, columns, text: text.to_owned(), look });
            }
        }
    }
    runs
}

/// A text ends at two blanks, because browsers make one of them, and behind a character whose width is not sure in all fonts.
fn goes_on(run: &Run, text: &str) -> bool {
    let is_blank = run.text.trim_end().is_empty();
    let is_gap = run.text.ends_with(' ') && text == " ";
    run.text.is_ascii() && is_blank == is_gap
}

fn look(cell: &Cell) -> Look {
    let [front, back] = [colour(cell.fgcolor()), colour(cell.bgcolor())];
    let (front, back) = if cell.inverse() {
        (back.or(Some(BACKGROUND.to_owned())), front.or(Some(FOREGROUND.to_owned())))
    } else {
        (front, back)
    };
    let parts = [
        (cell.bold(), " font-weight=\"bold\""),
        (cell.italic(), " font-style=\"italic\""),
        (cell.underline(), " text-decoration=\"underline\""),
        (cell.dim(), " fill-opacity=\".65\""),
    ];
    let style = parts.iter().filter(|(is_so, _)| *is_so).map(|(_, part)| *part).collect();
    Look { foreground: front.unwrap_or_else(|| FOREGROUND.to_owned()), background: back, style }
}

/// No colour is the terminal's own.
fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Default => None,
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Idx(index) => Some(indexed(index)),
    }
}

/// Sixteen names, a cube of 6 × 6 × 6, and 24 greys, as xterm has them.
fn indexed(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => NAMED[usize::from(index)].to_owned(),
        16..232 => {
            let [red, green, blue] = [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(level);
            format!("#{red:02x}{green:02x}{blue:02x}")
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bytes: &str) -> String {
        let mut parser = vt100::Parser::new(2, 20, 0);
        parser.process(format!("\x1b[?25l{bytes}").as_bytes());
        draw(parser.screen(), "a screen")
    }

    fn texts(svg: &str) -> Vec<&str> {
        svg.lines().filter(|line| line.starts_with("<text")).collect()
    }

    #[test]
    fn run_of_cells_is_one_text_of_known_length() {
        let svg = drawn("ab cd");
        assert_eq!(
            texts(&svg),
            [
                "<text x=\"14.0\" y=\"28\" textLength=\"42.0\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#d8dee9\">ab cd</text>"
            ]
        );
        assert!(svg.contains("viewBox=\"0 0 196.0 64\""), "{svg}");
    }

    #[test]
    fn wide_characters_and_gaps_begin_a_text_of_their_own() {
        let svg = drawn("a漢b   c\r\n  é");
        let places: Vec<(&str, &str)> = texts(&svg)
            .into_iter()
            .map(|text| (&text[9..text.find("\" y").expect("y")], &text[text.find('>').expect("an end")..]))
            .collect();
        assert_eq!(
            places,
            [
                ("14.0", ">a</text>"),
                ("22.4", ">漢</text>"),
                ("39.2", ">b</text>"),
                ("72.8", ">c</text>"),
                ("30.8", ">é</text>"),
            ]
        );
    }

    #[test]
    fn colours_and_weights_are_kept() {
        let svg = drawn("\x1b[1;31ma\x1b[0;7mb\x1b[0;48;5;196mc\x1b[0;38;2;1;2;3;3;4md\x1b[0;38;5;244;2me");
        let looks = texts(&svg);
        assert!(looks[0].contains("fill=\"#e06c75\" font-weight=\"bold\""), "{svg}");
        assert!(looks[1].contains(&format!("fill=\"{BACKGROUND}\"")), "{svg}");
        assert!(svg.contains("fill=\"#ff0000\"/>"), "{svg}");
        assert!(looks[3].contains("fill=\"#010203\" font-style=\"italic\" text-decoration"), "{svg}");
        assert!(looks[4].contains("fill=\"#808080\" fill-opacity"), "{svg}");
    }

    #[test]
    fn text_is_never_markup() {
        let svg = drawn("</text><a&\"");
        assert!(svg.contains("&lt;/text&gt;&lt;a&amp;&quot;"), "{svg}");
    }

    #[test]
    fn cursor_is_drawn_where_it_is_seen() {
        let shown = drawn("ab\x1b[?25h");
        assert!(shown.contains("<rect x=\"30.8\" y=\"14\" width=\"8.4\""), "{shown}");
        assert!(!drawn("ab").contains("fill-opacity"));
    }
}
