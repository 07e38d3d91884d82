//! Everything that can be set: the one table of keys.
//!
//! Where it stands: below the command line and the configuration, which read values into [`Settings`] by these rows. From
//! them come the flags with their help, what `roomful config` prints, and `docs/reference/configuration.md`. Whoever adds a
//! bound to the server adds a row here, and has its flag, its environment variable and its documentation.
//!
//! What this file must never do: hold a default. Those are the server's; a row only says where they stand.

use crate::data::Data;
use crate::key::{Choice, Key, Kind, Number, Reload, Subject};
use client::toml_file;
use server::{Durability, Options, PlainStyle, PollerKind, RoomName};
use std::time::Duration;

/// What `roomful serve` is started with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) server: Options,
    /// Where what is said is kept; `server` gets the directory that this comes to when the server is started.
    pub(crate) data: Data,
    pub(crate) log_format: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Settings {
        let home = RoomName::parse("lobby").expect("this is a name for a room");
        let listen = server::parse_listen(&server::DEFAULT_PORT.to_string()).into_iter().collect();
        let server = Options { listen, ..Options::new(home) };
        Settings { server, data: Data::Usual, log_format: LogFormat::Human }
    }
}

/// More connections than this no process can have.
const CONNECTIONS_LARGEST: u64 = 1 << 24;
/// A longer text than this cannot be typed into a command.
const TEXT_BYTES_LARGEST: u64 = 16 * 1024;
/// A smaller lag bound could not hold the longest message.
const LAG_BYTES_SMALLEST: u64 = 64 * 1024;
const BYTES_LARGEST: u64 = 1 << 30;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// SQLite cannot make a file larger that has pages of 4 KiB, as one may have that was not made here.
const DATA_BYTES_LARGEST: u64 = 1 << 43;
/// What one connection sends is paced by ticks of ten microseconds.
const LINES_LARGEST: u64 = 100_000;
/// The kernel waits no longer for a sign of life (`MAX_TCP_KEEPIDLE`).
const VANISHED_SECONDS_LARGEST: u64 = 32_767;

/// A number in a field of the server's options.
macro_rules! number {
    ($smallest:expr, $largest:expr, $if_smaller:expr, $($field:ident).+) => {
        Kind::Number(Number {
            smallest: $smallest,
            largest: $largest,
            if_smaller: $if_smaller,
            get: |settings| settings.server.$($field).+ as u64,
            // The largest value fits into each field that it is named with, on machines of 32 bits, too.
            put: |settings, number| settings.server.$($field).+ = number as _,
        })
    };
}

/// What if a number is zero whose smallest value is zero: nothing is smaller.
const NOTHING_SMALLER: &str = "nothing is less than nothing";

