//! Chance, for what nobody else may have and nobody may foresee.
//!
//! Where it stands: whoever starts a link asks here once; the link itself is pure, and is given what comes out.
//!
//! What this file must never do: answer twice the same.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Chance for nonces that nobody else has: the system's, which the keys of a hash map come of.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
