//! Made-up talk: facts as the hub would hand them to the journal, the same ones in every run.
//!
//! `durable` commits it, `million` fills a file with it and asks for what it knows to be in there. Words come as they do in
//! people's talk, the n-th one n-th as often as the first, so that an index has both kinds of work: words that are
//! everywhere, and words that are nowhere else.

use std::{collections::BTreeMap, sync::Arc};

use fastrand::Rng;
use history::Batch;
use hub::{
    Author, Fact, Kept, Manner, MemberId, Position, Record, Reservation, RoomName, RoomNumber, RoomRef,
    Sequence, Text, Time, Who,
};

/// The room that everything is said in; it is the one in which the product lets people in.
pub const ROOM: &str = "lobby";
/// Is in every tenth text.
pub const WORD_IN_A_TENTH: &str = "tuesday";
/// Is in one text of twenty thousand.
pub const RARE_WORD: &str = "zymurgy";
/// Says one text of two thousand, and in five of a million the rare word.
pub const RARE_AUTHOR: &str = "ottoline";
/// Is in one text of two hundred.
pub const CHINESE_WORD: &str = "會議";

const NUMBER: RoomNumber = RoomNumber(1);
const WORDS: usize = 20_000;
const CHINESE_WORDS: usize = 2_000;
const AUTHORS: usize = 200;
/// The first fact of a log is of this moment, 2026-01-01, and every next one of ten seconds later.
const BEGIN: Time = Time(1_767_225_600_000);
const BETWEEN_FACTS_MS: u64 = 10_000;

/// The log of one room, as far as it has been made.
pub struct Talk {
    rng: Rng,
    words: Vec<String>,
    chinese: Vec<String>,
    authors: Vec<Arc<str>>,
    rare_author: Arc<str>,
    sequence: Sequence,
}

impl Talk {
    /// A room in which nothing has happened.
    pub fn begin() -> Self {
        let mut rng = Rng::with_seed(7);
        let words = (0..WORDS).map(|rank| word(&mut rng, rank)).collect();
        let chinese = (0..CHINESE_WORDS).map(|_| (0..2).map(|_| ideograph(&mut rng)).collect()).collect();
        let authors = (0..AUTHORS).map(|rank| format!("{}{rank}", word(&mut rng, rank)).into()).collect();
        Self { rng, words, chinese, authors, rare_author: RARE_AUTHOR.into(), sequence: Sequence(0) }
    }

    /// The room, for questions.
    pub fn room() -> RoomRef {
        RoomRef { number: NUMBER, name: ROOM.into() }
    }

    /// When the fact of a sequence happened.
    pub fn time(sequence: Sequence) -> Time {
        BEGIN.after_ms(sequence.0 * BETWEEN_FACTS_MS)
    }

    /// The last fact that was made.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// So many facts more, and what the hub would have reserved with them. The first of all is the room's opening.
    pub fn batch(&mut self, facts: usize) -> Batch {
        let kept = (0..facts).map(|_| self.fact()).collect();
        let position = Position(self.sequence.0);
        let upto = Sequence(self.sequence.0 + hub::RESERVED_AHEAD);
        let reservation = Reservation {
            position: Position(upto.0),
            next_room: RoomNumber(NUMBER.0 + 1),
            sequences: BTreeMap::from([(NUMBER, upto)]),
        };
        Batch { kept, reservation, position }
    }

    fn fact(&mut self) -> Kept {
        self.sequence = self.sequence.next();
        let fact = if self.sequence == Sequence(1) {
            Fact::Opened { name: RoomName { shown: ROOM.into(), key: ROOM.into() }, by: None }
        } else {
            self.said()
        };
        let record = Record { position: Position(self.sequence.0), time: Self::time(self.sequence), fact };
        Kept { record, room: NUMBER, sequence: self.sequence }
    }

    fn said(&mut self) -> Fact {
        let author = Who { member: MemberId::NOBODY, nick: self.author(), address: None };
        let text = Text::kept(&self.text());
        Fact::Said {
            author: Author::Member(author),
            room: NUMBER,
            text,
            manner: Manner::Saying,
            signature: None,
        }
    }

