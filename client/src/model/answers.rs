//! What the server says, and what it changes.
//!
//! Where it stands: behind the link, which has seen to it that nothing comes twice.
//!
//! What this file must never do: drop what somebody typed because the server refused it.

use super::item::{self, Reader, Relation, Said, What, Why};
use super::timeline::{Farthest, Past};
use super::update::Effect;
use super::{
    Arrivals, Asked, Finding, Focus, Medium, Model, Overlay, Pending, Place, Presence, Room, Scroll,
    SearchProgress,
};
use crate::link::{End, State};
use crate::wire::{
    Ack, Answer, Author, Conversation, Event, Findings, Gap, Happening, Names, Notice, Page, Refusal,
    Request, RoomsPage, Shown, Span, Topic, Welcome,
};
use hub::{Manner, Text, Time};
use std::borrow::Cow;

/// Of so many rooms it is known that they are there; more are not listed.
const KNOWN_ROOMS_MAX: usize = 10_000;
/// A person is told at most so often.
const NOTIFY_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

impl Model {
    pub(super) fn told(&mut self, answer: Answer) {
        match answer {
            Answer::Welcome(welcome) => self.welcome(&welcome),
            Answer::Joined(picture) => self.joined(&picture),
            Answer::Picture(picture) => self.pictured(&picture),
            Answer::Ack(ack) => self.acknowledged(&ack),
            Answer::Event(event) => self.event(&event),
            Answer::Refusal(refusal) => self.refused(&refusal),
            Answer::Gap(gap) => self.gap(&gap),
            Answer::Left { nonce, room } => self.left(nonce.as_deref(), &room),
            Answer::Nick { nonce, nick } => {
                self.take_asked(nonce.as_deref());
                self.called_otherwise(&nick);
                self.hint(format!("you are now {nick}"));
                self.effects.push(Effect::Remember);
            }
            Answer::Away { nonce, message } => {
                self.take_asked(nonce.as_deref());
                match message {
                    Some(message) => self.hint(format!("you are away: {message}")),
                    None => self.hint("you are back"),
                }
            }
            Answer::Ignored { nonce, nick, ignored } => {
                self.take_asked(nonce.as_deref());
                let word = if ignored { "you hear nothing of" } else { "you hear again what is said by" };
                self.hint(format!("{word} {nick}"));
            }
            Answer::Ignoring { nonce, nicks } => {
                self.take_asked(nonce.as_deref());
                match nicks.as_slice() {
                    [] => self.hint("you ignore nobody"),
                    nicks => self.hint(format!("you ignore {}", nicks.join(", "))),
                }
            }
            Answer::Names(names) => self.names(&names),
            Answer::Rooms(page) => self.room_list(page),
            Answer::Conversations { nonce, conversations } => {
                if let Some(Asked::Conversations) = self.take_asked(nonce.as_deref()) {
                    self.catch_up_with(&conversations);
                }
            }
            Answer::Topic { nonce, room, topic } => self.topic_is(nonce.as_deref(), &room, topic.as_ref()),
            Answer::History(page) => self.page(&page),
            Answer::Found(findings) => self.found(&findings),
            Answer::Notice(notice) => self.notice(&notice),
            // The first one comes behind all rooms: so they stand in front of the conversations, and one of them is seen.
            Answer::Pong { .. } => self.open_unread_conversations(),
            Answer::Bye(_) | Answer::Unknown => {}
        }
    }

    /// Nothing will come of what was asked for.
    pub(super) fn unanswered(&mut self, nonce: &str) {
        let asked = self.asked.remove(nonce);
        // Rooms are entered and left all the same.
        if let Some(asked) = asked.as_ref().filter(|asked| asked.is_waited_for())
            && !matches!(asked, Asked::Join { .. } | Asked::Leave)
        {
            self.undone += 1;
        }
        match asked {
            Some(Asked::Page { room, .. } | Asked::Around { room, .. }) => {
                if let Some(room) = self.room_numbered(room) {
                    room.timeline.ask_again();
                }
            }
            Some(Asked::Search) => {
                if let Some(Overlay::Search(search)) = &mut self.overlay {
                    search.progress = SearchProgress::Typing;
                }
                self.problem("the connection ended before the server had looked; search again");
            }
            Some(asked @ (Asked::Edit { .. } | Asked::Redact { .. })) => {
                self.problem("the server does not know any more what you said; nothing was changed");
                self.unchanged(asked, None);
            }
            // The link sees to where we are on the next connection.
            Some(Asked::Join { .. } | Asked::Leave | Asked::Conversations | Asked::Members { .. }) | None => {
            }
            Some(_) => self.problem("the connection ended before that was answered; try again"),
        }
    }

