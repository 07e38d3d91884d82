//! The questions: who is here, which rooms there are, what the topic is. Long answers come in pages, each with the key
//! behind which the next begins, so that the names of ten thousand members are never one message.

use crate::command::{Among, Place, Presence};
use crate::event::{Event, Present, RoomLine};
use crate::hub::{Hub, RoomKind};
use crate::ids::{MemberId, RoomNumber};
use crate::names::key_of;
use crate::refusal::Refusal;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

/// If more begin with what was typed, more has to be typed.
const BEGIN_SO_MAX: usize = 1000;

fn beginning_with<T: Copy>(all: &BTreeMap<Arc<str>, T>, key: &str) -> Result<Vec<T>, Refusal> {
    let behind = all.range::<str, _>((Bound::Included(key), Bound::Unbounded));
    let mut found = behind.take_while(|(name, _)| name.starts_with(key)).map(|(_, what)| *what);
    let names = found.by_ref().take(BEGIN_SO_MAX).collect();
    if found.next().is_some() { Err(Refusal::TooManyBeginSo(BEGIN_SO_MAX as u32)) } else { Ok(names) }
}

impl Hub {
    /// `None` if the member is not in that room any more: then there is nothing to be missed either.
    pub(crate) fn answer_picture(&self, member: MemberId, room: RoomNumber) -> Option<Event> {
        if self.may_read(member, room) { self.view(room, member).map(Event::Pictured) } else { None }
    }

    pub(crate) fn answer_topic(&self, member: MemberId, place: &Place) -> Result<Event, Refusal> {
        let (number, room) = self.seen_room(member, place)?;
        let room_ref = self.room_ref(number).ok_or_else(|| Refusal::NoSuchRoom(self.place_name(place)))?;
        Ok(Event::TopicIs { room: room_ref, topic: room.topic.clone() })
    }

    pub(crate) fn answer_who(
        &self,
        member: MemberId,
        place: &Place,
        after: Option<MemberId>,
    ) -> Result<Event, Refusal> {
        let (number, room) = self.seen_room(member, place)?;
        let room_ref = self.room_ref(number).ok_or_else(|| Refusal::NoSuchRoom(self.place_name(place)))?;
        let page = self.settings.page_lines_max;
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ids = room.members.range((behind, Bound::Unbounded)).copied();
        let on_page: Vec<MemberId> = ids.by_ref().take(page).collect();
        let next = ids.next().and(on_page.last().copied());
        let mut names: Vec<Present> = on_page
            .iter()
            .filter_map(|id| self.members.get(id))
            .map(|member| Present { nick: member.nick.shown.clone(), away: member.away().cloned() })
            .collect();
        names.sort_by(|one, other| one.nick.cmp(&other.nick));
        Ok(Event::Names { room: room_ref, names, listening: room.listeners.len() as u32, next })
    }

    pub(crate) fn answer_rooms(&self, after: Option<&str>) -> Event {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut names = self.names.range::<str, _>((behind, Bound::Unbounded));
        let mut rooms = Vec::new();
        let mut last: Option<&Arc<str>> = None;
        for (key, number) in names.by_ref().take(self.settings.page_lines_max) {
            last = Some(key);
            rooms.extend(self.room_line(*number));
        }
        let next = names.next().and(last).cloned();
        Event::RoomList { rooms, next }
    }

    /// Looks at no more than [`BEGIN_SO_MAX`], so that nobody's typing makes the server search for long.
    pub(crate) fn answer_complete(
        &self,
        member: MemberId,
        among: Among,
        beginning: &str,
    ) -> Result<Event, Refusal> {
        let key = key_of(beginning);
        let names = match among {
            Among::Nicks => beginning_with(&self.nicks, &key)?
                .into_iter()
                .filter(|other| self.shares_room(member, *other))
                .filter_map(|other| self.who(other).map(|who| who.nick))
                .collect(),
            Among::Rooms => beginning_with(&self.names, &key)?
                .into_iter()
                .filter(|room| self.may_see(member, *room))
                .filter_map(|room| self.room_ref(room).map(|room| room.name))
                .collect(),
        };
        Ok(Event::Completions { names })
    }

    /// Whether another can be seen in a room where one is oneself.
    fn shares_room(&self, member: MemberId, other: MemberId) -> bool {
        self.members.get(&other).is_some_and(|other| {
            let is_visible = other.presence() == Presence::Visible;
            is_visible && other.rooms.iter().any(|room| self.is_in(member, *room))
        })
    }

    fn room_line(&self, number: RoomNumber) -> Option<RoomLine> {
        let room = self.rooms.get(&number)?;
        let RoomKind::Open(name) = &room.kind else { return None };
        let topic = room.topic.as_ref().map(|topic| topic.text.clone());
        Some(RoomLine { name: name.shown.clone(), members: room.members.len() as u32, topic })
    }

    pub(crate) fn answer_ignored(&self, member: MemberId) -> Event {
        let ignored = self.members.get(&member).into_iter().flat_map(|member| member.ignored());
        let mut nicks: Vec<Arc<str>> =
            ignored.filter_map(|id| self.members.get(&id).map(|other| other.nick.shown.clone())).collect();
        nicks.sort();
        Event::IgnoreList { nicks }
    }

    fn seen_room(&self, member: MemberId, place: &Place) -> Result<(RoomNumber, &crate::hub::Room), Refusal> {
        let not_there = || Refusal::NoSuchRoom(self.place_name(place));
        let number = self.find_room(place)?;
        if !self.may_see(member, number) {
            return Err(not_there());
        }
        let room = self.rooms.get(&number).ok_or_else(not_there)?;
        Ok((number, room))
    }
}