/// The table: every key, in the order in which they are listed everywhere.
#[expect(clippy::cast_lossless, reason = "the fields of one macro have different widths")]
pub(crate) static KEYS: &[Key] = &[
    Key {
        name: "listen",
        subject: Subject::Server,
        value_name: "ADDRESS",
        help: "Where to listen: PORT, ADDRESS:PORT or [ADDRESS]:PORT; several are possible",
        more: "A port alone means all interfaces, of IPv6 and IPv4. Port 0 takes any free one, which is printed. Several \
               addresses are an array in a file, several flags on the command line, and stand between commas in the \
               environment.",
        told: None,
        kind: Kind::Addresses,
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "room",
        subject: Subject::Server,
        value_name: "ROOM",
        help: "The room that everybody is in unasked",
        more: "It is never closed.",
        told: None,
        kind: Kind::Room,
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "plain_style",
        subject: Subject::Server,
        value_name: "STYLE",
        help: "How plain text is written",
        more: "All but `chat` are for old programs and for pipes, which take every line for what somebody said.",
        told: None,
        kind: Kind::Choice(&[
            Choice {
                word: "chat",
                help: "people with names, commands and rooms",
                is_set: |settings| settings.server.plain_style == PlainStyle::Chat,
                put: |settings| settings.server.plain_style = PlainStyle::Chat,
            },
            Choice {
                word: "tagged",
                help: "lines with the address of whoever sent them",
                is_set: |settings| settings.server.plain_style == PlainStyle::Tagged,
                put: |settings| settings.server.plain_style = PlainStyle::Tagged,
            },
            Choice {
                word: "bare",
                help: "lines and nothing else",
                is_set: |settings| settings.server.plain_style == PlainStyle::Bare,
                put: |settings| settings.server.plain_style = PlainStyle::Bare,
            },
        ]),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "shards",
        subject: Subject::Server,
        value_name: "N",
        help: "I/O threads",
        more: "One serves many thousands of connections.",
        told: None,
        kind: number!(1, 256, "nobody would be served", shards),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "poller",
        subject: Subject::Server,
        value_name: "POLLER",
        help: "How the system is asked which connections are ready",
        more: "With many connections `poll` and `select` take the more of the processor the more of them there are, and \
               `select` cannot watch more than some 1,000: who comes then is refused, and the log says so.",
        told: Some("the server has no room for more connections; try again later"),
        kind: Kind::Choice(&[
            Choice {
                word: "epoll",
                help: "the kernel tells who is ready (Linux)",
                is_set: |settings| settings.server.poller == PollerKind::Epoll,
                put: |settings| settings.server.poller = PollerKind::Epoll,
            },
            Choice {
                word: "poll",
                help: "the kernel looks at everybody each time",
                is_set: |settings| settings.server.poller == PollerKind::Poll,
                put: |settings| settings.server.poller = PollerKind::Poll,
            },
            Choice {
                word: "select",
                help: "the same in the way of 1983, for some 1,000 connections at most",
                is_set: |settings| settings.server.poller == PollerKind::Select,
                put: |settings| settings.server.poller = PollerKind::Select,
            },
        ]),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "stop_seconds",
        subject: Subject::Server,
        value_name: "SECONDS",
        help: "How long a stopping server goes on writing to those who have not read everything",
        more: "It ends sooner when everybody has. A second signal ends it at once.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 1,
            largest: 3600,
            if_smaller: "nobody would be told that the server stops",
            get: |settings| settings.server.flush.as_secs(),
            put: |settings, seconds| settings.server.flush = Duration::from_secs(seconds),
        }),
        reload: Reload::Applies,
    },
    Key {
        name: "log_format",
        subject: Subject::Server,
        value_name: "FORMAT",
        help: "How logs are written",
        more: "They go to standard error and say who came and went, never what people said.",
        told: None,
        kind: Kind::Choice(&[
            Choice {
                word: "human",
                help: "for people",
                is_set: |settings| settings.log_format == LogFormat::Human,
                put: |settings| settings.log_format = LogFormat::Human,
            },
            Choice {
                word: "json",
                help: "one JSON object a line",
                is_set: |settings| settings.log_format == LogFormat::Json,
                put: |settings| settings.log_format = LogFormat::Json,
            },
        ]),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "data",
        subject: Subject::History,
        value_name: "DIR",
        help: "The directory in which what is said is kept",
        more: "It is made if it is not there. `default` is `$XDG_DATA_HOME/roomful`, or `~/.local/share/roomful`. With `:memory:` \
               nothing is kept: what was said is gone when it has been read.",
        told: None,
        kind: Kind::Data,
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "durability",
        subject: Subject::History,
        value_name: "WHEN",
        help: "What a receipt promises, and when people are told",
        more: "What a receipt was given for survives a crash of the server and of the machine, but with `none`.",
        told: None,
        kind: Kind::Choice(&[
            Choice {
                word: "fast",
                help: "people are told at once; a receipt leaves when the disk has confirmed",
                is_set: |settings| settings.server.durability == Durability::Fast,
                put: |settings| settings.server.durability = Durability::Fast,
            },
            Choice {
                word: "strict",
                help: "nobody is told anything before the disk has confirmed",
                is_set: |settings| settings.server.durability == Durability::Strict,
                put: |settings| settings.server.durability = Durability::Strict,
            },
            Choice {
                word: "none",
                help: "receipts leave at once and promise nothing; the system writes when it likes",
                is_set: |settings| settings.server.durability == Durability::None,
                put: |settings| settings.server.durability = Durability::None,
            },
        ]),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "replay_lines",
        subject: Subject::History,
        value_name: "N",
        help: "How many lines of the past somebody is shown who comes into a room at a terminal",
        more: "0 shows none.",
        told: None,
        kind: number!(0, 200, NOTHING_SMALLER, replay_lines),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "data_bytes_max",
        subject: Subject::History,
        value_name: "BYTES",
        help: "How large the data file may become",
        more: "0 leaves that to the disk. Beyond it nothing can be said, as if the disk were full; nothing is let go of.",
        told: Some(
            "nothing can be said now: the server cannot write it down (the disk is full); try again in a while",
        ),
        kind: Kind::Number(Number {
            smallest: 0,
            largest: DATA_BYTES_LARGEST,
            if_smaller: NOTHING_SMALLER,
            get: |settings| settings.server.data_bytes_max.unwrap_or(0),
            put: |settings, number| settings.server.data_bytes_max = (number > 0).then_some(number),
        }),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "keep_days",
        subject: Subject::History,
        value_name: "DAYS",
        help: "For how long what is said is kept",
        more: "0 is for ever. What is older goes for good, from the index, too; the server looks every minute.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 0,
            largest: 1_000_000,
            if_smaller: NOTHING_SMALLER,
            get: |settings| settings.server.retention.age_ms_max.map_or(0, |value| value / DAY_MS),
            put: |settings, number| {
                settings.server.retention.age_ms_max = (number > 0).then_some(number * DAY_MS);
            },
        }),
        reload: Reload::Applies,
    },
    Key {
        name: "keep_messages",
        subject: Subject::History,
        value_name: "N",
        help: "How many messages of each room are kept",
        more: "0 is all. The oldest go first, for good. Topics and changes count, too.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 0,
            largest: DATA_BYTES_LARGEST,
            if_smaller: NOTHING_SMALLER,
            get: |settings| settings.server.retention.facts_max.unwrap_or(0),
            put: |settings, number| settings.server.retention.facts_max = (number > 0).then_some(number),
        }),
        reload: Reload::Applies,
    },
    Key {
        name: "keep_bytes",
        subject: Subject::History,
        value_name: "BYTES",
        help: "How much of each room is kept",
        more: "0 is all. The oldest goes first, for good. A message counts for its text and 64 bytes more.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 0,
            largest: DATA_BYTES_LARGEST,
            if_smaller: NOTHING_SMALLER,
            get: |settings| settings.server.retention.bytes_max.unwrap_or(0),
            put: |settings, number| settings.server.retention.bytes_max = (number > 0).then_some(number),
        }),
        reload: Reload::Applies,
    },
    Key {
        name: "conversations_kept_max",
        subject: Subject::History,
        value_name: "N",
        help: "Direct conversations on the server, those included whose people are away",
        more: "",
        told: Some(
            "the direct conversations of this server are limited to N, and that many there are; talk in a room",
        ),
        kind: number!(1, 10_000_000, "nobody could say anything to one person", hub.conversations_kept_max),
        reload: Reload::Applies,
    },
    Key {
        name: "members_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most members of the server, those who only listen included",
        more: "Whoever is beyond a bound that was lowered stays.",
        told: Some(
            "the members of this server are limited to N, and that many there are; try again when somebody has left",
        ),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could come in", hub.members_max),
        reload: Reload::Applies,
    },
    Key {
        name: "rooms_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most rooms",
        more: "Direct conversations are not counted.",
        told: Some("the rooms of this server are limited to N, and that many there are; join one of them"),
        kind: number!(
            1,
            CONNECTIONS_LARGEST,
            "there would be no room that everybody is in unasked",
            hub.rooms_max
        ),
        reload: Reload::Applies,
    },
    Key {
        name: "members_of_room_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most members of one room",
        more: "Those who only listen are counted.",
        told: Some(
            "the members of that room are limited to N, and that many there are; try again when somebody has left",
        ),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could be in any room", hub.members_of_room_max),
        reload: Reload::Applies,
    },
    Key {
        name: "rooms_of_member_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most rooms that one member is in",
        more: "",
        told: Some("the rooms that you can be in are limited to N, and that many there are; leave one first"),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could be in any room", hub.rooms_of_member_max),
        reload: Reload::Applies,
    },
    Key {
        name: "conversations_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most direct conversations of one member",
        more: "Whoever has as many begins none; others may still begin one with that member. With 0 nobody does.",
        told: Some(
            "the direct conversations of one person are limited to N, and that many there are; talk in a room",
        ),
        kind: number!(0, CONNECTIONS_LARGEST, NOTHING_SMALLER, hub.conversations_max),
        reload: Reload::Applies,
    },
    Key {
        name: "ignored_max",
        subject: Subject::People,
        value_name: "N",
        help: "Most people whom one member ignores",
        more: "",
        told: Some(
            "the people whom you can ignore are limited to N, and that many there are; ignore one of them again to \
             hear them",
        ),
        kind: number!(0, CONNECTIONS_LARGEST, NOTHING_SMALLER, hub.ignored_max),
        reload: Reload::Applies,
    },
    Key {
        name: "topic_bytes_max",
        subject: Subject::People,
        value_name: "BYTES",
        help: "Longest topic of a room, in bytes of UTF-8",
        more: "",
        told: Some("that is no topic: it has 600 bytes; at most N are possible"),
        kind: number!(1, TEXT_BYTES_LARGEST, "no room could have a topic", hub.topic_bytes_max),
        reload: Reload::Applies,
    },
    Key {
        name: "reason_bytes_max",
        subject: Subject::People,
        value_name: "BYTES",
        help: "Longest away message and longest last words, in bytes of UTF-8",
        more: "Last words that are longer are left out, for nothing stops anybody from leaving.",
        told: Some("that is no away message: it has 600 bytes; at most N are possible"),
        kind: number!(1, TEXT_BYTES_LARGEST, "nobody could say why they are away", hub.reason_bytes_max),
        reload: Reload::Applies,
    },
    Key {
        name: "announce_max",
        subject: Subject::People,
        value_name: "MEMBERS",
        help: "Rooms with more members than this sum up who comes and goes",
        more: "In a smaller room each arrival and each departure is a line of its own.",
        told: None,
        kind: number!(0, CONNECTIONS_LARGEST, NOTHING_SMALLER, hub.announce_max),
        reload: Reload::Applies,
    },
    Key {
        name: "sum_interval_ms",
        subject: Subject::People,
        value_name: "MILLISECONDS",
        help: "How often a room that sums up is told who came and went, at most",
        more: "",
        told: None,
        kind: number!(10, 3_600_000, "a sum would be of one", hub.sum_interval_ms),
        reload: Reload::Applies,
    },
    Key {
        name: "local_connections_per_address_max",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most connections from one address of this machine or of a private network",
        more: "Private networks are those of RFC 1918 and RFC 4193; link-local addresses (RFC 3927, RFC 4291) belong to \
               them. Of IPv6 a network of 64 bits counts as one address.",
        told: Some(
            "there are already N connections from your address, which is the most; close one and try again",
        ),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could come in", connections.local.per_address_max),
        reload: Reload::Applies,
    },
    Key {
        name: "local_connections_per_second_max",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most new connections a second from one such address",
        more: "",
        told: Some("too many new connections from your address; try again in a few seconds"),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could come in", connections.local.per_second_max),
        reload: Reload::Applies,
    },
    Key {
        name: "local_lines_per_second",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most lines a second from one connection from such an address",
        more: "",
        told: Some("you send more than N lines a second; the rest waits its turn; stay until it is said"),
        kind: number!(1, LINES_LARGEST, "nobody could say anything", lines_per_second.local),
        reload: Reload::Applies,
    },
    Key {
        name: "remote_connections_per_address_max",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most connections from one address anywhere else",
        more: "Of IPv6 a network of 64 bits counts as one address.",
        told: Some(
            "there are already N connections from your address, which is the most; close one and try again",
        ),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could come in", connections.remote.per_address_max),
        reload: Reload::Applies,
    },
    Key {
        name: "remote_connections_per_second_max",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most new connections a second from one address anywhere else",
        more: "",
        told: Some("too many new connections from your address; try again in a few seconds"),
        kind: number!(1, CONNECTIONS_LARGEST, "nobody could come in", connections.remote.per_second_max),
        reload: Reload::Applies,
    },
    Key {
        name: "remote_lines_per_second",
        subject: Subject::Connections,
        value_name: "N",
        help: "Most lines a second from one connection from anywhere else",
        more: "",
        told: Some("you send more than N lines a second; the rest waits its turn; stay until it is said"),
        kind: number!(1, LINES_LARGEST, "nobody could say anything", lines_per_second.remote),
        reload: Reload::Applies,
    },
    Key {
        name: "vanished_seconds",
        subject: Subject::Connections,
        value_name: "SECONDS",
        help: "A peer from which no sign of life has come for so long has vanished",
        more: "A machine that lost its power or its network never says that it has gone; it is asked, and noticed within twice \
               that time. Somebody who is there and just does not read stays, however long. Before Linux 6.15, somebody who \
               vanishes after having stopped reading may take six minutes more.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 2,
            largest: VANISHED_SECONDS_LARGEST,
            if_smaller: "one second is needed to wait and one to ask",
            get: |settings| settings.server.vanished.as_secs(),
            put: |settings, seconds| settings.server.vanished = Duration::from_secs(seconds),
        }),
        reload: Reload::NeedsRestart,
    },
    Key {
        name: "lag_bytes_max",
        subject: Subject::Memory,
        value_name: "BYTES",
        help: "Most that a member may lag behind in a room before it skips",
        more: "It is the memory that the log of one room takes, for all who lag there together.",
        told: Some("412 messages skipped"),
        kind: number!(
            LAG_BYTES_SMALLEST,
            BYTES_LARGEST,
            "the longest message would not fit",
            limits.feeds.lag_bytes_max
        ),
        reload: Reload::Applies,
    },
    Key {
        name: "feeds_bytes_max",
        subject: Subject::Memory,
        value_name: "BYTES",
        help: "Most that the logs of all rooms of a shard keep together",
        more: "Beyond it each log keeps only its latest end, and more is skipped.",
        told: Some("412 messages skipped"),
        kind: number!(
            LAG_BYTES_SMALLEST,
            u32::MAX as u64,
            "the log of one room would not fit",
            limits.feeds.feeds_bytes_max
        ),
        reload: Reload::Applies,
    },
    Key {
        name: "private_bytes_max",
        subject: Subject::Memory,
        value_name: "BYTES",
        help: "While more than this waits for one connection alone, nothing is read from it",
        more: "Answers to commands wait so, for somebody who asks and does not read.",
        told: None,
        kind: number!(1024, BYTES_LARGEST, "people would wait after each command", limits.private_bytes_max),
        reload: Reload::Applies,
    },
    Key {
        name: "requests_max",
        subject: Subject::Memory,
        value_name: "N",
        help: "While so many requests of a shard are not done, nothing is read by it",
        more: "Each KiB of text counts as one request more.",
        told: None,
        kind: number!(64, 1 << 20, "a few messages would hold everybody up", limits.requests_max),
        reload: Reload::Applies,
    },
    Key {
        name: "send_buffer_bytes",
        subject: Subject::Memory,
        value_name: "BYTES",
        help: "How much the kernel may hold for one connection that does not read",
        more: "With 0 that is left to the system, which decides for each connection as it goes.",
        told: None,
        kind: Kind::Number(Number {
            smallest: 0,
            largest: BYTES_LARGEST,
            if_smaller: NOTHING_SMALLER,
            get: |settings| settings.server.send_buffer_bytes.unwrap_or(0) as u64,
            put: |settings, bytes| {
                settings.server.send_buffer_bytes = Some(bytes as usize).filter(|bytes| *bytes > 0);
            },
        }),
        reload: Reload::NeedsRestart,
    },
];

