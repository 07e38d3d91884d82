//! Exports: a room's log, or a part of it, for people and for other programs.
//!
//! Where it stands: behind the reader, which gives page after page, beside a running server; each page is written in a form and
//! goes out before the next is read.
//!
//! What this file must never do: hold more than a page, or show anything that was erased.

mod about;
mod html;
mod json;
mod markdown;
mod text;
mod words;

use crate::error::{OpenError, ReadError};
use crate::reader::Reader;
use about::About;
use html::Html;
use hub::{Event, PageWanted, Past, RoomNumber, Sequence, Shape, Span, Time};
use jiff::tz::TimeZone;
use json::Json;
pub(crate) use json::VERSION as JSON_VERSION;
use markdown::Markdown;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use text::Text;

/// So many lines are read at a time.
const PAGE_LINES: u32 = 1_000;

/// In which form an export is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines as `/history` shows them, with the date of each day.
    Text,
    /// A document in Markdown, a list item for each message.
    Markdown,
    /// An object of JSON on each line, a fact each: what [`import`](crate::import) reads.
    Json,
    /// A page for a browser, complete in one file.
    Html,
}

/// Whose log is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A room, by its name.
    Room(String),
    /// A direct conversation, by its number.
    Conversation(RoomNumber),
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct ExportWanted {
    /// Whose log.
    pub place: Place,
    /// In which form.
    pub format: Format,
    /// From the first message on that is not older than this.
    pub since: Option<Time>,
    /// Up to the first message that is not older than this; without that one.
    pub until: Option<Time>,
    /// Where the readers' clocks are.
    pub zone: TimeZone,
    /// What time it is.
    pub now: Time,
}

/// Why there is no export, or only a part of one.
#[derive(Debug)]
pub enum ExportError {
    /// The data file cannot be opened.
    Open(OpenError),
    /// It cannot be read, or not to its end.
    Read(ReadError),
    /// There is no such room.
    NoRoom {
        /// What was asked for.
        wanted: String,
        /// Some of the rooms that there are.
        rooms: Vec<String>,
    },
    /// There is no such conversation.
    NoConversation {
        /// What was asked for.
        number: RoomNumber,
        /// The name of the room that has this number, if one has.
        room: Option<String>,
    },
    /// It cannot be written to where it goes.
    Write(io::Error),
    /// Whoever asked for it did not want it any more.
    Interrupted,
}

/// What a form is told of all that comes.
struct Whole<'a> {
    about: &'a About,
    wanted: &'a ExportWanted,
}

/// A part of the log, in the shape of the form.
struct Part {
    /// In their order.
    lines: Vec<Past>,
    /// Numbers among those of the lines that tell nothing, because what they changed was erased; only where changes are lines of
    /// their own.
    voids: Vec<Sequence>,
}

