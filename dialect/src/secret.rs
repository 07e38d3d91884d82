//! What a client proves itself with when it comes back: 128 random bits that only it and, for a moment, the server know.
//!
//! Where it stands: made by whoever accepts a connection, told to its client once, brought again by it. The hub knows a digest
//! of it alone, so that nothing that is written down gives anybody's secret away.
//!
//! What this file must never do: let a secret be logged or printed, or compare two of them.

use hub::ClientId;
use sha2::{Digest as _, Sha256};
use std::fmt;

const SECRET_BYTES: usize = 16;

/// A resume secret.
#[derive(Clone, Copy)]
pub struct Secret([u8; SECRET_BYTES]);

impl Secret {
    /// Of bytes that nobody can guess.
    pub fn new(random: [u8; SECRET_BYTES]) -> Secret {
        Secret(random)
    }

    /// `None` if these are not 32 hexadecimal digits.
    pub(crate) fn parse(digits: &str) -> Option<Secret> {
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
        let mut bytes = [0; SECRET_BYTES];
        if pairs.len() != bytes.len() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Secret(bytes))
    }

    /// 32 hexadecimal digits.
    pub(crate) fn digits(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
    }

    /// Who knows it: the first half of its SHA-256 (FIPS 180-4).
    pub(crate) fn client(&self) -> ClientId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        ClientId(id)
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_comes_back_from_its_digits() {
        let secret = Secret::new([0x00, 0x01, 0x7f, 0x80, 0xff, 0xab, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        let digits = secret.digits();
        assert_eq!(digits, "00017f80ffab060708090a0b0c0d0e0f");
        let again = Secret::parse(&digits.to_uppercase()).expect("a secret");
        assert_eq!(again.client(), secret.client());
        for wrong in ["", "00", &digits[1..], &format!("{digits}0"), &digits.replace('f', "g")] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
        // Sixteen characters of two bytes have as many bytes as there are digits.
        assert!(Secret::parse(&"é".repeat(16)).is_none());
    }

    #[test]
    fn client_is_known_by_the_first_half_of_the_digest() {
        // The digest of sixteen zeros begins so; any other tool says the same.
        let expected =
            [0x37, 0x47, 0x08, 0xff, 0xf7, 0x71, 0x9d, 0xd5, 0x97, 0x9e, 0xc8, 0x75, 0xd5, 0x6c, 0xd2, 0x28];
        assert_eq!(Secret::new([0; 16]).client(), ClientId(expected));
    }

    #[test]
    fn secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new([0xab; 16])), "Secret");
    }
}
