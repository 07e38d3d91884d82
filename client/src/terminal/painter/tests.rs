//! Pictures are painted one after another into terminals that we understand, and what those show is compared with the pictures.
//!
//! Two terminals stand for all: `vt100`, which others wrote, and a small one of our own (`model`) that can be told how wide it finds
//! the clusters about which terminals do not agree.

mod model;

use super::super::{Link, Scene};
use super::Painter;
use dialect::editing::width::{columns, is_certain};
use model::{Eyes, Model};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

const COLUMNS: u16 = 24;
const ROWS: u16 = 5;

fn blank() -> Buffer {
    Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS))
}

fn lines(lines: &[&str]) -> Buffer {
    let mut buffer = blank();
    for (row, line) in (0..).zip(lines) {
        buffer.set_string(0, row, line, Style::default());
    }
    buffer
}

fn link(column: u16, row: u16, width: u16, target: &str) -> Link {
    Link { area: Rect::new(column, row, width, 1), target: target.into() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a frame is text")
}

#[test]
fn picture_that_is_shown_already_costs_nothing() {
    let mut painter = Painter::default();
    let scene = Scene { cursor: Some(Position::new(2, 1)), title: "dev".into(), ..Scene::default() };
    let buffer = lines(&["hello", "世界", "👨‍👩‍👧‍👦 x"]);
    assert!(!painter.paint(buffer.clone(), scene.clone()).is_empty());
    assert_eq!(text(&painter.paint(buffer, scene)), "");
}

#[test]
fn key_press_costs_a_few_bytes() {
    let mut painter = Painter::default();
    let mut buffer = lines(&["", "", "", "", "> hell"]);
    let scene = |column| Scene { cursor: Some(Position::new(column, 4)), ..Scene::default() };
    painter.paint(buffer.clone(), scene(6));
    buffer.set_string(6, 4, "o", Style::default());
    assert_eq!(text(&painter.paint(buffer.clone(), scene(7))), "\x1b[5;7Ho");
    buffer.set_string(2, 0, "x", Style::default().fg(Color::Red));
    assert_eq!(text(&painter.paint(buffer.clone(), scene(7))), "\x1b[1;3H\x1b[31mx\x1b[m\x1b[5;8H");
    assert_eq!(text(&painter.paint(buffer, scene(6))), "\x1b[5;7H");
}

#[test]
fn great_frame_is_one_step_and_hides_the_cursor_meanwhile() {
    let mut painter = Painter::default();
    let scene = Scene { cursor: Some(Position::new(0, 0)), ..Scene::default() };
    painter.paint(blank(), scene.clone());
    let bytes = text(&painter.paint(lines(&["abcdefghijklmnopqrstuvwx"; 5]), scene.clone()));
    assert!(
        bytes.starts_with("\x1b[?2026h\x1b[?25l") && bytes.ends_with("\x1b[1H\x1b[?25h\x1b[?2026l"),
        "{bytes:?}"
    );
    let hidden = text(&painter.paint(blank(), Scene { cursor: None, ..scene }));
    assert!(hidden.contains("\x1b[?25l") && !hidden.contains("\x1b[?25h"), "{hidden:?}");
}

#[test]
fn other_size_clears_the_screen_and_so_does_what_was_forgotten() {
    let mut painter = Painter::default();
    painter.paint(lines(&["hello"]), Scene::default());
    let smaller = Buffer::with_lines(["hel", "lo "]);
    let bytes = text(&painter.paint(smaller.clone(), Scene::default()));
    assert!(bytes.contains("\x1b[2J") && bytes.contains("hel"), "{bytes:?}");
    assert_eq!(text(&painter.paint(smaller.clone(), Scene::default())), "");
    painter.forget();
    assert_eq!(text(&painter.paint(smaller, Scene::default())), bytes);
}

#[test]
fn title_is_told_when_it_changes() {
    let mut painter = Painter::default();
    let scene = |title: &str| Scene { title: title.into(), ..Scene::default() };
    assert!(text(&painter.paint(blank(), scene("dev"))).contains("\x1b]2;dev\x1b\\"));
    assert_eq!(text(&painter.paint(blank(), scene("dev"))), "");
    assert_eq!(text(&painter.paint(blank(), scene("(1) dev"))), "\x1b]2;(1) dev\x1b\\");
}

#[test]
fn link_over_two_rows_has_one_identity() {
    let mut painter = Painter::default();
    let links = vec![link(20, 0, 4, "https://a/long"), link(0, 1, 2, "https://a/long")];
    let buffer = lines(&["                    long", "er and more"]);
    let mut model = Model::new(COLUMNS, ROWS, Eyes::Together);
    model.take(&painter.paint(buffer.clone(), Scene { links, ..Scene::default() }));
    let [first, second] = [(20, 0), (1, 1)].map(|(column, row)| model.at(column, row).link.clone());
    assert!(first.as_ref().is_some_and(|link| link.ends_with(";https://a/long")), "{first:?}");
    assert_eq!((first, model.at(2, 1).link.clone()), (second, None));
    model.take(&painter.paint(buffer, Scene::default()));
    assert_eq!(model.at(20, 0).link, None);
}

#[test]
fn cluster_that_is_narrower_than_thought_leaves_no_hole_in_its_background() {
    let mut buffer = blank();
    buffer.set_string(0, 0, "x❤\u{fe0f}y", Style::default().bg(Color::Blue));
    let mut model = Model::new(COLUMNS, ROWS, Eyes::Narrow);
    model.take(&Painter::default().paint(buffer, Scene::default()));
    let seen: Vec<&str> = (0..4).map(|column| model.at(column, 0).text.as_str()).collect();
    assert_eq!(seen, ["x", "❤\u{fe0f}", " ", "y"]);
    assert!((0..4).all(|column| model.at(column, 0).style.1 == Color::Blue));
}

#[test]
fn control_characters_and_half_clusters_never_reach_the_terminal() {
    let mut buffer = blank();
    buffer[(0, 0)].set_symbol("\x1b[2J");
    buffer[(1, 0)].set_symbol("\u{301}");
    buffer[(2, 0)].set_symbol("");
    buffer[(COLUMNS - 1, 0)].set_symbol("漢");
    let bytes = text(&Painter::default().paint(buffer, Scene::default()));
    assert_eq!(bytes.matches('\u{fffd}').count(), 4, "{bytes:?}");
    assert_eq!(bytes.matches("\x1b[2J").count(), 1, "{bytes:?}");
}

/// What is drawn into one of our pictures.
#[derive(Clone, Debug)]
struct Stroke {
    column: u16,
    row: u16,
    text: String,
    style: Style,
}

/// Texts of all kinds. The last few are those that terminals do not agree about.
fn texts() -> impl Strategy<Value = String> {
    let certain = prop::sample::select(vec![
        "a", "hello", "世", "世界", "e\u{301}", "  ", "한", "🇩🇪", "😀", "שלום", "─",
    ]);
    let uncertain = prop::sample::select(vec!["👨‍👩‍👧‍👦", "❤\u{fe0f}", "👍🏽", "🏳\u{fe0f}‍🌈"]);
    let one = prop_oneof![5 => certain, 1 => uncertain].prop_map(str::to_owned);
    prop::collection::vec(one, 1..4).prop_map(|parts| parts.concat())
}

fn styles() -> impl Strategy<Value = Style> {
    let colour = prop::sample::select(vec![
        Color::Reset,
        Color::Red,
        Color::LightBlue,
        Color::Indexed(200),
        Color::Rgb(1, 2, 3),
    ]);
    let modifier = prop::sample::select(vec![
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::REVERSED | Modifier::ITALIC,
        Modifier::UNDERLINED | Modifier::CROSSED_OUT,
    ]);
    (colour.clone(), colour, modifier)
        .prop_map(|(front, back, modifier)| Style::default().fg(front).bg(back).add_modifier(modifier))
}

fn strokes() -> impl Strategy<Value = Vec<Stroke>> {
    let stroke = (0..COLUMNS, 0..ROWS, texts(), styles()).prop_map(|(column, row, text, style)| Stroke {
        column,
        row,
        text,
        style,
    });
    prop::collection::vec(stroke, 0..8)
}

fn scenes() -> impl Strategy<Value = Scene> {
    let cursor = prop::option::of((0..COLUMNS, 0..ROWS).prop_map(Position::from));
    let one = (0..COLUMNS, 0..ROWS, 1..9_u16, prop::sample::select(vec!["https://a/", "http://b/ö"]))
        .prop_map(|(column, row, width, target)| link(column, row, width.min(COLUMNS - column), target));
    let title = prop::sample::select(vec!["", "dev", "(2) ops"]);
    (cursor, prop::collection::vec(one, 0..3), title).prop_map(|(cursor, links, title)| Scene {
        cursor,
        links,
        title: title.into(),
    })
}

/// A picture is drawn over the one before, or on nothing.
fn pictures() -> impl Strategy<Value = Vec<(bool, Vec<Stroke>, Scene)>> {
    prop::collection::vec((prop::bool::weighted(0.3), strokes(), scenes()), 1..6)
}

fn draw(buffer: &mut Buffer, strokes: &[Stroke]) {
    for stroke in strokes {
        // What was wide and is covered by half goes, as the view does it.
        buffer.set_string(stroke.column, stroke.row, &stroke.text, stroke.style);
    }
}

/// Compares all that every terminal must show alike: the cells that are not a part of an uncertain cluster, and the cursor.
fn check(model: &Model, buffer: &Buffer, scene: &Scene) -> Result<(), TestCaseError> {
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let cell = &buffer[(column, row)];
            let fits = columns(cell.symbol()) <= usize::from(COLUMNS - column);
            let symbol = if fits { cell.symbol() } else { "\u{fffd}" };
            let width = columns(symbol) as u16;
            let seen = model.at(column, row);
            let target = scene.links.iter().find(|link| link.area.contains(Position::new(column, row)));
            if is_certain(symbol) {
                prop_assert_eq!(&seen.text, symbol, "{},{} of\n{:?}", column, row, model);
                prop_assert_eq!(&seen.style, &(cell.fg, cell.bg, cell.modifier), "{},{}", column, row);
                let encoded = target.map(|link| link.target.replace('ö', "%C3%B6"));
                let link =
                    seen.link.as_deref().and_then(|link| link.split_once(';')).map(|(_, target)| target);
                prop_assert_eq!(link, encoded.as_deref(), "{},{}", column, row);
                for inner in 1..width {
                    prop_assert_eq!(&model.at(column + inner, row).text, "", "{},{}", column, row);
                }
            }
            column += width;
        }
    }
    prop_assert_eq!(model.cursor(), scene.cursor);
    prop_assert_eq!(model.title(), &scene.title);
    Ok(())
}

