//! What is left for a person's eyes of what goes to a telnet. For the fuzzer and for the test with random bytes, which
//! includes this file by its path.
//!
//! What this file must never do: overlook a byte that a terminal obeys; what it does not know it leaves in.

/// What is left for the terminal of what goes to a telnet: commands are for the telnet itself (RFC 854, RFC 855).
pub(crate) fn without_telnet(bytes: &[u8]) -> Vec<u8> {
    const SE: u8 = 240;
    const SB: u8 = 250;
    const WILL: u8 = 251;
    const DONT: u8 = 254;
    const IAC: u8 = 255;
    let (mut shown, mut rest) = (Vec::new(), bytes);
    while let Some((first, behind)) = rest.split_first() {
        rest = match behind {
            _ if *first != IAC => {
                shown.push(*first);
                behind
            }
            [SB, ..] => {
                let end = behind.windows(2).position(|pair| pair == [IAC, SE]).expect("an end");
                &behind[end + 2..]
            }
            [WILL..=DONT, _, behind @ ..] | [_, behind @ ..] => behind,
            [] => panic!("half a command"),
        };
    }
    shown
}

/// What is left for the eyes of what the line editor writes: its few sequences move and erase within its own row.
pub(crate) fn without_editing(bytes: &[u8]) -> Vec<u8> {
    let (mut shown, mut rest) = (Vec::new(), bytes);
    while let Some((first, behind)) = rest.split_first() {
        rest = behind_sequence(rest).unwrap_or_else(|| {
            if !matches!(first, b'\r' | 0x07 | 0x08) {
                shown.push(*first);
            }
            behind
        });
    }
    shown
}

/// What follows a sequence that the editor may send, if one is here.
fn behind_sequence(bytes: &[u8]) -> Option<&[u8]> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (last, behind) = body[digits..].split_first()?;
    b"ACJK".contains(last).then_some(behind)
}