/// How an export is written. What it gives out goes on at once.
trait Form {
    fn begin(&mut self, whole: &Whole<'_>, bytes: &mut Vec<u8>);

    fn page(&mut self, whole: &Whole<'_>, part: &Part, bytes: &mut Vec<u8>);

    /// All has been given.
    fn end(&mut self, whole: &Whole<'_>, messages: u64, bytes: &mut Vec<u8>);

    /// How the past is shown.
    fn shape(&self) -> Shape {
        Shape::Present
    }
}

/// Writes the log of a room to `out`. After each page `go_on` is told how many messages have been written; it may break off. Gives
/// how many there were.
///
/// # Errors
/// What was written up to then has been written.
pub fn export(
    directory: &Path,
    wanted: &ExportWanted,
    out: &mut dyn Write,
    mut go_on: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<u64, ExportError> {
    let mut reader = Reader::open(directory).map_err(ExportError::Open)?;
    let about = about(&reader, &wanted.place)?;
    let whole = Whole { about: &about, wanted };
    let mut form: Box<dyn Form> = match wanted.format {
        Format::Text => Box::new(Text::default()),
        Format::Markdown => Box::new(Markdown::default()),
        Format::Json => Box::new(Json::default()),
        Format::Html => Box::new(Html::default()),
    };
    let mut bytes = Vec::new();
    form.begin(&whole, &mut bytes);
    let mut parts = Parts::new(&mut reader, &whole, form.shape());
    let mut count = 0;
    while let Some(part) = parts.next().map_err(ExportError::Read)? {
        form.page(&whole, &part, &mut bytes);
        out.write_all(&bytes).map_err(ExportError::Write)?;
        bytes.clear();
        count += part.lines.iter().filter(|line| is_message(line)).count() as u64;
        if go_on(count).is_break() {
            return Err(ExportError::Interrupted);
        }
    }
    form.end(&whole, count, &mut bytes);
    out.write_all(&bytes).and_then(|()| out.flush()).map_err(ExportError::Write)?;
    Ok(count)
}

/// Whether a line is something that somebody said, and not news.
fn is_message(line: &Past) -> bool {
    matches!(line.event, Event::Said { .. } | Event::Directed { .. } | Event::Erased { .. })
}

fn about(reader: &Reader, place: &Place) -> Result<About, ExportError> {
    let connection = reader.connection();
    let unreadable = |error| ExportError::Read(ReadError(error));
    match place {
        Place::Room(name) => {
            let key = hub::key_of(name.strip_prefix('#').unwrap_or(name));
            if let Some(about) = about::room(connection, &key).map_err(unreadable)? {
                return Ok(about);
            }
            let rooms = about::some_rooms(connection).map_err(unreadable)?;
            Err(ExportError::NoRoom { wanted: name.clone(), rooms })
        }
        Place::Conversation(number) => {
            if let Some(about) = about::conversation(connection, *number).map_err(unreadable)? {
                return Ok(about);
            }
            let room = about::name_of(connection, *number).map_err(unreadable)?;
            Err(ExportError::NoConversation { number: *number, room })
        }
    }
}

/// Finds out whether there is a direct conversation of this number, before anybody is asked whether it is to be exported.
///
/// # Errors
/// There is none, or it cannot be found out.
pub fn find_conversation(directory: &Path, number: RoomNumber) -> Result<(), ExportError> {
    let reader = Reader::open(directory).map_err(ExportError::Open)?;
    about(&reader, &Place::Conversation(number)).map(drop)
}

/// The way through the log.
struct Parts<'a> {
    reader: &'a mut Reader,
    whole: &'a Whole<'a>,
    shape: Shape,
    /// Where the next part begins, if there is one.
    next: Option<Span>,
    /// Up to where all has been looked at; unknown in front of the first part, if that is not the beginning.
    last: Option<Sequence>,
}

impl<'a> Parts<'a> {
    fn new(reader: &'a mut Reader, whole: &'a Whole<'a>, shape: Shape) -> Parts<'a> {
        let beginning = Sequence(0);
        let (span, last) = match whole.wanted.since {
            None => (Span::After(beginning), Some(beginning)),
            Some(since) => (Span::Since(since), None),
        };
        Parts { reader, whole, shape, next: Some(span), last }
    }

    fn next(&mut self) -> Result<Option<Part>, ReadError> {
        let Some(span) = self.next.take() else { return Ok(None) };
        let room = self.whole.about.room.clone();
        let upto = self.whole.about.sequence;
        let wanted = PageWanted { room, upto, span, lines_max: PAGE_LINES, shape: self.shape };
        let page = self.reader.page(&wanted, &[])?;
        self.next = page.after.map(Span::After);
        let mut lines = page.lines;
        let mut last = page.after.unwrap_or(upto);
        let until = self.whole.wanted.until;
        if let Some(end) = lines.iter().position(|line| until.is_some_and(|until| line.time >= until)) {
            last = lines[end].event.sequence().map_or(last, |sequence| Sequence(sequence.0 - 1));
            lines.truncate(end);
            self.next = None;
        }
        let voids = self.voids(&lines, last)?;
        self.last = Some(last);
        Ok(Some(Part { lines, voids }))
    }

    /// What there is up to `last` besides these lines.
    fn voids(&mut self, lines: &[Past], last: Sequence) -> Result<Vec<Sequence>, ReadError> {
        let told: Vec<Sequence> = lines.iter().filter_map(|line| line.event.sequence()).collect();
        let Some(before) = self.last.or(told.first().copied()) else { return Ok(Vec::new()) };
        if self.shape == Shape::Present {
            return Ok(Vec::new());
        }
        let number = self.whole.about.room.number;
        let mut voids = about::sequences(self.reader.connection(), number, before.next(), last)?;
        voids.retain(|sequence| told.binary_search(sequence).is_err());
        Ok(voids)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::Open(error) => error.fmt(f),
            ExportError::Read(error) => error.fmt(f),
            ExportError::NoRoom { wanted, rooms } if rooms.is_empty() => {
                write!(f, "there is no room {wanted:?}; nothing is kept of any room")
            }
            ExportError::NoRoom { wanted, rooms } => {
                write!(f, "there is no room {wanted:?}; there are {}", rooms.join(", "))
            }
            ExportError::NoConversation { number, room: None } => {
                write!(f, "there is no conversation {}", hub::conversation_name(*number))
            }
            ExportError::NoConversation { number, room: Some(room) } => {
                let number = hub::conversation_name(*number);
                write!(f, "{number} is no conversation but the room #{room}, which is exported by its name")
            }
            ExportError::Write(error) => write!(f, "the export cannot be written: {error}"),
            ExportError::Interrupted => write!(f, "the export was broken off"),
        }
    }
}

/// What stands behind it is in its words.
impl Error for ExportError {}
