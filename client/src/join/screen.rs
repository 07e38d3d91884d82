//! The client on a terminal that is drawn on.
//!
//! Where it stands: around the model, with keys and the network on one side and the painter on the other, in one thread. A key is
//! painted at once; what others say is painted some dozens of times in a second, however much it is. What the terminal has goes
//! before what the network has, so that a key waits for one piece of the network's at most, however much there is of it.
//!
//! What this file must never do: wait for the network or the disk, or paint what has not changed.

use super::saving::Saving;
use super::{Clock, Join, Post, carry_out, input_of};
use crate::link::State;
use crate::model::{Effect, Input, Medium, Model, Presence};
use crate::net::Net;
use crate::remembered::Remembered;
use crate::settings::{self, Notify};
use crate::terminal::event::{Background, MouseKind, Signal};
use crate::terminal::{
    Colours, Mouse, Terminal, TerminalEvent, Wishes, background_of_environment, escapes, open_link,
};
use crate::theme::Theme;
use crate::view;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// At most so many things wait to be taken, of the terminal and of the network each.
const WAITING_MAX: usize = 16;
/// What others say is painted at most so often.
const FRAME: Duration = Duration::from_millis(33);
/// So much is taken in before it is looked whether something is to be painted.
const TURN: Duration = Duration::from_millis(8);
/// What was typed is written down when nothing was typed for so long.
const SAVE_AFTER: Duration = Duration::from_secs(2);

/// Joins, until the person leaves.
pub(super) fn run(join: Join, remembered: Remembered) -> Result<(), String> {
    let (posts, waiting) = sync_channel(WAITING_MAX);
    let address = &join.destination.address;
    let net = Net::new(address.host.clone(), address.port, posts.clone());
    let mouse = if join.settings.mouse { Mouse::Ours } else { Mouse::Terminals };
    let (events, given) = sync_channel(WAITING_MAX);
    let sink = move |event| {
        if events.send(event).is_err() {
            return ControlFlow::Break(());
        }
        // If there is no room for it, nobody is asleep who would have to hear it.
        let _ = posts.try_send(Post::Given(Knock));
        ControlFlow::Continue(())
    };
    let waiting = Waiting { given, posts: waiting };
    let terminal =
        Terminal::enter(Wishes { mouse, ..Wishes::default() }, sink).map_err(|error| cannot_use(&error))?;
    let size = terminal.size().map_err(|error| cannot_use(&error))?;
    let clock = Clock::start();
    let mut model = join.model(Medium::Screen, &remembered, size);
    if let Some(remark) = remembered.remark {
        // It is seen with the first picture; nothing else comes of it.
        model.update(clock.moment(), Input::Trouble(remark));
    }
    let variable = |name: &str| std::env::var(name).ok();
    let colours = Colours::of_environment(variable);
    let theme = theme_of(join.settings.theme, colours, background_of_environment(variable));
    let between = escapes::Between::of_environment(variable);
    let saving = Saving::start(remembered.store);
    let mut screen = Screen {
        join,
        model,
        net,
        terminal,
        theme,
        colours,
        between,
        saving,
        clock,
        painted: None,
        typed: None,
    };
    let ended = screen.talk(&waiting);
    screen.end(ended, waiting)
}

fn cannot_use(error: &io::Error) -> String {
    format!("cannot use this terminal: {error}; 'roomful join --plain' needs none")
}

/// What is chosen, or what the terminal says where it was left to that.
fn theme_of(chosen: settings::Theme, colours: Colours, background: Option<Background>) -> Theme {
    let name = match (chosen, background) {
        (settings::Theme::Auto, Some(Background::Dark)) => settings::Theme::Dark,
        (settings::Theme::Auto, Some(Background::Light)) => settings::Theme::Light,
        (chosen, _) => chosen,
    };
    Theme::new(name, colours)
}

/// Why the loop ends.
#[derive(Clone, Copy)]
enum Ended {
    /// Somebody left, or it cannot go on.
    Left,
    /// There is no terminal any more.
    Gone,
}

/// What a turn leaves to be done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Nothing,
    /// With the next frame.
    Frame,
    /// Now.
    Now,
}

/// There is something of the terminal's.
struct Knock;