    pub(super) fn state_has_changed(&mut self) {
        let line = match self.link.state() {
            State::Waiting { why, .. } if self.was_online => Some(format!("{why}; trying again")),
            State::Online if self.was_online => Some("connected again".to_owned()),
            State::Over(end) if self.was_online && *end != End::Left => Some(end.to_string()),
            _ => None,
        };
        let is_online = *self.link.state() == State::Online;
        if matches!(self.link.state(), State::Over(_)) && self.medium == Medium::Lines {
            self.effects.push(Effect::Quit);
        }
        // A pong changes the latency and nothing else.
        if self.told_state.as_ref() != Some(self.link.state()) {
            self.told_state = Some(self.link.state().clone());
            if let Some(line) = line {
                self.print(format!("-- {line}"));
            }
        }
        self.was_online |= is_online;
    }

    fn welcome(&mut self, welcome: &Welcome) {
        self.called = Some(welcome.nick.clone());
        let wanted = self.wanted_nick.take();
        if let Some(wanted) = wanted.filter(|wanted| **wanted != *welcome.nick) {
            self.hint(format!("{wanted} is taken; you are {}; /nick NAME changes that", welcome.nick));
        }
        let epoch = self.epoch.replace(welcome.epoch.to_string());
        if epoch.is_some_and(|epoch| epoch != *welcome.epoch) {
            self.forget_history();
        }
        // If it still cannot write, it says so.
        self.trouble = None;
        self.conversations.clone_from(&welcome.conversations);
        self.effects.push(Effect::Remember);
    }

    /// The server has another history: sequences and the numbers of conversations mean something else now.
    fn forget_history(&mut self) {
        for before in self.before.values_mut() {
            before.read = None;
        }
        for room in &mut self.rooms {
            room.timeline.clear();
            (room.scroll, room.unread, room.mentions) = (Scroll::End, 0, 0);
            // What was to be changed is not there any more: what was typed is a message of its own.
            room.draft.editing = None;
            if let Place::Direct { conversation, .. } = &mut room.place {
                *conversation = None;
            }
        }
    }

    /// Conversations in which something was said since the client was last run.
    fn open_unread_conversations(&mut self) {
        let time = self.time;
        for conversation in self.conversations.clone() {
            let before = self.before.get_mut(&*conversation.room);
            let Some(read) = before.and_then(|before| before.read.take()) else { continue };
            if read < conversation.sequence {
                let index = self.open_conversation(&conversation.room, &conversation.with);
                let room = &mut self.rooms[index];
                // In front of what may have come since.
                room.timeline.put_hole(1, conversation.sequence, time, Why::Unread);
                room.begin_unread(read, conversation.sequence);
            }
        }
    }

    fn acknowledged(&mut self, ack: &Ack) {
        let Some(nonce) = ack.nonce.as_deref() else { return };
        let time = ack.time.unwrap_or(self.time);
        match self.asked.remove(nonce) {
            Some(Asked::Said { room: number }) => {
                let Some(pending) = self.take_pending(Some(number), nonce) else { return };
                let Some(index) = self.index_numbered(number) else { return };
                let with = match &self.rooms[index].place {
                    Place::Direct { with, .. } => Some(with.clone()),
                    Place::Room(_) => None,
                };
                // Somebody else may have the nick by now: then it was said there.
                let index = with.map_or(index, |with| self.open_conversation(&ack.room, &with));
                self.said(index, ack, pending);
            }
            Some(Asked::Message(message)) => self.message_acknowledged(ack, nonce, message),
            Some(Asked::Edit { room, target, text, .. }) => {
                if let Some(room) = self.room_numbered(room) {
                    room.timeline.edit(target, &text);
                }
            }
            Some(Asked::Redact { room, target, text }) => self.redacted(room, target, &text),
            Some(Asked::SetTopic { room, topic }) => {
                let by = self.myself();
                let Some(room) = self.room_numbered(room) else { return };
                let text = topic.as_deref().map(Shown::new);
                room.topic = text.clone().map(|text| Topic { text, by: by.nick.clone(), time });
                room.timeline.insert(ack.sequence, time, What::Topic { by, topic: text });
            }
            _ => {}
        }
    }

