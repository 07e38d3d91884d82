//! Lines out of bytes that were cut anywhere.
//!
//! Where it stands: between the bytes of a connection and the link.
//!
//! What this file must never do: hold more than [`LINE_BYTES_MAX`] bytes of a line that does not end.

/// The longest line of a Roomful server is a page of the past, about a quarter of a mebibyte; written with escapes it may be
/// six times that.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What was found.
pub(super) enum Cut {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The line that has begun is longer than any may be.
    TooLong,
    /// No end of a line; what is there is remembered.
    Nothing,
}

#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes one line from the beginning of `rest`.
    pub(super) fn next(&mut self, rest: &mut &[u8]) -> Cut {
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            self.begun.extend_from_slice(rest);
            *rest = &[];
            return if self.begun.len() > LINE_BYTES_MAX { Cut::TooLong } else { Cut::Nothing };
        };
        let mut line = std::mem::take(&mut self.begun);
        line.extend_from_slice(&rest[..end]);
        *rest = &rest[end + 1..];
        if line.len() > LINE_BYTES_MAX { Cut::TooLong } else { Cut::Line(line) }
    }

    /// What has come behind the last end of a line.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }
}