/// What has come and was not taken yet.
struct Waiting {
    /// The terminal's.
    given: Receiver<TerminalEvent>,
    /// The network's, and knocks.
    posts: Receiver<Post<Knock>>,
}

struct Screen {
    join: Join,
    model: Model,
    net: Net<Post<Knock>>,
    terminal: Terminal,
    theme: Theme,
    colours: Colours,
    between: escapes::Between,
    saving: Saving,
    clock: Clock,
    painted: Option<Instant>,
    /// When something was typed that is not written down.
    typed: Option<Instant>,
}

impl Screen {
    fn talk(&mut self, waiting: &Waiting) -> Ended {
        // The first picture does not wait for the network.
        let effects = self.model.start(self.clock.moment());
        if self.paint().is_err() {
            return Ended::Gone;
        }
        if let ControlFlow::Break(ended) = self.carry_out(effects) {
            return ended;
        }
        let mut due = Due::Frame;
        loop {
            match self.turn(waiting, due) {
                ControlFlow::Break(ended) => return ended,
                ControlFlow::Continue(now_due) => due = now_due,
            }
            let is_time = self.painted.is_none_or(|painted| painted.elapsed() >= FRAME);
            if due == Due::Now || (due == Due::Frame && is_time) {
                if self.paint().is_err() {
                    return Ended::Gone;
                }
                due = Due::Nothing;
            }
            if self.typed.is_some_and(|typed| typed.elapsed() >= SAVE_AFTER) {
                self.typed = None;
                self.saving.save(self.model.remembered());
            }
        }
    }

    /// Waits for something, and takes in what has gathered: all that is typed, and of the rest as much as there is time for. When
    /// something was typed that is to be seen, the rest waits.
    fn turn(&mut self, waiting: &Waiting, due: Due) -> ControlFlow<Ended, Due> {
        let mut due = due;
        let first = match self.patience(due) {
            None => waiting.posts.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => waiting.posts.recv_timeout(wait),
        };
        let begun = Instant::now();
        let mut next = first.ok();
        loop {
            for event in waiting.given.try_iter().take(WAITING_MAX) {
                due = due.max(self.take(event)?);
            }
            let Some(post) = next else { break };
            if let Post::Net(posted) = post
                && let Some(event) = self.net.news(posted)
            {
                due = due.max(self.give(input_of(event), Due::Frame)?);
            }
            let is_more_wanted = due < Due::Now && begun.elapsed() < TURN;
            next = if is_more_wanted { waiting.posts.try_recv().ok() } else { None };
        }
        if self.model.deadline().is_some_and(|deadline| self.clock.until(deadline).is_zero()) {
            due = due.max(self.give(Input::Tick, Due::Frame)?);
        }
        ControlFlow::Continue(due)
    }

    /// For how long nothing but news is waited for.
    fn patience(&self, due: Due) -> Option<Duration> {
        let deadline = self.model.deadline().map(|deadline| self.clock.until(deadline));
        let frame =
            self.painted.filter(|_| due == Due::Frame).map(|painted| FRAME.saturating_sub(painted.elapsed()));
        let save = self.typed.map(|typed| SAVE_AFTER.saturating_sub(typed.elapsed()));
        [deadline, frame, save].into_iter().flatten().min()
    }

    fn take(&mut self, event: TerminalEvent) -> ControlFlow<Ended, Due> {
        let input = match event {
            TerminalEvent::Key(press) => Input::Key(press),
            TerminalEvent::Paste(text) => Input::Paste(text),
            TerminalEvent::Resize(size) => {
                self.terminal.forget();
                Input::Resize(size)
            }
            TerminalEvent::Focus(focus) => Input::Focus(focus),
            TerminalEvent::Mouse(mouse) => match mouse.kind {
                MouseKind::WheelUp => Input::Wheel(-1),
                MouseKind::WheelDown => Input::Wheel(1),
                MouseKind::Press => Input::Click { column: mouse.column, row: mouse.row },
                _ => return ControlFlow::Continue(Due::Nothing),
            },
            TerminalEvent::Background(background) => {
                self.theme = theme_of(self.join.settings.theme, self.colours, Some(background));
                return ControlFlow::Continue(Due::Frame);
            }
            TerminalEvent::Signal(Signal::End) => Input::Leave,
            TerminalEvent::Signal(Signal::Suspend) => return self.suspend(),
            TerminalEvent::Signal(Signal::Continued) => {
                return match self.terminal.resume() {
                    Ok(()) => ControlFlow::Continue(Due::Now),
                    Err(_) => ControlFlow::Break(Ended::Gone),
                };
            }
            TerminalEvent::Gone => return ControlFlow::Break(Ended::Gone),
        };
        if matches!(input, Input::Key(_) | Input::Paste(_)) {
            self.typed = Some(Instant::now());
        }
        self.give(input, Due::Now)
    }

