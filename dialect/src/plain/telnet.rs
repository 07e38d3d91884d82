//! Telnet: commands taken out of the bytes that arrive, options agreed on, answers put among those that leave.
//!
//! Where it stands: in front of the session's lines. A peer that has sent no telnet command is netcat for all we know, and
//! would show our commands as rubbish: nothing is answered or offered before it has shown that it is telnet, or somebody
//! at it has asked for it. From then on we offer to edit the line (ECHO, SGA) and ask how wide the terminal is.
//!
//! What this file must never do: answer what changes nothing (RFC 1143 tells of the loops that come of it), hold more of
//! a subnegotiation than [`SUBNEGOTIATION_BYTES_MAX`], or lose a byte that is no command.

/// A subnegotiation has at most so many bytes; what is longer is none that we asked for.
pub(super) const SUBNEGOTIATION_BYTES_MAX: usize = 64;

/// What every command begins with (RFC 854).
pub(super) const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
/// Erase line.
const EL: u8 = 248;
/// Erase character.
const EC: u8 = 247;
/// Are you there?
const AYT: u8 = 246;
/// Interrupt process.
const IP: u8 = 244;
/// Break.
const BRK: u8 = 243;
/// Go ahead.
const GA: u8 = 249;
const NOP: u8 = 241;
const SE: u8 = 240;
/// End of file (RFC 1184 §2.5).
const EOF: u8 = 236;

/// Eight bits both ways (RFC 856).
const BINARY: u8 = 0;
/// Whoever has it shows what the other types (RFC 857).
const ECHO: u8 = 1;
/// No go-ahead; together with ECHO, a character at a time (RFC 858).
const SGA: u8 = 3;
/// An answer that comes behind all that was sent before (RFC 860).
const TIMING_MARK: u8 = 6;
/// What kind of terminal (RFC 1091).
const TTYPE: u8 = 24;
/// How wide and high its window is (RFC 1073).
const NAWS: u8 = 31;
/// Telnets that speak first begin with options that were numbered long ago.
const OPTION_MAX: u8 = 49;
const TTYPE_IS: u8 = 0;
const TTYPE_SEND: u8 = 1;
/// Names of terminals on which no cursor can be moved (RFC 1091's list, and what telnets say without one).
const DUMB: [&str; 4] = ["dumb", "unknown", "network", "glasstty"];

/// What a command that is typed becomes, for whoever edits the line.
const BACKSPACE: u8 = 0x08;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;

/// The telnet of one connection. Plain data.
#[derive(Debug, Default)]
pub(super) struct Telnet {
    state: State,
    is_known: bool,
    echo: Echo,
    was_asked: bool,
    /// What we do.
    ours: Options,
    /// What the peer does.
    theirs: Options,
    subnegotiation: Vec<u8>,
    columns: u16,
    is_dumb: bool,
    replies: Vec<u8>,
}

/// Whether a peer that asks for it may leave the echo to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Echo {
    #[default]
    Possible,
    Refused,
}

/// Where between the bytes of a command we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Data,
    /// Behind a CR: a LF or NUL that follows belongs to it.
    CarriageReturn,
    Command,
    Option(Verb),
    Subnegotiation,
    SubnegotiationCommand,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verb {
    Will,
    Wont,
    Do,
    Dont,
}

impl Verb {
    fn byte(self) -> u8 {
        match self {
            Verb::Will => WILL,
            Verb::Wont => WONT,
            Verb::Do => DO,
            Verb::Dont => DONT,
        }
    }
}

/// The options that one side may have on; all others are refused.
#[derive(Debug, Default)]
struct Options {
    binary: Agreement,
    echo: Agreement,
    suppress_go_ahead: Agreement,
    terminal_type: Agreement,
    window_size: Agreement,
}

/// How far two sides agree that one of them does something: RFC 1143, with its names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Agreement {
    #[default]
    No,
    Yes,
    WantNo(Queue),
    WantYes(Queue),
    /// It was asked for and refused, which is *no*, and not asked for again.
    Refused,
}