    fn author(&mut self) -> Arc<str> {
        if self.comes_every(2_000) || self.comes_every(200_000) {
            return self.rare_author.clone();
        }
        let rank = rank(&mut self.rng, AUTHORS);
        self.authors[rank].clone()
    }

    /// 5 to 20 words; one text of twenty is Chinese.
    fn text(&mut self) -> String {
        let count = self.rng.usize(5..=20);
        let is_chinese = self.rng.usize(0..20) == 0 || self.comes_every(200);
        let (words, between) = if is_chinese { (&self.chinese, "") } else { (&self.words, " ") };
        let mut text: Vec<&str> =
            (0..count).map(|_| words[rank(&mut self.rng, words.len())].as_str()).collect();
        let marks = [(200, CHINESE_WORD), (10, WORD_IN_A_TENTH), (20_000, RARE_WORD), (200_000, RARE_WORD)];
        let marks = marks.into_iter().filter(|(every, _)| self.comes_every(*every));
        let middle = text.len() / 2;
        text.splice(middle..middle, marks.map(|(_, word)| word));
        text.join(between)
    }

    /// Once in so many facts, at another place of them for another number: who says something and what is said must not
    /// come together because both come often.
    fn comes_every(&self, facts: u64) -> bool {
        self.sequence.0 % facts == facts * 3 / 7
    }
}

/// The inverse of a harmonic sum, near enough.
fn rank(rng: &mut Rng, of: usize) -> usize {
    ((of as f64).powf(rng.f64()) - 1.0) as usize
}

/// The more common a word, the shorter.
fn word(rng: &mut Rng, rank: usize) -> String {
    const CONSONANTS: &[u8] = b"tnshrdlcmwfgpbvkj";
    const VOWELS: &[u8] = b"eaoiu";
    let syllables = 1 + (rank + 1).ilog10() as usize / 2 + rng.usize(0..=1);
    let mut word = String::new();
    for _ in 0..syllables {
        // Letters, too, are not all as common.
        for letters in [CONSONANTS, VOWELS, CONSONANTS] {
            let place = (letters.len() as f64 * rng.f64() * rng.f64()) as usize;
            word.push(char::from(letters[place]));
        }
    }
    word
}

fn ideograph(rng: &mut Rng) -> char {
    char::from_u32(rng.u32(0x4e00..0x5600)).unwrap_or('一')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kept: &Kept) -> Option<(&str, &str)> {
        match &kept.record.fact {
            Fact::Said { author: Author::Member(who), text, .. } => Some((&who.nick, text.formatted())),
            _ => None,
        }
    }

    fn count(facts: &[Kept], is_wanted: impl Fn(&str, &str) -> bool) -> usize {
        facts.iter().filter_map(said).filter(|(nick, text)| is_wanted(nick, text)).count()
    }

    #[test]
    fn what_is_asked_for_is_as_frequent_as_it_is_called() {
        let facts = Talk::begin().batch(200_000).kept;
        assert_eq!(count(&facts, |_, text| text.contains(WORD_IN_A_TENTH)), 20_000);
        assert_eq!(count(&facts, |_, text| text.contains(RARE_WORD)), 11);
        assert_eq!(count(&facts, |nick, _| nick == RARE_AUTHOR), 101);
        assert_eq!(count(&facts, |nick, text| nick == RARE_AUTHOR && text.contains(RARE_WORD)), 1);
        assert!((1_000..1_100).contains(&count(&facts, |_, text| text.contains(CHINESE_WORD))));
    }

    #[test]
    fn facts_are_numbered_without_a_hole_and_the_same_in_every_run() {
        let (mut one, mut other) = (Talk::begin(), Talk::begin());
        let facts = [one.batch(3).kept, one.batch(4).kept].concat();
        assert_eq!(facts, other.batch(7).kept);
        let sequences: Vec<u64> = facts.iter().map(|kept| kept.sequence.0).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7]);
        assert!(said(&facts[0]).is_none() && said(&facts[1]).is_some());
    }
}
