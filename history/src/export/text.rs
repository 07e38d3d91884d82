//! The lines that people read on a terminal.
//!
//! Where it stands: one of the forms of an export; the plain dialect writes them.
//!
//! What this file must never do: write a line of its own.

use super::{Form, Part, Whole};
use dialect::Setup;
use dialect::plain::write_past;
use hub::RoomName;
use jiff::civil::Date;

/// Lines as `/history` shows them.
#[derive(Default)]
pub(super) struct Text {
    day: Option<Date>,
}

impl Form for Text {
    fn begin(&mut self, _: &Whole<'_>, _: &mut Vec<u8>) {}

    fn page(&mut self, whole: &Whole<'_>, part: &Part, bytes: &mut Vec<u8>) {
        let name = &whole.about.room.name;
        // The room need not be named in every line. A conversation has no name that could be.
        let home = RoomName { shown: name.clone(), key: hub::key_of(name).into() };
        let setup = Setup { zone: whole.wanted.zone.clone(), ..Setup::new(home) };
        write_past(&setup, part.lines.iter(), &mut self.day, bytes);
    }

    fn end(&mut self, _: &Whole<'_>, _: u64, _: &mut Vec<u8>) {}
}