/// Whether the opposite is to be asked for as soon as the answer is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Queue {
    Empty,
    Opposite,
}

/// Who does what an option is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Ours,
    Theirs,
}

/// What is to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reply {
    Nothing,
    Positive,
    Negative,
}

impl Agreement {
    /// The other side will, or wants us to.
    fn affirmed(&mut self) -> Reply {
        use Queue::{Empty, Opposite};
        let (next, reply) = match *self {
            Agreement::No | Agreement::Refused => (Agreement::Yes, Reply::Positive),
            // An answer that RFC 1143 calls an error: our "no" was answered by a "yes".
            Agreement::WantNo(Empty) => (Agreement::No, Reply::Nothing),
            Agreement::Yes | Agreement::WantNo(Opposite) | Agreement::WantYes(Empty) => {
                (Agreement::Yes, Reply::Nothing)
            }
            Agreement::WantYes(Opposite) => (Agreement::WantNo(Empty), Reply::Negative),
        };
        *self = next;
        reply
    }

    /// The other side will not, or wants us not to.
    fn denied(&mut self) -> Reply {
        use Queue::{Empty, Opposite};
        let (next, reply) = match *self {
            Agreement::No | Agreement::WantNo(Empty) => (Agreement::No, Reply::Nothing),
            Agreement::Yes => (Agreement::No, Reply::Negative),
            Agreement::WantNo(Opposite) => (Agreement::WantYes(Empty), Reply::Positive),
            Agreement::WantYes(_) | Agreement::Refused => (Agreement::Refused, Reply::Nothing),
        };
        *self = next;
        reply
    }

    fn ask(&mut self) -> Reply {
        use Queue::{Empty, Opposite};
        let (next, reply) = match *self {
            Agreement::No | Agreement::Refused => (Agreement::WantYes(Empty), Reply::Positive),
            Agreement::WantNo(_) => (Agreement::WantNo(Opposite), Reply::Nothing),
            Agreement::WantYes(_) => (Agreement::WantYes(Empty), Reply::Nothing),
            Agreement::Yes => (Agreement::Yes, Reply::Nothing),
        };
        *self = next;
        reply
    }

    fn give_up(&mut self) -> Reply {
        use Queue::{Empty, Opposite};
        let (next, reply) = match *self {
            Agreement::Yes => (Agreement::WantNo(Empty), Reply::Negative),
            Agreement::WantYes(_) => (Agreement::WantYes(Opposite), Reply::Nothing),
            Agreement::WantNo(_) => (Agreement::WantNo(Empty), Reply::Nothing),
            no @ (Agreement::No | Agreement::Refused) => (no, Reply::Nothing),
        };
        *self = next;
        reply
    }
}

impl Options {
    /// The agreement on an option, if it is one that `side` may have on.
    fn on(&mut self, side: Side, option: u8) -> Option<&mut Agreement> {
        match (option, side) {
            (BINARY, _) => Some(&mut self.binary),
            (SGA, _) => Some(&mut self.suppress_go_ahead),
            (ECHO, Side::Ours) => Some(&mut self.echo),
            (TTYPE, Side::Theirs) => Some(&mut self.terminal_type),
            (NAWS, Side::Theirs) => Some(&mut self.window_size),
            _ => None,
        }
    }
}

impl Telnet {
    /// A telnet whose peer shows itself what is typed.
    pub(super) fn without_echo() -> Telnet {
        Telnet { echo: Echo::Refused, ..Telnet::default() }
    }

    /// Whether the peer has shown that it is telnet, or is to be treated like one.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Whether a character may be the beginning of a command, so that this has to be kept for the next bytes.
    pub(super) fn is_in_command(&self) -> bool {
        !matches!(self.state, State::Data | State::CarriageReturn)
    }

    /// Takes the commands out of `bytes` and puts the rest, with each line's end as CR LF or LF, into `data`. What is
    /// a key rather than a command (erase, interrupt) goes there as the control character that does the same.
    pub(super) fn decode(&mut self, bytes: &[u8], data: &mut Vec<u8>) {
        for byte in bytes {
            self.state = self.step(*byte, data);
        }
    }

