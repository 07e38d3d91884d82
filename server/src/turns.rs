//! Whose search is next: it is the turn of whoever has taken least of the reader's time lately.
//!
//! Where it stands: in the reader's thread (`reading`), which puts in what is asked, takes out what is next and says what
//! that has cost. Time is counted by address first, or one person with many connections would have many people's turns,
//! then by member, because a whole class may share one address. So who searches now and then does not stand behind a hundred
//! connections that never stop.
//!
//! Nobody knows beforehand how long a search takes. While others wait it is given a short time at first; if that was not
//! enough it waits for another turn, behind the first tries of its address, and then has all the time that a search may
//! have. It begins anew then: what SQLite has looked at by the time that it is interrupted cannot be kept, for one step of
//! it may go through all of the index. So a search that is quick, as most are, waits for one slow search and not for all.
//!
//! What this file must never do: ask a clock, remember what anybody has taken when nobody waits, or keep what was asked by
//! somebody who has left.

use crate::addresses::Site;
use history::SEARCH_MAX;
use hub::{MemberId, Reading};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// While others wait, a search has so much time before it has to wait for another turn. Most need less; a hundred that
/// do not are through with it in less than three seconds.
const FIRST_TRY: Duration = Duration::from_millis(25);
/// So many first tries may go before a second one: where many search quickly and never stop, slow ones are answered, too.
const BEFORE_A_SECOND_MAX: u32 = 64;
/// What somebody has taken counts half after so long: otherwise whoever once searched a lot would always be last.
const HALF_LIFE: Duration = Duration::from_secs(10);
/// What so many addresses have taken is remembered. If more than that search before nobody waits, all begin anew.
const SITES_MAX: usize = 4096;

/// A search that waits for its turn.
#[derive(Debug)]
pub(crate) struct Search {
    /// From where.
    pub(crate) site: Site,
    /// By whom, and for what.
    pub(crate) reading: Box<Reading>,
    pub(crate) attempt: Attempt,
}

/// How often a search has been begun.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Attempt {
    First,
    /// Its first time was too short.
    Second,
}

/// The searches that wait, and what those who ask have taken.
#[derive(Debug)]
pub(crate) struct Turns {
    /// In the order in which they came. There is one of a connection at most, so that looking at all of them for the next one
    /// takes less time than a search does.
    waiting: Vec<Search>,
    /// So many first tries have gone since the last second one.
    went_before: u32,
    accounts: HashMap<Site, Account>,
    /// What was taken has been halved up to this moment.
    halved_at: Instant,
}

/// What the members of one address have taken.
#[derive(Debug, Default)]
struct Account {
    taken: Duration,
    /// Of those who are here.
    members: HashMap<MemberId, Duration>,
}

impl Turns {
    /// Nobody waits.
    pub(crate) fn new(now: Instant) -> Turns {
        Turns { waiting: Vec::new(), went_before: 0, accounts: HashMap::new(), halved_at: now }
    }

    /// Puts in what is asked, or what was given too little time.
    pub(crate) fn push(&mut self, search: Search) {
        self.waiting.push(search);
    }

    /// Takes out what is next: of those who have taken equally little, what came first.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Search> {
        self.halve(now);
        let is_second = |search: &Search| search.attempt == Attempt::Second;
        let must_be_second = self.went_before >= BEFORE_A_SECOND_MAX && self.waiting.iter().any(is_second);
        let next = (0..self.waiting.len())
            .filter(|nth| !must_be_second || is_second(&self.waiting[*nth]))
            .min_by_key(|nth| self.rank(&self.waiting[*nth]))?;
        let search = self.waiting.remove(next);
        self.went_before = if is_second(&search) { 0 } else { self.went_before.saturating_add(1) };
        Some(search)
    }

    /// How long this one, which has been taken out, may take now.
    pub(crate) fn time_max(&self, search: &Search) -> Duration {
        match search.attempt {
            Attempt::First if !self.waiting.is_empty() => FIRST_TRY,
            Attempt::First | Attempt::Second => SEARCH_MAX,
        }
    }

    /// Notes what a search has taken of the reader's time.
    pub(crate) fn charge(&mut self, search: &Search, taken: Duration) {
        if self.accounts.len() >= SITES_MAX && !self.accounts.contains_key(&search.site) {
            self.forget();
        }
        let account = self.accounts.entry(search.site).or_default();
        account.taken += taken;
        *account.members.entry(search.reading.member).or_default() += taken;
    }

    /// These are not here any more: nobody would hear the answers. What their addresses have taken remains.
    pub(crate) fn leave(&mut self, departed: &HashMap<MemberId, Site>) {
        if departed.is_empty() {
            return;
        }
        self.waiting.retain(|search| !departed.contains_key(&search.reading.member));
        for (member, site) in departed {
            if let Some(account) = self.accounts.get_mut(site) {
                account.members.remove(member);
            }
        }
    }

    /// Forgets what everybody has taken.
    pub(crate) fn forget(&mut self) {
        self.accounts = HashMap::new();
    }

    /// What the address has taken, which try it is, and what the member has taken. In milliseconds: less is as good as nothing.
    fn rank(&self, search: &Search) -> (u128, Attempt, u128) {
        let Some(account) = self.accounts.get(&search.site) else { return (0, search.attempt, 0) };
        let own = account.members.get(&search.reading.member).copied().unwrap_or_default();
        (account.taken.as_millis(), search.attempt, own.as_millis())
    }

    fn halve(&mut self, now: Instant) {
        while now.saturating_duration_since(self.halved_at) >= HALF_LIFE {
            if self.accounts.is_empty() {
                self.halved_at = now;
                return;
            }
            self.halved_at += HALF_LIFE;
            self.accounts.retain(|_, account| account.halve() == Counts::Still);
        }
    }
}