    fn give(&mut self, input: Input, due: Due) -> ControlFlow<Ended, Due> {
        let effects = self.model.update(self.clock.moment(), input);
        self.carry_out(effects)?;
        if self.is_hopeless() {
            return ControlFlow::Break(Ended::Left);
        }
        ControlFlow::Continue(due)
    }

    /// Whether there never was a connection and will be none: there is nothing to look at.
    fn is_hopeless(&self) -> bool {
        matches!(self.model.state(), State::Over(_)) && !self.model.was_online()
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> ControlFlow<Ended> {
        for effect in effects {
            let Some(effect) = carry_out(&mut self.net, effect) else { continue };
            let done = match effect {
                Effect::Notify { title, body } => self.notify(&title, &body),
                Effect::Copy(text) => match escapes::clipboard(&text) {
                    Ok(sequence) => self.terminal.tell(&sequence),
                    Err(problem) => return self.complain(problem.to_string()),
                },
                Effect::Open(link) => match open_link(&link) {
                    Ok(()) => Ok(()),
                    Err(problem) => return self.complain(problem.to_string()),
                },
                Effect::Remember => {
                    self.saving.save(self.model.remembered());
                    Ok(())
                }
                Effect::Repaint => {
                    self.terminal.forget();
                    Ok(())
                }
                Effect::Suspend => {
                    self.suspend()?;
                    Ok(())
                }
                Effect::Quit => return ControlFlow::Break(Ended::Left),
                Effect::Connect | Effect::Send(_) | Effect::Close | Effect::Print(_) => Ok(()),
            };
            if done.is_err() {
                return ControlFlow::Break(Ended::Gone);
            }
        }
        ControlFlow::Continue(())
    }

    fn complain(&mut self, why: String) -> ControlFlow<Ended> {
        self.give(Input::Trouble(why), Due::Now).map_continue(|_| ())
    }

    fn notify(&mut self, title: &str, body: &str) -> io::Result<()> {
        for way in self.join.settings.notify.clone() {
            let sequence = match way {
                Notify::Bell => escapes::BELL.to_owned(),
                Notify::Osc9 => escapes::notification_9(&format!("{title}: {body}"), self.between),
                Notify::Osc777 => escapes::notification_777(title, body, self.between),
            };
            self.terminal.tell(&sequence)?;
        }
        Ok(())
    }

    fn suspend(&mut self) -> ControlFlow<Ended, Due> {
        self.saving.save(self.model.remembered());
        match self.terminal.suspend() {
            Ok(_) => ControlFlow::Continue(Due::Now),
            Err(_) => ControlFlow::Break(Ended::Gone),
        }
    }

    fn paint(&mut self) -> io::Result<()> {
        let size = self.model.size();
        let area = Rect::new(0, 0, size.columns, size.rows);
        let mut buffer = Buffer::empty(area);
        let scene = view::draw(&self.model, self.theme, &mut buffer);
        // Before we are in the room that is seen little comes, and somebody waits for it: it is painted at once.
        let room = self.model.room().filter(|room| room.presence != Presence::Entering);
        self.painted = room.map(|_| Instant::now());
        self.terminal.paint(buffer, scene)
    }

    fn end(mut self, ended: Ended, waiting: Waiting) -> Result<(), String> {
        drop(self.terminal);
        if let Ended::Gone = ended {
            // Nobody is there to be told anything; what was typed is kept, and the server hears that we go.
            for effect in self.model.update(self.clock.moment(), Input::Leave) {
                carry_out(&mut self.net, effect);
            }
        }
        // Nothing is taken any more: whoever waits to post something must not be waited for when the connection is closed.
        drop(waiting);
        self.saving.save(self.model.remembered());
        self.saving.end();
        self.join.how_it_ended(&self.model)
    }
}