    /// What we said stands there now.
    pub(super) fn said(&mut self, index: usize, ack: &Ack, pending: Pending) {
        let said = Said {
            by: self.myself(),
            manner: pending.manner,
            text: pending.text,
            relation: Relation::Own,
            is_edited: false,
            is_changing: false,
        };
        let time = ack.time.unwrap_or(pending.time);
        self.rooms[index].timeline.insert(ack.sequence, time, What::Said(said));
    }

    fn event(&mut self, event: &Event) {
        self.count_happening();
        match &event.what {
            Happening::Direct { to, .. } => self.direct(event, to),
            Happening::Joined | Happening::Left | Happening::Sum { .. } => self.came_or_went(event),
            Happening::Quit { .. } => self.in_all_rooms(event, |room, nick| room.members.remove(nick)),
            Happening::Renamed { nick: new } => {
                self.in_all_rooms(event, |room, nick| room.members.rename(nick, new));
                self.rename_conversation(event, new);
            }
            Happening::Away { message } => {
                let Some(from) = &event.from else { return };
                for room in &mut self.rooms {
                    room.members.set_away(&from.nick, message.as_ref());
                }
            }
            Happening::Journal { trouble } => self.journal(trouble.as_ref()),
            _ => {
                let Some(index) = event.room.as_deref().and_then(|room| self.index_of_room(room)) else {
                    return;
                };
                self.kept(index, event);
            }
        }
    }

    /// Something that is kept happened in a room that is open.
    fn kept(&mut self, index: usize, event: &Event) {
        let Some(sequence) = event.sequence else { return };
        let room = &mut self.rooms[index];
        match &event.what {
            Happening::Edited { target, text } => {
                room.timeline.edit(*target, text);
                let line = room.timeline.kept(*target).cloned();
                if let Some(line) = line {
                    self.print_item(index, &line.what, Some("changed: "));
                }
                return;
            }
            Happening::Redacted { target, .. } => {
                room.timeline.erase(*target);
                return;
            }
            _ => {}
        }
        let Some(what) = item::what(event, &self.reader()) else { return };
        self.mark_talker(index, event.time, &what);
        let room = &mut self.rooms[index];
        if let What::Topic { by, topic } = &what {
            let by = by.nick.clone();
            room.topic = topic.clone().map(|text| Topic { text, by, time: event.time });
        }
        let is_direct = room.is_direct();
        if room.timeline.insert(sequence, event.time, what.clone()).is_some() {
            self.print_item(index, &what, None);
            self.came(index, sequence, &what, is_direct);
        }
    }

    /// Somebody may have to be told that something came.
    fn came(&mut self, index: usize, sequence: u64, what: &What, is_direct: bool) {
        let What::Said(said) = what else { return };
        if said.relation == Relation::Own {
            return;
        }
        let is_current = index == self.current;
        let focus = self.focus;
        let room = &mut self.rooms[index];
        let is_mention = is_direct || said.relation == Relation::Mention;
        let is_seen = is_current && focus != Focus::Elsewhere && room.scroll == Scroll::End;
        if !is_seen {
            if room.unread == 0 {
                room.timeline.set_marker(Some(sequence.saturating_sub(1)));
            }
            room.unread = room.unread.saturating_add(1);
            room.mentions = room.mentions.saturating_add(u32::from(is_mention));
        }
        let is_wanted = match self.options.notify_on {
            super::NotifyOn::Never => false,
            super::NotifyOn::Mention => is_mention,
            super::NotifyOn::Message => true,
        };
        let is_watched = is_current && focus == Focus::Here;
        let is_too_soon = self.notified.is_some_and(|notified| self.now < notified + NOTIFY_EVERY);
        if is_wanted && !is_watched && !is_too_soon {
            self.notified = Some(self.now);
            let room = &self.rooms[index];
            let title = match &room.place {
                Place::Room(_) => format!("{} in {}", said.by.nick, room.title()),
                Place::Direct { .. } => said.by.nick.to_string(),
            };
            let body: String = said.text.lines().next().unwrap_or_default().chars().take(200).collect();
            self.effects.push(Effect::Notify { title, body });
        }
    }