/// The key of this name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The key that was probably meant by a name that is none.
pub(crate) fn nearest(name: &str) -> Option<&'static Key> {
    toml_file::nearest(name, KEYS.iter().map(|key| key.name)).and_then(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{Bound, Refusal, TextProblem, What};
    use std::collections::BTreeSet;

    fn numbers() -> impl Iterator<Item = (&'static Key, &'static Number)> {
        KEYS.iter().filter_map(|key| match &key.kind {
            Kind::Number(number) => Some((key, number)),
            _ => None,
        })
    }

    #[test]
    fn no_key_stands_there_twice() {
        let names: BTreeSet<&str> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len());
    }

    #[test]
    fn names_are_lower_case_words_joined_by_underscores() {
        for key in KEYS {
            assert!(key.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", key.name);
        }
    }

    #[test]
    fn keys_of_a_subject_stand_together() {
        let mut subjects: Vec<&str> = KEYS.iter().map(|key| key.subject.title()).collect();
        subjects.dedup();
        assert_eq!(subjects.iter().collect::<BTreeSet<_>>().len(), subjects.len());
    }

    #[test]
    fn every_key_says_what_it_is_for() {
        for key in KEYS {
            assert!((5..=90).contains(&key.help.len()), "{}: {} bytes", key.name, key.help.len());
            assert!(key.help.starts_with(|letter: char| letter.is_uppercase()), "{}", key.name);
            assert!(!key.help.ends_with('.'), "{}", key.name);
            assert!(key.more.is_empty() || key.more.ends_with('.'), "{}", key.name);
            assert!(key.told.is_none_or(|told| !told.ends_with('.')), "{}", key.name);
        }
    }

    #[test]
    fn defaults_are_allowed_and_come_back_as_they_were() {
        let defaults = Settings::default();
        for key in KEYS {
            let text = key.text(&defaults);
            assert!(!text.is_empty(), "{}", key.name);
            assert_eq!(key.check(&text), Ok(()), "{}", key.name);
        }
    }

    #[test]
    fn each_number_goes_into_a_field_of_its_own_and_fits_there() {
        for (key, number) in numbers() {
            for value in [number.smallest, number.largest] {
                let mut settings = Settings::default();
                assert_eq!(key.put(&mut settings, &value.to_string()), Ok(()));
                assert_eq!(key.text(&settings), value.to_string(), "{}", key.name);
                for other in KEYS.iter().filter(|other| other.name != key.name) {
                    assert_eq!(other.text(&settings), other.text(&Settings::default()), "{}", key.name);
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_too_small_or_too_large_are_refused_with_what_is_possible() {
        for (key, number) in numbers() {
            let error = key.check(&(number.largest + 1).to_string()).unwrap_err();
            assert!(error.contains("too large") && error.contains(&number.largest.to_string()), "{error}");
            if let Some(smaller) = number.smallest.checked_sub(1) {
                let error = key.check(&smaller.to_string()).unwrap_err();
                assert!(error.contains(number.if_smaller), "{error}");
            }
        }
    }

    #[test]
    fn every_choice_can_be_made() {
        for key in KEYS {
            let Kind::Choice(choices) = &key.kind else { continue };
            for choice in *choices {
                let mut settings = Settings::default();
                assert_eq!(key.put(&mut settings, choice.word), Ok(()));
                assert_eq!(key.text(&settings), choice.word);
            }
        }
    }

    #[test]
    fn wrong_values_are_answered_with_what_would_be_right() {
        let error = |name: &str, text: &str| key(name).unwrap().check(text).unwrap_err();
        assert_eq!(
            error("members_max", "0"),
            "0 is too small, nobody could come in; write a number from 1 to 16777216"
        );
        assert_eq!(error("shards", "two"), "'two' is no such number; write a number from 1 to 256");
        assert_eq!(
            error("shards", "99999999999999999999999"),
            "99999999999999999999999 is too large; write a number from 1 to 256"
        );
        assert_eq!(error("plain_style", "fancy"), "'fancy' is none of chat, tagged or bare");
        assert!(error("room", ".x").contains("begins with '.'"));
        assert!(error("listen", "8008,nowhere").contains("write PORT, ADDRESS:PORT"));
    }

    #[test]
    fn misspelled_key_is_recognized_and_a_strange_one_is_not() {
        for (name, meant) in [
            ("mebers_max", "members_max"),
            ("MEMBERS-MAX", "members_max"),
            ("listn", "listen"),
            ("topic_max", "topic_bytes_max"),
            ("lag_bytes", "lag_bytes_max"),
        ] {
            assert_eq!(nearest(name).map(|key| key.name), Some(meant), "{name}");
        }
        assert!(nearest("colour").is_none());
        assert!(nearest(&"members_max".repeat(3)).is_none());
    }

    /// What the table says that people are told is what they are told.
    #[test]
    fn words_at_the_bounds_are_those_of_the_hub() {
        let too_many = [
            ("members_max", Bound::Members),
            ("rooms_max", Bound::Rooms),
            ("members_of_room_max", Bound::MembersOfRoom),
            ("rooms_of_member_max", Bound::RoomsOfMember),
            ("conversations_max", Bound::Conversations),
            ("ignored_max", Bound::Ignored),
            ("conversations_kept_max", Bound::ConversationsKept),
        ];
        let told = |name: &str| key(name).unwrap().told.unwrap().replace('N', "7");
        for (name, bound) in too_many {
            assert_eq!(told(name), Refusal::TooMany(bound, 7).to_string());
        }
        let problem = TextProblem::TooLong { bytes: 600, bytes_max: 7 };
        for (name, what) in [("topic_bytes_max", What::Topic), ("reason_bytes_max", What::AwayMessage)] {
            assert_eq!(told(name), Refusal::BadText(what, problem).to_string());
        }
    }
}
