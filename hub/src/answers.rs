//! The questions: who is here, which rooms there are, what the topic is. Long answers come in pages, each with the key
//! behind which the next begins, so that the names of ten thousand members are never one message.

use crate::command::Place;
use crate::event::{Event, Present, RoomLine};
use crate::hub::{Hub, RoomKind};
use crate::ids::{MemberId, RoomNumber};
use crate::refusal::Refusal;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

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