    fn direct(&mut self, event: &Event, to: &Author) {
        let (Some(from), Some(conversation)) = (&event.from, &event.room) else { return };
        let is_own = self.link.nick().is_some_and(|nick| *nick == from.nick);
        let with = if is_own { &to.nick } else { &from.nick };
        let index = self.open_conversation(conversation, with);
        self.is_who_is_called_so(index);
        self.kept(index, event);
    }

    /// What is written to this nick goes to this conversation: another one under the same nick was with somebody else.
    pub(super) fn is_who_is_called_so(&mut self, index: usize) {
        let Place::Direct { with, .. } = &self.rooms[index].place else { return };
        let key = hub::key_of(with);
        for (nth, room) in self.rooms.iter_mut().enumerate() {
            let has_nick = matches!(&room.place, Place::Direct { with, .. } if hub::key_of(with) == key);
            if has_nick {
                room.presence = if nth == index { Presence::Here } else { Presence::Gone };
            }
        }
    }

    /// The conversation of this name, opened if it is not.
    pub(super) fn open_conversation(&mut self, conversation: &Shown, with: &Shown) -> usize {
        if let Some(index) = self.index_of_room(conversation) {
            return index;
        }
        let place = Place::Direct { with: with.clone(), conversation: Some(conversation.clone()) };
        let index = self.open(place);
        if let Place::Direct { conversation: known, .. } = &mut self.rooms[index].place {
            *known = Some(conversation.clone());
        }
        index
    }

    /// We have another nick, which nobody tells of but the answer.
    fn called_otherwise(&mut self, nick: &Shown) {
        let old = self.called.replace(nick.clone());
        for room in &mut self.rooms {
            if let Some(old) = &old {
                room.members.rename(old, nick);
            }
        }
    }

    fn rename_conversation(&mut self, event: &Event, new: &Shown) {
        let Some(from) = &event.from else { return };
        for room in &mut self.rooms {
            room.talkers.rename(&from.nick, new);
            if let Place::Direct { with, .. } = &mut room.place
                && *with == from.nick
            {
                *with = new.clone();
            }
        }
    }

    fn came_or_went(&mut self, event: &Event) {
        let Some(index) = event.room.as_deref().and_then(|room| self.index_of_room(room)) else { return };
        let room = &mut self.rooms[index];
        match (&event.what, &event.from) {
            (Happening::Joined, Some(from)) => room.members.add(&from.nick, None),
            (Happening::Left, Some(from)) => drop(room.members.remove(&from.nick)),
            (Happening::Sum { arrived, departed }, _) => room.members.sum(arrived, departed),
            _ => {}
        }
        self.tell(index, event, false);
    }

    /// Something that concerns somebody wherever they are.
    fn in_all_rooms(&mut self, event: &Event, mut change: impl FnMut(&mut Room, &str) -> bool) {
        let Some(from) = &event.from else { return };
        let is_with = |room: &Room| matches!(&room.place, Place::Direct { with, .. } if *with == from.nick);
        let mut is_printed = false;
        for index in 0..self.rooms.len() {
            let room = &mut self.rooms[index];
            if change(room, &from.nick) || is_with(room) {
                is_printed |= self.tell(index, event, is_printed);
            }
        }
    }

    /// One quiet line in the timeline of a room, if the person wants to know; printed, where lines are, if it was not yet. Whether
    /// there is one.
    fn tell(&mut self, index: usize, event: &Event, is_printed: bool) -> bool {
        let wanted = self.wanted(index, event);
        let Some(what) = wanted.and_then(|event| item::what(&event, &self.reader())) else { return false };
        if !is_printed {
            self.print_item(index, &what, None);
        }
        self.rooms[index].timeline.append(event.time, what);
        true
    }

