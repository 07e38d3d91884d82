//! How plain text is written: as a chat, or as the two classic exercises wrote it, for old programs and pipes.

/// How a server writes plain text; the same for all its connections.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Style {
    /// People with names, commands, rooms.
    #[default]
    Chat,
    /// Lines tagged with the address of whoever sent them.
    Tagged,
    /// Lines and nothing else.
    Bare,
}
