//! The journal of a server that keeps nothing on disk: every record counts as written at once, and numbers are reserved
//! as if it were. What the server keeps is what its memory holds.

use engine::Desk;

/// Commits what the desk has for the journal, if it has anything.
pub(crate) fn commit(desk: &mut Desk) {
    if !desk.has_kept() {
        return;
    }
    let (_kept, reservation) = desk.to_commit();
    let position = desk.hub().position();
    desk.committed(position, &reservation);
}
