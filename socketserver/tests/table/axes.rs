//! What the cases of the table ask of places and ways.

use crate::cells::{Kind, Way};
use crate::places::{Place, RECORD_BYTES_MAX};

impl Place {
    pub(crate) const fn is_stream(self) -> bool {
        !self.transport().keeps_boundaries()
    }

    pub(crate) const fn has_file(self) -> bool {
        matches!(self, Place::StreamPath | Place::DatagramPath | Place::RecordsPath)
    }

    /// The most that fits into one datagram or record, both ways.
    pub(crate) const fn message_bytes_max(self) -> usize {
        match self {
            // 65,535 without the heads of IPv4 (20) and UDP (8), or of UDP alone.
            Place::Udp4 => 65_507,
            Place::Udp6 => 65_527,
            _ => RECORD_BYTES_MAX,
        }
    }
}

impl Way {
    /// Whether the handler may block.
    pub(crate) const fn blocks(self) -> bool {
        matches!(self, Way::Iterative(Kind::Blocking) | Way::Threading(Kind::Blocking))
    }

    pub(crate) const fn is_iterative(self) -> bool {
        matches!(self, Way::Iterative(_))
    }

    /// Whether it needs a process with a single thread.
    pub(crate) const fn forks(self) -> bool {
        matches!(self, Way::Forking(_))
    }
}