/// Compares what `vt100` understands.
fn check_other(parser: &vt100::Parser, buffer: &Buffer, scene: &Scene) -> Result<(), TestCaseError> {
    let screen = parser.screen();
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let (wanted, seen) = (&buffer[(column, row)], screen.cell(row, column).expect("a cell"));
            let contents = if seen.has_contents() { seen.contents() } else { " " };
            prop_assert_eq!(contents, wanted.symbol(), "{},{}", column, row);
            // This terminal has either bold or dim.
            if !wanted.modifier.contains(Modifier::DIM) {
                prop_assert_eq!(seen.bold(), wanted.modifier.contains(Modifier::BOLD));
            }
            prop_assert_eq!(seen.inverse(), wanted.modifier.contains(Modifier::REVERSED));
            prop_assert_eq!(seen.underline(), wanted.modifier.contains(Modifier::UNDERLINED));
            prop_assert_eq!(seen.fgcolor(), other_colour(wanted.fg));
            prop_assert_eq!(seen.bgcolor(), other_colour(wanted.bg));
            column += columns(wanted.symbol()) as u16;
        }
    }
    prop_assert_eq!(screen.hide_cursor(), scene.cursor.is_none());
    if let Some(cursor) = scene.cursor {
        prop_assert_eq!(screen.cursor_position(), (cursor.y, cursor.x));
    }
    Ok(())
}