    /// What the person wants to know of those who came or went.
    fn wanted<'a>(&self, index: usize, event: &'a Event) -> Option<Cow<'a, Event>> {
        let room = &self.rooms[index];
        match self.options.arrivals {
            Arrivals::All => Some(Cow::Borrowed(event)),
            _ if room.is_direct() => Some(Cow::Borrowed(event)),
            Arrivals::None => None,
            Arrivals::Talking => room.talkers.told_of(event),
        }
    }

    fn mark_talker(&mut self, index: usize, time: Time, what: &What) {
        if self.options.arrivals == Arrivals::Talking
            && let What::Said(said) = what
            && said.by.door.is_none()
        {
            self.rooms[index].talkers.mark(&said.by.nick, time);
        }
    }

    fn journal(&mut self, trouble: Option<&Shown>) {
        let was_in_trouble = std::mem::replace(&mut self.trouble, trouble.cloned()).is_some();
        match trouble.map(|trouble| &**trouble) {
            Some("full") => {
                self.problem("the server's disk is full: what you say is not confirmed before it has room");
            }
            Some(_) => self.problem(
                "the server cannot write anything down: what you say is not confirmed before it can",
            ),
            None if was_in_trouble => self.hint("the server can write again"),
            None => {}
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let asked = self.take_asked(refusal.nonce.as_deref());
        match (&asked, &*refusal.code) {
            // It is as it was to be.
            (Some(Asked::Join { .. }), "already-in-room")
            | (Some(Asked::Leave), "not-in-room" | "no-such-room") => return,
            (Some(asked), _) if asked.is_waited_for() => self.undone += 1,
            _ => {}
        }
        match asked {
            Some(Asked::Said { room }) => self.give_back(room, refusal),
            Some(Asked::Message(message)) => self.message_refused(refusal, &message),
            Some(asked @ (Asked::Edit { .. } | Asked::Redact { .. })) => {
                self.problem(refusal.text.to_string());
                self.unchanged(asked, Some(refusal));
            }
            Some(Asked::Page { room, .. } | Asked::Around { room, .. }) => {
                let Some(room) = self.room_numbered(room) else { return };
                match &*refusal.code {
                    "nothing-kept" | "no-such-room" | "not-in-room" => room.timeline.close_holes(),
                    _ => {}
                }
                if &*refusal.code != "nothing-kept" {
                    self.problem(refusal.text.to_string());
                }
            }
            Some(Asked::Conversations | Asked::Members { .. }) => {}
            Some(Asked::Search) => {
                if let Some(Overlay::Search(search)) = &mut self.overlay {
                    search.progress = SearchProgress::Typing;
                }
                self.problem(refusal.text.to_string());
            }
            Some(Asked::Join { room }) => self.not_let_in(room, refusal),
            _ => match &refusal.room {
                Some(name) if refusal.nonce.is_none() => self.not_let_in_at_first(name, refusal),
                _ => self.problem(refusal.text.to_string()),
            },
        }
    }

    /// What was not said goes back to where it was typed.
    fn give_back(&mut self, number: u32, refusal: &Refusal) {
        let nonce = refusal.nonce.clone().unwrap_or_default();
        let pending = self.take_pending(Some(number), &nonce);
        match (self.index_numbered(number), pending) {
            (Some(index), pending) => {
                let room = &mut self.rooms[index];
                if let Some(pending) = pending.filter(|_| self.medium == Medium::Screen) {
                    room.draft.give_back(&pending.as_typed(), None);
                }
                if &*refusal.code == "not-in-room" && room.presence == Presence::Here {
                    return self.is_out_of(index, refusal);
                }
            }
            (None, Some(pending)) => self.draft_mut().keep(&pending.as_typed()),
            (None, None) => {}
        }
        self.problem(refusal.text.to_string());
    }

    fn gap(&mut self, gap: &Gap) {
        let time = self.time;
        let Some(name) = &gap.room else {
            if !self.is_asked(|asked| *asked == Asked::Conversations) {
                self.ask(Request::Conversations, Asked::Conversations);
            }
            return;
        };
        let Some(index) = self.index_of_room(name) else { return };
        let room = &mut self.rooms[index];
        let what = What::Told(Shown::new("what was said before is not kept any more"));
        match (gap.reason.as_deref(), gap.from, gap.to) {
            (Some("forgotten"), ..) => drop(room.timeline.append(time, what)),
            (_, Some(from), Some(to)) => {
                room.timeline.append_hole_from(from, to, time, Why::Skipped(gap.messages));
                let count = gap.messages.unwrap_or(0);
                let line =
                    format!("-- {}: {count} messages came too fast and were passed over", room.title());
                self.print(line);
            }
            _ => {}
        }
    }

    /// Which conversations there are, and how far each is: what is missing of them is fetched when it is looked at.
    fn catch_up_with(&mut self, conversations: &[Conversation]) {
        let time = self.time;
        for conversation in conversations {
            let index = self.open_conversation(&conversation.room, &conversation.with);
            let timeline = &mut self.rooms[index].timeline;
            if conversation.sequence > timeline.last_order() {
                timeline.append_hole(conversation.sequence, time, Why::Skipped(None));
            }
        }
    }

    fn names(&mut self, names: &Names) {
        let Some(nonce) = names.nonce.clone() else { return };
        match self.asked.remove(&nonce) {
            Some(Asked::Members { room: number, is_first }) => {
                if names.more {
                    self.asked.insert(nonce, Asked::Members { room: number, is_first: false });
                }
                let Some(room) = self.room_numbered(number) else { return };
                if is_first {
                    room.members.clear();
                }
                for person in &names.people {
                    room.members.add(&person.nick, person.away.clone());
                }
                room.members.listening = names.listening;
            }
            Some(Asked::Who { room, listed }) => {
                let mut listed = listed;
                if listed.len() < hub::TEXT_BYTES_MAX {
                    listed += &listing(names);
                }
                if names.more {
                    self.asked.insert(nonce, Asked::Who { room, listed });
                } else {
                    self.remark(room, &format!("in #{}: {listed}{}", names.room, listeners(names.listening)));
                }
            }
            _ => {}
        }
    }

    fn room_list(&mut self, page: RoomsPage) {
        let Some(nonce) = page.nonce else { return };
        let Some(Asked::Rooms) = self.take_asked(Some(&nonce)) else { return };
        if page.more {
            self.asked.insert(nonce, Asked::Rooms);
        }
        if self.medium == Medium::Lines {
            for line in &page.rooms {
                let topic = line.topic.as_ref().map(|topic| format!(": {topic}")).unwrap_or_default();
                self.print(format!("-- #{} ({}){topic}", line.room, line.members));
            }
        }
        let left = KNOWN_ROOMS_MAX.saturating_sub(self.known_rooms.len());
        self.known_rooms.extend(page.rooms.into_iter().take(left));
        if !page.more {
            self.query_has_changed();
        }
    }

    fn topic_is(&mut self, nonce: Option<&str>, name: &Shown, topic: Option<&Topic>) {
        let Some(_) = self.take_asked(nonce) else { return };
        let Some(index) = self.index_of_room(name) else { return };
        self.rooms[index].topic = topic.cloned();
        let text = match topic {
            None => format!("#{name} has no topic; /topic TEXT sets one"),
            Some(topic) => format!("the topic of #{name}, set by {}: {}", topic.by, topic.text),
        };
        self.remark(self.rooms[index].number, &text);
    }

    fn page(&mut self, page: &Page) {
        self.count_happening();
        let (number, span, target) = match self.take_asked(page.nonce.as_deref()) {
            Some(Asked::Page { room, span, last }) => {
                let (begin, end) = match span {
                    Span::After(after) => (after, page.after.unwrap_or(last)),
                    _ => (begin(page), last),
                };
                (room, (begin, end), None)
            }
            Some(Asked::Around { room, target }) => {
                let sequence = |event: Option<&Event>| event.and_then(|event| event.sequence);
                let last = sequence(page.events.last()).unwrap_or(0);
                let target = target.or_else(|| sequence(page.events.first()));
                (room, (begin(page), page.after.unwrap_or(last)), Some(target))
            }
            Some(Asked::Printed(printing)) => return self.print_past(printing, page),
            _ => return,
        };
        let Some(index) = self.index_numbered(number) else { return };
        let items = self.items_of(index, page);
        let forgotten = page.forgotten.filter(|forgotten| span.0 <= *forgotten);
        let time = page.events.first().map_or(self.time, |event| event.time);
        let room = &mut self.rooms[index];
        let before = room.timeline.items().len();
        let is_at_the_end = room.scroll == Scroll::End && target.is_none();
        let farthest = if is_at_the_end { Farthest::Oldest } else { Farthest::Newest };
        room.timeline.take_past(Past { begin: span.0, end: span.1, items }, farthest);
        if forgotten.is_some() && room.timeline.items().len() > before {
            room.timeline.say_at_the_beginning(time, "what was said before is not kept any more");
        }
        if let Some(target) = target {
            self.show_from(index, target);
        }
    }

    /// What stands on a page of a room.
    pub(super) fn items_of(&mut self, index: usize, page: &Page) -> Vec<(u64, Time, What)> {
        let reader = self.reader();
        let item = |event: &Event| Some((event.sequence?, event.time, item::what(event, &reader)?));
        let items: Vec<(u64, Time, What)> = page.events.iter().filter_map(item).collect();
        for (_, time, what) in &items {
            self.mark_talker(index, *time, what);
        }
        items
    }

    fn found(&mut self, findings: &Findings) {
        let Some(Asked::Search) = self.take_asked(findings.nonce.as_deref()) else { return };
        let reader = self.reader();
        let mut found = Vec::new();
        for event in &findings.events {
            let (Some(room), Some(sequence)) = (&event.room, event.sequence) else { continue };
            if let Some(What::Said(said)) = item::what(event, &reader) {
                found.push(Finding { room: room.clone(), sequence, time: event.time, said });
            }
        }
        if self.medium == Medium::Lines {
            self.print_findings(&found, findings.rest);
        } else if let Some(Overlay::Search(search)) = &mut self.overlay {
            search.take(found, findings.rest);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        match &notice.message {
            Some(message) => self.hint(format!("{}: {message}", notice.text)),
            None => self.hint(notice.text.to_string()),
        }
    }

    /// Something for us alone, where we asked for it.
    pub(super) fn remark(&mut self, number: u32, text: &str) {
        let time = self.time;
        for line in text.lines() {
            self.print(format!("-- {line}"));
        }
        if let Some(room) = self.room_numbered(number) {
            room.timeline.append(time, What::Remark(Text::kept(text)));
        }
    }

    pub(super) fn take_asked(&mut self, nonce: Option<&str>) -> Option<Asked> {
        self.asked.remove(nonce?)
    }

    /// For whom what happens is written down.
    fn reader(&self) -> Reader<'_> {
        Reader { nick: self.link.nick().map_or("", |nick| nick), highlights: &self.options.highlights }
    }

    fn myself(&self) -> Author {
        Author { nick: self.link.nick().cloned().unwrap_or_else(|| Shown::new("you")), door: None }
    }

    /// What is pending is shown as said by this name.
    pub(super) fn say_in(&mut self, index: usize, manner: Manner, text: Text) {
        let raw: String = text.formatted().to_owned();
        let room = &self.rooms[index];
        let number = room.number;
        let request = match (&room.place, manner) {
            (Place::Room(name), Manner::Saying) => Request::Say { room: name.to_string(), text: raw },
            (Place::Room(name), Manner::Acting) => Request::Act { room: name.to_string(), text: raw },
            (Place::Direct { with, .. }, _) => Request::Direct { to: with.to_string(), text: raw },
        };
        let nonce = self.ask(request, Asked::Said { room: number });
        let time: Time = self.time;
        let room = &mut self.rooms[index];
        room.pending.push(Pending { nonce, time, manner, text });
        room.scroll_to(Scroll::End);
        room.timeline.set_marker(None);
    }
}

/// Behind which sequence a page begins.
fn begin(page: &Page) -> u64 {
    page.before.map_or(0, |before| before.saturating_sub(1))
}

fn listing(names: &Names) -> String {
    let one = |person: &crate::wire::Person| match &person.away {
        Some(away) => format!("{} (away: {away})", person.nick),
        None => person.nick.to_string(),
    };
    let mut listed = names.people.iter().map(one).collect::<Vec<_>>().join(", ");
    if names.more {
        listed.push_str(", ");
    }
    listed
}

fn listeners(count: u32) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 only listens".to_owned(),
        count => format!("; {count} only listen"),
    }
}