    /// The peer will send nothing more: what looked like the beginning of a command was none.
    pub(super) fn ended(&mut self, data: &mut Vec<u8>) {
        match self.state {
            State::Command if !self.is_known => data.push(IAC),
            State::Option(verb) if !self.is_known => data.extend_from_slice(&[IAC, verb.byte()]),
            _ => {}
        }
        self.state = State::Data;
    }

    fn step(&mut self, byte: u8, data: &mut Vec<u8>) -> State {
        match self.state {
            // What follows a CR is its second half (RFC 854: CR LF, CR NUL), or has nothing to do with it.
            State::CarriageReturn if matches!(byte, b'\n' | 0) => State::Data,
            State::Data | State::CarriageReturn => self.character(byte, data),
            State::Command => self.command(byte, data),
            State::Option(verb) => self.named(verb, byte, data),
            State::Subnegotiation if byte == IAC => State::SubnegotiationCommand,
            State::Subnegotiation => self.subnegotiate(byte),
            State::SubnegotiationCommand => match byte {
                IAC => self.subnegotiate(IAC),
                SE => {
                    self.subnegotiated();
                    State::Data
                }
                // The end was forgotten: this is the next command (RFC 855 leaves it open; BSD does so, too).
                _ => {
                    self.subnegotiation.clear();
                    self.command(byte, data)
                }
            },
        }
    }

    fn character(&mut self, byte: u8, data: &mut Vec<u8>) -> State {
        match byte {
            IAC => return State::Command,
            // Before anything has shown that this is telnet a CR is what the peer sent, and nothing is added to it.
            b'\r' if self.is_known => {
                data.extend_from_slice(b"\r\n");
                return State::CarriageReturn;
            }
            _ => data.push(byte),
        }
        State::Data
    }

    /// The byte behind IAC.
    fn command(&mut self, byte: u8, data: &mut Vec<u8>) -> State {
        match byte {
            WILL => return State::Option(Verb::Will),
            DO => return State::Option(Verb::Do),
            EOF..=239 | NOP..=GA => self.is_known = true,
            // Netcat may have sent a 255 that is no command: text in UTF-16 begins with FF FE, IAC DONT. No telnet begins
            // with a refusal, or with the details of something that nobody has asked for.
            _ if !self.is_known => {
                data.extend_from_slice(&[IAC, byte]);
                return State::Data;
            }
            _ => {}
        }
        match byte {
            IAC => data.push(IAC),
            WONT => return State::Option(Verb::Wont),
            DONT => return State::Option(Verb::Dont),
            SB => {
                self.subnegotiation.clear();
                return State::Subnegotiation;
            }
            EC => data.push(BACKSPACE),
            EL => data.push(CTRL_U),
            IP | BRK => data.push(if self.edits() { CTRL_C } else { CTRL_U }),
            EOF if self.edits() => data.push(CTRL_D),
            AYT => self.was_asked = true,
            _ => {}
        }
        State::Data
    }

    /// The option that a command is about.
    fn named(&mut self, verb: Verb, option: u8, data: &mut Vec<u8>) -> State {
        if !self.is_known && option > OPTION_MAX {
            data.extend_from_slice(&[IAC, verb.byte(), option]);
        } else {
            self.is_known = true;
            self.option(verb, option);
        }
        State::Data
    }

    fn option(&mut self, verb: Verb, option: u8) {
        match verb {
            Verb::Will => self.settle(Side::Theirs, option, Agreement::affirmed, Reply::Negative),
            Verb::Wont => self.settle(Side::Theirs, option, Agreement::denied, Reply::Nothing),
            // A timing mark is no state: each is answered, and nothing is agreed on.
            Verb::Do if option == TIMING_MARK => self.reply(Side::Ours, option, Reply::Positive),
            Verb::Do => self.settle(Side::Ours, option, Agreement::affirmed, Reply::Negative),
            Verb::Dont => self.settle(Side::Ours, option, Agreement::denied, Reply::Nothing),
        }
    }