/// Whether an account still makes a difference.
#[derive(PartialEq, Eq)]
enum Counts {
    Still,
    NoMore,
}

impl Account {
    fn halve(&mut self) -> Counts {
        self.taken /= 2;
        self.members.retain(|_, taken| {
            *taken /= 2;
            !taken.is_zero()
        });
        if self.taken.is_zero() { Counts::NoMore } else { Counts::Still }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{Position, Search as Question, Wanted};
    use std::net::{IpAddr, Ipv4Addr};

    const SLOW: Duration = SEARCH_MAX;
    const QUICK: Duration = Duration::from_millis(5);

    /// Turns under a clock that only moves when somebody searches, and what searching costs whom.
    struct World {
        turns: Turns,
        now: Instant,
    }

    fn site(number: u32) -> Site {
        Site::of(IpAddr::V4(Ipv4Addr::from(number)))
    }

    fn member(own: u64) -> MemberId {
        MemberId::mint(0, own)
    }

    impl World {
        fn new() -> World {
            let now = Instant::now();
            World { turns: Turns::new(now), now }
        }

        fn asks(&mut self, at: u32, own: u64) {
            let what = Wanted::Search { rooms: Vec::new(), search: Question::default() };
            let reading = Box::new(Reading { member: member(own), position: Position(1), what });
            self.turns.push(Search { site: site(at), reading, attempt: Attempt::First });
        }

        /// Lets the next one search, which needs so much time; gives whose it is if it has been answered.
        fn turn(&mut self, need: impl Fn(u64) -> Duration) -> Option<u64> {
            let mut search = self.turns.pop(self.now).expect("somebody waits");
            let own = search.reading.member.number();
            let time_max = self.turns.time_max(&search);
            let taken = need(own).min(time_max);
            self.now += taken;
            self.turns.charge(&search, taken);
            if need(own) > time_max && time_max < SEARCH_MAX {
                search.attempt = Attempt::Second;
                self.turns.push(search);
                return None;
            }
            Some(own)
        }
    }

    const HONEST: u64 = 1_000_000;

    fn hostile_are_slow(own: u64) -> Duration {
        if own == HONEST { QUICK } else { SLOW }
    }

    /// A hundred at one address search again as soon as they are answered, for so long.
    fn besieged(hostile: u32, for_so_long: Duration) -> World {
        let mut world = World::new();
        (0..100).for_each(|own| world.asks(hostile, own + 1));
        let end = world.now + for_so_long;
        while world.now < end {
            if let Some(own) = world.turn(hostile_are_slow) {
                world.asks(hostile, own);
            }
        }
        world
    }

    /// How long somebody waits for an answer, from the moment of asking, while the others go on.
    fn waits(world: &mut World, at: u32, hostile: u32) -> Duration {
        let asked_at = world.now;
        world.asks(at, HONEST);
        loop {
            match world.turn(hostile_are_slow) {
                Some(HONEST) => return world.now - asked_at,
                Some(own) => world.asks(hostile, own),
                None => {}
            }
        }
    }

    #[test]
    fn search_from_elsewhere_does_not_stand_behind_a_hundred_that_never_stop() {
        for so_long in [0, 1, 60, 600] {
            let mut world = besieged(7, Duration::from_secs(so_long));
            assert_eq!(waits(&mut world, 8, 7), if so_long == 0 { FIRST_TRY + QUICK } else { QUICK });
        }
    }

    #[test]
    fn search_from_the_same_address_stands_behind_first_tries_and_one_slow_search_at_most() {
        for so_long in [0, 1, 60, 600] {
            let mut world = besieged(7, Duration::from_secs(so_long));
            let waited = waits(&mut world, 7, 7);
            assert!(waited <= 100 * FIRST_TRY + SLOW + QUICK, "after {so_long} s: {waited:?}");
        }
    }

    #[test]
    fn whoever_searches_quickly_and_often_waits_no_longer_each_time() {
        let mut world = besieged(7, Duration::from_secs(60));
        for _ in 0..300 {
            let waited = waits(&mut world, 7, 7);
            assert!(waited <= SLOW + QUICK, "{waited:?}");
            let next = world.now + Duration::from_millis(100);
            while world.now < next {
                if let Some(own) = world.turn(hostile_are_slow) {
                    world.asks(7, own);
                }
            }
        }
    }

    #[test]
    fn slow_search_is_answered_though_a_hundred_search_quickly_and_never_stop() {
        let mut world = World::new();
        (1..=100).for_each(|own| world.asks(7, own));
        world.asks(7, HONEST);
        let is_slow = |own| if own == HONEST { SLOW } else { QUICK };
        let mut answered = 0;
        loop {
            match world.turn(is_slow) {
                Some(HONEST) => break,
                Some(own) => world.asks(7, own),
                None => {}
            }
            answered += 1;
        }
        assert!(answered <= 101 + 1 + BEFORE_A_SECOND_MAX, "after {answered}");
    }

    #[test]
    fn those_who_never_stop_take_turns() {
        let mut world = World::new();
        (1..=10).for_each(|own| world.asks(7, own));
        let mut answered = [0; 11];
        for _ in 0..200 {
            if let Some(own) = world.turn(hostile_are_slow) {
                answered[own as usize] += 1;
                world.asks(7, own);
            }
        }
        assert!(answered[1..].iter().all(|count| (9..=11).contains(count)), "{answered:?}");
    }

    #[test]
    fn many_connections_of_an_address_have_one_share() {
        let mut world = World::new();
        (1..=100).for_each(|own| world.asks(7, own));
        world.asks(8, HONEST);
        let mut taken = [Duration::ZERO; 2];
        for _ in 0..1000 {
            let before = world.now;
            let next = world.turns.pop(world.now).expect("somebody waits");
            let (is_alone, own) = (next.site == site(8), next.reading.member.number());
            world.turns.waiting.insert(0, next);
            if world.turn(|_| SLOW) == Some(own) {
                world.asks(if is_alone { 8 } else { 7 }, own);
            }
            taken[usize::from(is_alone)] += world.now - before;
        }
        let (many, one) = (taken[0].as_millis(), taken[1].as_millis());
        assert!(many.abs_diff(one) <= 2 * SLOW.as_millis(), "{taken:?}");
    }

    #[test]
    fn slow_search_is_given_all_its_time_when_nobody_else_waits_and_at_its_second_try() {
        let mut world = World::new();
        world.asks(7, 1);
        let first = world.turns.pop(world.now).expect("somebody waits");
        assert_eq!(world.turns.time_max(&first), SEARCH_MAX);
        world.asks(7, 2);
        assert_eq!(world.turns.time_max(&first), FIRST_TRY);
        let second = Search { attempt: Attempt::Second, ..first };
        assert_eq!(world.turns.time_max(&second), SEARCH_MAX);
    }

    #[test]
    fn what_was_taken_long_ago_does_not_count() {
        let mut world = World::new();
        world.asks(7, 1);
        world.asks(8, 2);
        world.asks(9, 3);
        let search = world.turns.pop(world.now).expect("somebody waits");
        world.turns.charge(&search, Duration::from_secs(60));
        world.now += 6 * HALF_LIFE;
        let search = world.turns.pop(world.now).expect("somebody waits");
        world.turns.charge(&search, Duration::from_secs(1));
        world.asks(8, 2);
        world.asks(7, 1);
        let order = [(); 3].map(|()| world.turn(|_| QUICK));
        assert_eq!(
            order,
            [Some(3), Some(1), Some(2)],
            "a minute of a minute ago is less than a second of now"
        );
    }

    #[test]
    fn search_of_a_member_that_has_left_is_dropped() {
        let mut world = World::new();
        world.asks(7, 1);
        world.asks(7, 2);
        world.turns.leave(&HashMap::from([(member(1), site(7))]));
        assert_eq!(world.turn(|_| QUICK), Some(2));
        assert!(world.turns.waiting.is_empty());
    }

    #[test]
    fn address_still_owes_what_those_have_taken_who_left() {
        let mut world = World::new();
        world.asks(7, 1);
        world.asks(8, 2);
        assert_eq!(world.turn(|_| QUICK), Some(1));
        world.turns.leave(&HashMap::from([(member(1), site(7))]));
        assert!(world.turns.accounts[&site(7)].members.is_empty());
        world.turns.waiting.clear();
        world.asks(7, 3);
        world.asks(8, 2);
        assert_eq!(world.turn(|_| QUICK), Some(2));
    }

    #[test]
    fn accounts_are_bounded() {
        let mut world = World::new();
        for at in 0..=2 * SITES_MAX as u32 {
            world.asks(at, 1);
            world.turn(|_| QUICK);
            assert!(world.turns.accounts.len() <= SITES_MAX);
        }
        assert_eq!(world.turns.accounts.len(), 1);
    }

    #[test]
    fn account_is_forgotten_when_it_counts_no_more() {
        let mut world = World::new();
        world.asks(7, 1);
        world.turn(|_| QUICK);
        world.turns.pop(world.now + 60 * HALF_LIFE);
        assert!(world.turns.accounts.is_empty());
    }
}