fn other_colour(colour: Color) -> vt100::Color {
    match colour {
        Color::Red => vt100::Color::Idx(1),
        Color::LightBlue => vt100::Color::Idx(12),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        _ => vt100::Color::Default,
    }
}

/// What another terminal that joins no characters understands, and has room for.
fn is_plain_enough(buffer: &Buffer) -> bool {
    let fits = |row: u16| columns(buffer[(COLUMNS - 1, row)].symbol()) == 1;
    let is_known = |symbol: &str| is_certain(symbol) && !symbol.contains('🇩');
    (0..ROWS).all(fits) && buffer.content.iter().all(|cell| is_known(cell.symbol()))
}

proptest! {
    #[test]
    fn terminal_shows_every_picture_however_wide_it_finds_a_family(pictures in pictures()) {
        for eyes in [Eyes::Together, Eyes::Apart, Eyes::Narrow] {
            let (mut painter, mut model, mut buffer) = (Painter::default(), Model::new(COLUMNS, ROWS, eyes), blank());
            for (is_fresh, strokes, scene) in &pictures {
                if *is_fresh {
                    buffer.reset();
                }
                draw(&mut buffer, strokes);
                model.take(&painter.paint(buffer.clone(), scene.clone()));
                check(&model, &buffer, scene)?;
                prop_assert!(painter.paint(buffer.clone(), scene.clone()).is_empty());
            }
        }
    }

    #[test]
    fn another_terminal_shows_every_picture_too(pictures in pictures()) {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        let (mut painter, mut buffer) = (Painter::default(), blank());
        for (is_fresh, strokes, scene) in &pictures {
            if *is_fresh {
                buffer.reset();
            }
            draw(&mut buffer, strokes);
            if !is_plain_enough(&buffer) {
                buffer.reset();
            }
            parser.process(&painter.paint(buffer.clone(), scene.clone()));
            check_other(&parser, &buffer, scene)?;
        }
    }
}