    /// Lets the agreement on an option take its next step, and sends what that asks for. `unknown` is the answer for an
    /// option that is not to be had.
    fn settle(&mut self, side: Side, option: u8, step: fn(&mut Agreement) -> Reply, unknown: Reply) {
        let had_type = self.theirs.terminal_type == Agreement::Yes;
        let options = if side == Side::Ours { &mut self.ours } else { &mut self.theirs };
        let is_refused = self.echo == Echo::Refused && option == ECHO;
        let agreement = options.on(side, option).filter(|_| !is_refused);
        let reply = agreement.map_or(unknown, step);
        self.reply(side, option, reply);
        if !had_type && self.theirs.terminal_type == Agreement::Yes {
            self.replies.extend_from_slice(&[IAC, SB, TTYPE, TTYPE_SEND, IAC, SE]);
        }
    }

    fn reply(&mut self, side: Side, option: u8, reply: Reply) {
        let verb = match (side, reply) {
            (_, Reply::Nothing) => return,
            (Side::Ours, Reply::Positive) => Verb::Will,
            (Side::Ours, Reply::Negative) => Verb::Wont,
            (Side::Theirs, Reply::Positive) => Verb::Do,
            (Side::Theirs, Reply::Negative) => Verb::Dont,
        };
        self.replies.extend_from_slice(&[IAC, verb.byte(), option]);
    }

    fn subnegotiate(&mut self, byte: u8) -> State {
        // One byte more than allowed is kept, to tell that it was too long.
        if self.subnegotiation.len() <= SUBNEGOTIATION_BYTES_MAX {
            self.subnegotiation.push(byte);
        }
        State::Subnegotiation
    }

    fn subnegotiated(&mut self) {
        match self.subnegotiation.as_slice() {
            [NAWS, high, low, _, _] if self.theirs.window_size == Agreement::Yes => {
                self.columns = u16::from_be_bytes([*high, *low]);
            }
            [TTYPE, TTYPE_IS, name @ ..] if name.len() + 2 <= SUBNEGOTIATION_BYTES_MAX => {
                self.is_dumb = DUMB.iter().any(|dumb| dumb.as_bytes().eq_ignore_ascii_case(name));
            }
            _ => {}
        }
        self.subnegotiation = Vec::new();
    }

    /// Offers to edit the line, and asks about the terminal first, so that those answers come first, too.
    pub(super) fn offer(&mut self) {
        self.is_known = true;
        for (side, option) in [
            (Side::Theirs, TTYPE),
            (Side::Theirs, NAWS),
            // Without it GNU's telnet looks at seven bits only, and takes the middle of a Chinese character for its escape key.
            (Side::Ours, BINARY),
            (Side::Theirs, BINARY),
            (Side::Ours, SGA),
            (Side::Ours, ECHO),
        ] {
            self.settle(side, option, Agreement::ask, Reply::Nothing);
        }
    }

    /// Leaves the editing of lines to the peer.
    pub(super) fn withdraw(&mut self) {
        // Binary, too: a terminal that shows what is typed needs its carriage returns.
        for (side, option) in
            [(Side::Ours, ECHO), (Side::Ours, SGA), (Side::Ours, BINARY), (Side::Theirs, BINARY)]
        {
            self.settle(side, option, Agreement::give_up, Reply::Nothing);
        }
    }

    /// Whether the line is ours to edit: the peer has left that to us, and there is a terminal on which it can be done.
    pub(super) fn edits(&self) -> bool {
        let is_agreed = self.ours.echo == Agreement::Yes && self.ours.suppress_go_ahead == Agreement::Yes;
        let (kind, size) = (self.theirs.terminal_type, self.theirs.window_size);
        // A program that speaks telnet but knows of no terminal, such as curl.
        let is_program = kind == Agreement::Refused && size == Agreement::Refused;
        is_agreed && !self.is_dumb && !is_program
    }

