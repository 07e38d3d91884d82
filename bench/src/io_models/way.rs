//! The ways to serve that are compared: every strategy of `socketserver` with every handler or poller that it takes, and
//! beside each what Python has for it. Names only; nothing here starts anything.

use std::{fmt, str::FromStr};

use socketserver::PollerKind;

/// How a server deals with several clients, whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// One after the other.
    Iterative,
    /// A thread for each.
    Threading,
    /// A process for each.
    Forking,
    /// One loop for all.
    Evented,
}

impl Model {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Model; 4] = [Model::Iterative, Model::Threading, Model::Forking, Model::Evented];

    /// Its name, also on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Iterative => "iterative",
            Model::Threading => "threading",
            Model::Forking => "forking",
            Model::Evented => "evented",
        }
    }
}

/// What kind of handler a strategy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// One that reads and writes and may wait (`RequestHandler`).
    Blocking,
    /// One that is told what has arrived (`Protocol`).
    SansIo,
}

/// A way to serve with the crate `socketserver`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The iterative strategy.
    Iterative(Handler),
    /// The threading strategy.
    Threading(Handler),
    /// The forking strategy.
    Forking(Handler),
    /// The evented strategy on a poller; it takes sans-I/O handlers only.
    Evented(PollerKind),
}

impl Way {
    /// All of them, in the order of the tables.
    pub const ALL: [Way; 9] = [
        Way::Iterative(Handler::Blocking),
        Way::Iterative(Handler::SansIo),
        Way::Threading(Handler::Blocking),
        Way::Threading(Handler::SansIo),
        Way::Forking(Handler::Blocking),
        Way::Forking(Handler::SansIo),
        Way::Evented(PollerKind::Select),
        Way::Evented(PollerKind::Poll),
        Way::Evented(PollerKind::Epoll),
    ];

    /// The model that it is a case of.
    pub const fn model(self) -> Model {
        match self {
            Way::Iterative(_) => Model::Iterative,
            Way::Threading(_) => Model::Threading,
            Way::Forking(_) => Model::Forking,
            Way::Evented(_) => Model::Evented,
        }
    }

    /// What it is called in the tables.
    pub fn title(self) -> String {
        let detail = match self {
            Way::Iterative(handler) | Way::Threading(handler) | Way::Forking(handler) => match handler {
                Handler::Blocking => "blocking handler",
                Handler::SansIo => "sans-I/O handler",
            },
            Way::Evented(poller) => poller.name(),
        };
        format!("{}, {detail}", self.model().name())
    }
}

/// The name on the command line of `bench echo`.
impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = match self {
            Way::Iterative(handler) | Way::Threading(handler) | Way::Forking(handler) => match handler {
                Handler::Blocking => "blocking",
                Handler::SansIo => "sans-io",
            },
            Way::Evented(poller) => poller.name(),
        };
        write!(formatter, "{}-{detail}", self.model().name())
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Way::ALL.into_iter().find(|way| way.to_string() == name);
        found.ok_or_else(|| {
            let names = Way::ALL.map(|way| way.to_string()).join(", ");
            format!("unknown way to serve `{name}`, expected one of: {names}")
        })
    }
}

/// A server in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The crate `socketserver`.
    Ours(Way),
    /// Python's counterpart.
    Python(Model),
}

impl Contender {
    /// The model that it is a case of.
    pub const fn model(self) -> Model {
        match self {
            Contender::Ours(way) => way.model(),
            Contender::Python(model) => model,
        }
    }
}

/// What it is called on the terminal.
impl fmt::Display for Contender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contender::Ours(way) => formatter.write_str(&way.title()),
            Contender::Python(model) => write!(formatter, "Python's {}", model.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for way in Way::ALL {
            assert_eq!(way.to_string().parse(), Ok(way));
        }
    }

    #[test]
    fn unknown_name_is_told_the_known_ones() {
        let mistake = "threaded".parse::<Way>().unwrap_err();
        assert!(mistake.contains("`threaded`") && mistake.contains("threading-blocking"), "{mistake}");
    }
}
