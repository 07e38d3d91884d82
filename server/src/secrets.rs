//! Secrets that clients come back with: random bytes of the system's, fetched for many connections at a time.
//!
//! Where it stands: in each shard's thread, which gives one to every connection that it opens.
//!
//! What this file must never do: give out a byte twice, or make one up.

use dialect::Secret;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

const SECRET_BYTES: usize = 16;
/// For so many connections bytes are fetched at a time. The system gives at most 256 bytes without being interrupted.
const SECRETS_FETCHED: usize = 16;
const FETCHED_BYTES: usize = SECRET_BYTES * SECRETS_FETCHED;

pub(crate) struct Secrets {
    fetched: [u8; FETCHED_BYTES],
    given_out: usize,
}

impl Secrets {
    /// # Errors
    /// If the system gives no random bytes.
    pub(crate) fn new() -> io::Result<Secrets> {
        let mut secrets = Secrets { fetched: [0; FETCHED_BYTES], given_out: FETCHED_BYTES };
        secrets.fetch()?;
        Ok(secrets)
    }

    pub(crate) fn next(&mut self) -> Secret {
        if self.given_out == FETCHED_BYTES
            && let Err(error) = self.fetch()
        {
            // It gave some at the start; there is no reason for which it would stop.
            panic!("the system gives no random bytes: {error}");
        }
        let mut secret = [0; SECRET_BYTES];
        let taken = &mut self.fetched[self.given_out..self.given_out + SECRET_BYTES];
        secret.copy_from_slice(taken);
        taken.fill(0);
        self.given_out += SECRET_BYTES;
        Secret::new(secret)
    }

    fn fetch(&mut self) -> io::Result<()> {
        let mut filled = 0;
        while filled < FETCHED_BYTES {
            filled += getrandom(&mut self.fetched[filled..], GetRandomFlags::empty())?;
        }
        self.given_out = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_secret_is_given_out_twice() {
        let mut secrets = Secrets::new().unwrap();
        let mut seen = BTreeSet::new();
        for _ in 0..3 * SECRETS_FETCHED {
            if secrets.given_out == FETCHED_BYTES {
                secrets.fetch().unwrap();
            }
            let next = secrets.given_out..secrets.given_out + SECRET_BYTES;
            seen.insert(secrets.fetched[next.clone()].to_vec());
            secrets.next();
            assert_eq!(secrets.fetched[next], [0; SECRET_BYTES], "what was given out is not kept");
        }
        assert_eq!(seen.len(), 3 * SECRETS_FETCHED);
    }
}
