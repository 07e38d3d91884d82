//! `roomful join`: a person in the room, at a terminal that is drawn on, or line by line.
//!
//! Where it stands: around the model. Both ways give it inputs and do what it answers; what they share is here.
//!
//! What this file must never do: decide what anything means; that is the model's.

mod lines;
mod saving;
mod screen;

use crate::address::Address;
use crate::chance;
use crate::link::{End, Persistence, State, Wanted};
use crate::model::{Effect, Input, Medium, Model, Moment, Options, Size};
use crate::net::{NetEvent, Posted};
use crate::own_name;
use crate::places::Places;
use crate::plainness::{Wish, why_plain};
use crate::remembered::Remembered;
use crate::scripts;
use crate::session::Post;
use crate::settings::{Destination, Settings};
use hub::Time;
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A server takes so many names of rooms when somebody comes.
const ROOMS_MAX: usize = 1_000;
/// They stand in a hello twice, which is one line with its own bound.
const ROOMS_BYTES_MAX: usize = 40 * 1024;

/// What somebody wants to join, and how.
#[derive(Clone, Debug)]
pub struct Join {
    /// Where.
    pub destination: Destination,
    /// What they have chosen.
    pub settings: Settings,
    /// Where things are remembered.
    pub places: Places,
    /// Whether they asked for lines.
    pub manner: Manner,
}

/// How somebody wants to see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Drawn, where that is possible.
    Usual,
    /// Line by line, nothing of which is touched again.
    Plain,
}

/// Joins, until the person leaves. Answers with the exit status.
pub fn run(join: Join) -> ExitCode {
    let remembered = Remembered::open(join.places.state.as_deref(), &join.destination.address);
    let outcome = if join.is_drawn() { screen::run(join, remembered) } else { lines::run(&join, remembered) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            scripts::remark(&problem);
            ExitCode::FAILURE
        }
    }
}

impl Join {
    fn is_drawn(&self) -> bool {
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let wish = Wish { flag: self.manner == Manner::Plain, setting: self.settings.plain, is_terminal };
        why_plain(wish, |name| std::env::var_os(name)).is_none()
    }

    fn model(&self, medium: Medium, remembered: &Remembered, size: Size) -> Model {
        let settings = &self.settings;
        let address = &self.destination.address;
        let options = Options {
            time_format: settings.time_format.as_str().to_owned(),
            zone: TimeZone::system(),
            highlights: settings.highlight.clone(),
            items_max: settings.scrollback,
            members: settings.members,
            server: self.destination.name.clone().unwrap_or_else(|| address.server()),
            arrivals: settings.arrivals,
            notify_on: settings.notify_on,
        };
        Model::new(options, medium, self.wanted(remembered), &remembered.state, size, chance::seed())
    }

    fn wanted(&self, remembered: &Remembered) -> Wanted {
        let state = &remembered.state;
        let Address { nick, .. } = &self.destination.address;
        let remembered = state.rooms.iter().filter(|room| !room.name.starts_with('@') && !room.is_closed);
        let named = self.destination.rooms.iter().chain(remembered.map(|room| &room.name));
        let rooms = within_one_hello(named);
        Wanted {
            nick: nick.clone().or_else(|| state.nick.clone()).or_else(own_name::user_nick),
            rooms,
            secret: state.secret.clone(),
            persistence: Persistence::OnceThere,
            ..Wanted::default()
        }
    }

    /// What is to be said when it is over, if anything.
    fn how_it_ended(&self, model: &Model) -> Result<(), String> {
        match model.state() {
            State::Over(End::Left) => {
                match model.link().unacknowledged() {
                    0 => Ok(()),
                    1 => Err("the last thing that you said was not acknowledged; it may not have been said"
                        .to_owned()),
                    count => Err(format!(
                        "the last {count} messages were not acknowledged; they may not have been said"
                    )),
                }
            }
            State::Over(end) if !model.was_online() => Err(self.never_there(&end.to_string())),
            State::Over(end) => Err(end.to_string()),
            _ => Ok(()),
        }
    }

    /// Why there was never a connection, with what would be right.
    fn never_there(&self, why: &str) -> String {
        let server = self.destination.address.server();
        let host = &self.destination.address.host;
        match self.settings.nearest_server(host).filter(|_| self.destination.name.is_none()) {
            Some(name) => format!("cannot join {server}: {why} (did you mean '{name}' of your settings?)"),
            None => format!("cannot join {server}: {why}"),
        }
    }
}

/// Each room once, however it is written, and no more of them than one can come into at once.
fn within_one_hello<'a>(named: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut known = HashSet::new();
    let mut bytes = 0;
    let mut fits = |room: &String| {
        bytes += room.len();
        bytes <= ROOMS_BYTES_MAX
    };
    let once = named.filter(|room| known.insert(hub::key_of(room)));
    once.take(ROOMS_MAX).take_while(|room| fits(room)).cloned().collect()
}

/// The clocks that the model does not ask.
struct Clock {
    begun: Instant,
}

impl Clock {
    fn start() -> Clock {
        Clock { begun: Instant::now() }
    }

    fn moment(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { time: Time(since.as_millis() as u64), now: self.begun.elapsed() }
    }

    /// How long it is until then.
    fn until(&self, deadline: Duration) -> Duration {
        deadline.saturating_sub(self.begun.elapsed())
    }
}

fn input_of(event: NetEvent) -> Input {
    match event {
        NetEvent::Connected => Input::Connected,
        NetEvent::Received(bytes) => Input::Received(bytes),
        NetEvent::Disconnected(why) => Input::Disconnected(why),
    }
}

/// What of an effect concerns the network; the rest comes back.
fn carry_out<T: From<Posted> + Send + 'static>(
    net: &mut crate::net::Net<T>,
    effect: Effect,
) -> Option<Effect> {
    match effect {
        Effect::Connect => net.connect(),
        Effect::Send(bytes) => net.send(bytes),
        Effect::Close => net.close(),
        effect => return Some(effect),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_rooms_are_come_into_than_a_server_takes() {
        let named: Vec<String> = (0..3_000).map(|nth| format!("r{nth}")).collect();
        let rooms = within_one_hello(["Ops".to_owned(), "OPS".to_owned()].iter().chain(&named));
        assert_eq!((rooms.len(), rooms[0].as_str(), rooms[1].as_str()), (1_000, "Ops", "r0"));
        let wide: Vec<String> = (0..1_000).map(|nth| format!("{}{nth}", "世".repeat(40))).collect();
        let bytes: usize = within_one_hello(wide.iter()).iter().map(String::len).sum();
        assert!((30 * 1024..=40 * 1024).contains(&bytes), "{bytes}");
    }
}