    /// How wide the terminal is; 0 if it has not said.
    pub(super) fn columns(&self) -> u16 {
        self.columns
    }

    /// Whether the peer has asked whether we are there.
    pub(super) fn has_question(&self) -> bool {
        self.was_asked
    }

    /// Whether it has asked since the last time.
    pub(super) fn take_question(&mut self) -> bool {
        std::mem::take(&mut self.was_asked)
    }

    /// What is to be sent, in this order and not through anything that changes it.
    pub(super) fn replies(&self) -> &[u8] {
        &self.replies
    }

    /// The same, to take it out.
    pub(super) fn replies_mut(&mut self) -> &mut Vec<u8> {
        &mut self.replies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes of these bytes: data, and what is answered.
    fn decoded(telnet: &mut Telnet, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut data = Vec::new();
        telnet.decode(bytes, &mut data);
        (data, std::mem::take(telnet.replies_mut()))
    }

    fn known() -> Telnet {
        Telnet { is_known: true, ..Telnet::default() }
    }

    /// A peer that has agreed to everything.
    fn editing() -> Telnet {
        let mut telnet = Telnet::default();
        telnet.offer();
        decoded(&mut telnet, &[IAC, WILL, TTYPE, IAC, WILL, NAWS, IAC, DO, SGA, IAC, DO, ECHO]);
        telnet
    }

    #[test]
    fn what_is_no_command_stays_as_it_was() {
        let mut telnet = Telnet::default();
        let latin1 = b"\xff\xe4 \xff\xff caf\xe9 a\rb\r\n\xff";
        let utf16 = b"\xff\xfeh\0i\0\n\0\xff\xfbx \xff\xfd";
        for rubbish in [&latin1[..], &utf16[..]] {
            let (mut data, replies) = decoded(&mut telnet, rubbish);
            telnet.ended(&mut data);
            assert_eq!((data.as_slice(), replies.as_slice()), (rubbish, &b""[..]));
            assert!(!telnet.is_known());
        }
    }

    #[test]
    fn nothing_is_answered_twice() {
        let mut telnet = Telnet::default();
        let asked =
            [IAC, DO, ECHO, IAC, WILL, NAWS, IAC, DO, 99, IAC, WILL, 98, IAC, WONT, 97, IAC, DONT, 96];
        let answers = vec![IAC, WILL, ECHO, IAC, DO, NAWS, IAC, WONT, 99, IAC, DONT, 98];
        assert_eq!(decoded(&mut telnet, &asked), (vec![], answers));
        // Saying yes again is no question; asking again for what is not to be had is one.
        let again = decoded(&mut telnet, &[IAC, DO, ECHO, IAC, WILL, NAWS, IAC, DO, 99]);
        assert_eq!(again, (vec![], vec![IAC, WONT, 99]));
        assert!(telnet.is_known());
    }

    #[test]
    fn offers_are_made_once_and_answers_to_them_need_no_answer() {
        let mut telnet = editing();
        assert!(telnet.edits());
        telnet.offer();
        assert_eq!(telnet.replies_mut().as_slice(), b"");
        telnet.withdraw();
        assert_eq!(std::mem::take(telnet.replies_mut()), [IAC, WONT, ECHO, IAC, WONT, SGA]);
        assert!(!telnet.edits());
        assert_eq!(decoded(&mut telnet, &[IAC, DONT, ECHO, IAC, DONT, SGA]), (vec![], vec![]));
    }

    #[test]
    fn change_of_mind_before_the_answer_ends_as_it_was_wanted_last() {
        let mut telnet = Telnet::default();
        telnet.offer();
        telnet.replies_mut().clear();
        telnet.withdraw();
        assert_eq!(telnet.replies_mut().as_slice(), b"");
        assert_eq!(decoded(&mut telnet, &[IAC, DO, ECHO]), (vec![], vec![IAC, WONT, ECHO]));
        telnet.offer();
        assert_eq!(decoded(&mut telnet, &[IAC, DONT, ECHO]), (vec![], vec![IAC, WILL, ECHO]));
        let answers = decoded(&mut telnet, &[IAC, DO, ECHO, IAC, DO, SGA]);
        assert_eq!(answers, (vec![], vec![]));
        assert!(telnet.edits());
    }

    #[test]
    fn terminal_is_asked_what_it_is_and_how_wide() {
        let mut telnet = Telnet::default();
        telnet.offer();
        telnet.replies_mut().clear();
        let (_, replies) = decoded(&mut telnet, &[IAC, WILL, TTYPE, IAC, WILL, NAWS]);
        assert_eq!(replies, [IAC, SB, TTYPE, TTYPE_SEND, IAC, SE]);
        decoded(&mut telnet, &[IAC, SB, NAWS, 0, 132, 0, 43, IAC, SE]);
        assert_eq!(telnet.columns(), 132);
        // A width of 255 is sent as two of them.
        decoded(&mut telnet, &[IAC, SB, NAWS, 0, 255, 255, 0, 43, IAC, SE]);
        assert_eq!(telnet.columns(), 255);
    }

    #[test]
    fn neither_a_dumb_terminal_nor_a_program_without_one_is_edited() {
        let mut telnet = editing();
        decoded(&mut telnet, b"\xff\xfa\x18\x00DUMB\xff\xf0");
        assert!(!telnet.edits());
        decoded(&mut telnet, b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
        assert!(telnet.edits());
        let mut curl = Telnet::default();
        curl.offer();
        decoded(&mut curl, &[IAC, WONT, TTYPE, IAC, WONT, NAWS, IAC, DO, SGA, IAC, DO, ECHO]);
        assert!(!curl.edits());
    }

    #[test]
    fn subnegotiation_is_bounded() {
        let mut telnet = editing();
        decoded(&mut telnet, &[IAC, SB, TTYPE, TTYPE_IS]);
        for _ in 0..1000 {
            decoded(&mut telnet, &[b'x'; 1000]);
            assert!(telnet.subnegotiation.len() <= SUBNEGOTIATION_BYTES_MAX + 1);
        }
        assert_eq!(decoded(&mut telnet, &[IAC, SE, b'a']), (b"a".to_vec(), vec![]));
        assert!(telnet.edits() && telnet.subnegotiation.capacity() == 0);
    }

    #[test]
    fn line_ends_are_told_from_keys() {
        let line = |bytes: &[u8]| decoded(&mut known(), bytes).0;
        assert_eq!(line(b"a\r\nb\r\0c\rd\ne"), b"a\r\nb\r\nc\r\nd\ne");
        assert_eq!(line(b"x\xff\xf7y\xff\xf8z\xff\xf4"), b"x\x08y\x15z\x15");
        assert_eq!(decoded(&mut editing(), b"x\xff\xf4\xff\xec").0, b"x\x03\x04");
        assert_eq!(line(b"\xff\xff"), b"\xff");
    }

    #[test]
    fn question_and_timing_mark_are_answered() {
        let mut telnet = known();
        assert_eq!(decoded(&mut telnet, &[IAC, AYT, IAC, DO, TIMING_MARK]).1, [IAC, WILL, TIMING_MARK]);
        assert!(telnet.take_question() && !telnet.take_question());
        assert_eq!(decoded(&mut telnet, &[IAC, DO, TIMING_MARK]).1, [IAC, WILL, TIMING_MARK]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(
            bytes in proptest::collection::vec(
                prop_oneof![Just(IAC), 0_u8..32, 236_u8..=255, any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let (mut whole, mut split) = (Telnet::default(), Telnet::default());
            let expected = decoded(&mut whole, &bytes);
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let (mut data, mut replies) = decoded(&mut split, first);
            let (more_data, more_replies) = decoded(&mut split, second);
            data.extend(more_data);
            replies.extend(more_replies);
            prop_assert_eq!((data, replies), expected);
            prop_assert_eq!(split.edits(), whole.edits());
            prop_assert!(split.subnegotiation.len() <= SUBNEGOTIATION_BYTES_MAX + 1);
        }
    }
}
