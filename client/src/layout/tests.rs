//! What stands where, of models as they come and of any at all.

use super::rows::Row;
use super::*;
use crate::model::sample::{self, DAY, MINUTE};
use crate::model::{Hole, MembersShown, Model, Scroll, Weight, What, Why};
use proptest::prelude::*;
use ratatui::layout::Rect;

fn texts(model: &Model) -> Vec<String> {
    let rows = Sheet::of(model).map(|sheet| sheet.visible().rows).unwrap_or_default();
    rows.iter().map(text).collect()
}

fn text(row: &Row) -> String {
    row.parts.iter().map(|part| part.text.as_str()).collect::<String>().trim_end().into()
}

fn room_of_numbers(rows: u16) -> Model {
    let mut model = sample::online(58, rows);
    let room = model.sample_room("lobby");
    for number in 0..100 {
        room.say(number, "bob", &format!("number {number}"));
    }
    model
}

fn numbers(model: &Model) -> Vec<usize> {
    let number = |text: &String| text.rsplit_once("number ").and_then(|(_, number)| number.parse().ok());
    texts(model).iter().filter_map(number).collect()
}

#[test]
fn words_hang_beside_names_where_there_is_room() {
    let mut model = sample::online(58, 12);
    let text = "the quick brown fox jumps over the lazy dog\nsecond line";
    model.sample_room("lobby").say(1, "bob", text).act(2, "cy", "waves").say(3, &"漢".repeat(32), "你好");
    assert_eq!(
        texts(&model),
        [
            "── Monday, 5 January 2026 ────────────────────────────────",
            " 12:01          bob  the quick brown fox jumps over the",
            "                     lazy dog",
            "                     second line",
            " 12:02            *  cy waves",
            " 12:03  漢漢漢漢漢…  你好",
        ]
    );
}

#[test]
fn words_hang_below_names_where_there_is_little() {
    let mut model = sample::online(40, 12);
    let text = "the quick brown fox jumps over the lazy dog\nsecond line";
    model.sample_room("lobby").say(1, "bob", text).act(2, "cy", "waves").say(3, &"漢".repeat(32), "你好");
    assert_eq!(
        texts(&model)[1..],
        [
            " 12:01 bob: the quick brown fox jumps",
            "       over the lazy dog",
            "       second line",
            " 12:02 * cy waves",
            " 12:03 漢漢漢漢漢漢…: 你好",
        ]
    );
}

#[test]
fn nothing_that_is_said_stands_where_times_and_names_do() {
    let hostile = "── Monday, 5 January 2026 ──\n 12:00 bob: no\n━━ new ━━\n\t12:00\tbob\tno";
    for columns in [24, 32, 40, 58, 90] {
        let mut model = sample::online(columns, 20);
        model.sample_room("lobby").say(1, "eve", hostile);
        let sheet = Sheet::of(&model).expect("there is a room");
        let rows = sheet.visible().rows;
        for row in &rows[1..] {
            let said = row.parts.iter().position(|part| part.role == Role::Said).expect("words");
            let gutter: String = row.parts[..said].iter().map(|part| part.text.as_str()).collect();
            assert!(columns_of(&gutter) >= 2 && !gutter.contains("bob"), "{}", text(row));
            assert!(row.parts[said..].iter().all(|part| part.role == Role::Said));
        }
    }
}

#[test]
fn doors_are_no_members_and_say_so_however_long_their_names_are() {
    let mut model = sample::online(58, 12);
    let room = model.sample_room("lobby");
    room.say_by_door(1, ("build", "hook"), "ok").say_by_door(2, ("a-very-long-label", "hook"), "ok");
    assert_eq!(texts(&model)[1..], [" 12:01 build (hook)  ok", " 12:02 a-ve… (hook)  ok"]);
}

#[test]
fn marker_and_days_stand_above_what_they_begin() {
    let mut model = sample::online(58, 12);
    let room = model.sample_room("lobby");
    room.say(1, "bob", "yesterday").mark().say(DAY / MINUTE, "bob", "today").say(DAY / MINUTE, "bob", "more");
    assert_eq!(
        texts(&model),
        [
            "── Monday, 5 January 2026 ────────────────────────────────",
            " 12:01          bob  yesterday",
            "── Tuesday, 6 January 2026 ───────────────────────────────",
            "━━ new ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
            " 12:00          bob  today",
            " 12:00          bob  more",
        ]
    );
}

#[test]
fn marker_behind_everything_is_not_shown() {
    let mut model = sample::online(58, 12);
    model.sample_room("lobby").say(1, "bob", "old").mark();
    assert_eq!(texts(&model).len(), 2);
}

#[test]
fn end_is_seen_until_one_scrolls() {
    let mut model = room_of_numbers(13);
    assert_eq!(numbers(&model), (90..100).collect::<Vec<_>>());
    let scroll = Sheet::of(&model).expect("a room").scrolled(-5);
    model.room_mut().scroll = scroll;
    model.room_mut().say(200, "bob", "number 100");
    assert_eq!(numbers(&model), (85..95).collect::<Vec<_>>());
    let sheet = Sheet::of(&model).expect("a room");
    assert_eq!((sheet.visible().items, sheet.below()), (85..95, 6));
    assert_eq!(sheet.scrolled(5), Scroll::At { item: 99, row: 0 });
    assert_eq!(sheet.scrolled(6), Scroll::End);
    assert_eq!(sheet.scrolled(isize::MAX), Scroll::End);
}

#[test]
fn beginning_is_at_the_top_and_not_further_down() {
    let mut model = room_of_numbers(13);
    for scroll in [
        Sheet::scrolled(&Sheet::of(&model).expect("a room"), isize::MIN),
        Sheet::of(&model).expect("a room").top(),
    ] {
        model.room_mut().scroll = scroll;
        assert!(texts(&model)[0].starts_with("── Monday"));
        assert_eq!(numbers(&model), (0..9).collect::<Vec<_>>());
    }
    let sheet = Sheet::of(&model).expect("a room");
    assert_eq!(sheet.scrolled(-1), model.room().expect("a room").scroll);
}

#[test]
fn item_that_is_gone_counts_as_the_end() {
    let mut model = room_of_numbers(13);
    model.room_mut().scroll = Scroll::At { item: 5_000, row: 0 };
    assert_eq!(numbers(&model), (90..100).collect::<Vec<_>>());
    let sheet = Sheet::of(&model).expect("a room");
    assert_eq!(sheet.scroll_to(5_000), Scroll::End);
    assert_eq!(sheet.scroll_to(50), Scroll::At { item: 55, row: 0 });
    assert_eq!(sheet.scroll_to(99), Scroll::End);
}

#[test]
fn long_list_is_seen_around_what_is_chosen() {
    for (chosen, window) in [(0, 0..5), (2, 0..5), (3, 1..6), (9, 5..10)] {
        assert_eq!(super::window(10, chosen, 5), window);
    }
    assert_eq!((super::window(3, 2, 5), super::window(3, 2, 0)), (0..3, 2..2));
    assert_eq!((scrolled_window(10, 3, 5), scrolled_window(10, 9, 5)), (3..8, 5..10));
}

#[test]
fn click_finds_its_room() {
    let mut model = sample::online(80, 12);
    for name in ["lobby", "dev", "ops"] {
        model.sample_room(name);
    }
    assert_eq!((room_at(&model, 0, 0), room_at(&model, 13, 2)), (Some(0), Some(2)));
    assert_eq!((room_at(&model, 15, 0), room_at(&model, 0, 3)), (None, None));
}

#[test]
fn help_says_what_every_key_and_command_does_in_any_width() {
    for columns in [10, 40, 56, 120] {
        let rows = help_rows(Rect::new(0, 0, columns, 9));
        let all = rows.iter().map(text).collect::<Vec<_>>().join("\n");
        for word in ["PageUp", "Ctrl-K", "/join ROOM", "/quit"] {
            assert!(all.contains(word), "{word}");
        }
        let said = rows.iter().flat_map(|row| &row.parts).filter(|part| part.role == Role::Said);
        assert!(columns < 20 || said.into_iter().all(|part| columns_of(&part.text) < columns.into()));
    }
}

#[test]
fn short_timeline_has_nowhere_to_scroll() {
    let mut model = sample::online(58, 12);
    model.sample_room("lobby").say(1, "bob", "one").say(2, "bob", "two").say_pending(3, "three\nfour");
    let sheet = Sheet::of(&model).expect("a room");
    assert_eq!(texts(&model).last().map(String::as_str), Some("                     four"));
    for rows in [-100, -1, 0, 1, 100] {
        assert_eq!(sheet.scrolled(rows), Scroll::End);
    }
}

#[test]
fn what_is_not_acknowledged_is_scrolled_over() {
    let mut model = room_of_numbers(13);
    model.room_mut().say_pending(300, "one\ntwo").say_pending(301, "three");
    let up = Sheet::of(&model).expect("a room").scrolled(-1);
    assert_eq!(up, Scroll::At { item: 99, row: 0 });
    model.room_mut().scroll = up;
    assert_eq!(Sheet::of(&model).expect("a room").scrolled(1), Scroll::End);
}

#[test]
fn links_lead_where_they_say_also_over_two_rows() {
    let mut model = sample::online(40, 12);
    let link = "https://example.org/a/rather/long/path/that/takes/two/rows";
    model.sample_room("lobby").say(1, "bob", "http://one.example, and").say(2, "bob", &format!("({link})"));
    let visible = Sheet::of(&model).expect("a room").visible();
    assert_eq!(visible.links(), [link, "http://one.example"]);
    let parts = visible.rows.iter().flat_map(|row| &row.parts);
    let shown: String =
        parts.filter(|part| part.link.as_deref() == Some(link)).map(|part| &*part.text).collect();
    assert_eq!(shown, link);
}

#[test]
fn screen_grows_from_the_timeline_alone_to_all_of_it() {
    let mut model = sample::online(59, 24);
    model.sample_room("lobby").meet("ann", None).meet("bob", None);
    let regions = Regions::of(&model);
    assert_eq!((regions.rooms, regions.members), (None, None));
    assert_eq!(regions.timeline, Rect::new(0, 1, 59, 21));
    let model = model.resized(60, 24);
    assert_eq!(Regions::of(&model).rooms, Some(Rect::new(0, 0, 15, 22)));
    assert_eq!(Regions::of(&model).members, None);
    let mut model = model.resized(100, 24);
    assert_eq!(Regions::of(&model).members, Some(Rect::new(86, 0, 14, 22)));
    model.options_mut().members = MembersShown::Never;
    assert_eq!(Regions::of(&model).members, None);
    let mut model = model.resized(50, 24);
    model.options_mut().members = MembersShown::Always;
    assert!(Regions::of(&model).members.is_some());
}

#[test]
fn input_grows_with_the_draft_up_to_a_third() {
    let mut model = sample::online(40, 24);
    model.sample_room("lobby").draft.line.paste(&"line\n".repeat(3));
    assert_eq!(Regions::of(&model).input, Rect::new(0, 20, 40, 4));
    model.room_mut().draft.line.paste(&"line\n".repeat(100));
    assert_eq!(Regions::of(&model).input.height, 8);
    assert_eq!(Regions::of(&model.resized(40, 3)).input, Rect::new(0, 2, 40, 1));
}

#[derive(Clone, Debug)]
enum Deed {
    Say(String, String),
    Act(String),
    Told(String),
    Remark(String),
    Hole(u64),
    Pending(String),
    Mark,
    Erase,
    Edit(String),
}

fn deed() -> impl Strategy<Value = Deed> {
    let words = || "[a-z 漢👩🇩🇪\u{301}\u{200d}\t\nא]{0,80}";
    prop_oneof![
        ("[a-z漢]{1,32}", words()).prop_map(|(nick, text)| Deed::Say(nick, text)),
        words().prop_map(Deed::Act),
        words().prop_map(Deed::Told),
        words().prop_map(Deed::Remark),
        (1_u64..9).prop_map(Deed::Hole),
        words().prop_map(Deed::Pending),
        Just(Deed::Mark),
        Just(Deed::Erase),
        words().prop_map(Deed::Edit),
    ]
}

fn apply(model: &mut Model, deeds: Vec<Deed>) {
    let room = model.sample_room("a-room-with-quite-a-long-name-漢字漢字");
    for (minutes, deed) in (0..).step_by(200).zip(deeds) {
        let text = |text: &str| hub::Text::kept(text);
        match deed {
            Deed::Say(nick, text) => room.say(minutes, &nick, &text),
            Deed::Act(words) => room.act(minutes, "bob", &words),
            Deed::Told(words) => room.tell(minutes, What::Told((&*words).into())),
            Deed::Remark(words) => room.tell(minutes, What::Remark(text(&words))),
            Deed::Hole(length) => {
                let first = room.timeline.last_order() + 1;
                let (last, why) = (first + length, Why::Skipped(Some(length)));
                room.tell(minutes, What::Hole(Hole { first, last, why, is_asked: false }))
            }
            Deed::Pending(words) => room.say_pending(minutes, &words),
            Deed::Mark => room.mark(),
            Deed::Erase => room.erase_last(),
            Deed::Edit(words) => room.edit_last(&words),
        };
    }
}

proptest! {
    #[test]
    fn any_model_fits_on_any_screen(
        columns in 0_u16..130, rows in 0_u16..40, deeds in proptest::collection::vec(deed(), 0..20),
        draft in "[a漢\n]{0,60}", has_note in any::<bool>(), scrolls in proptest::collection::vec(-30_isize..30, 0..5),
    ) {
        let mut model = sample::online(columns, rows);
        apply(&mut model, deeds);
        model.room_mut().draft.line.paste(&draft);
        if has_note {
            model.sample_note("something", Weight::Hint);
        }
        let regions = Regions::of(&model);
        let all = [Some(regions.title), Some(regions.timeline), Some(regions.status), Some(regions.input),
            regions.rooms, regions.members, regions.note];
        let all: Vec<Rect> = all.into_iter().flatten().collect();
        let screen = Rect::new(0, 0, columns, rows);
        for (nth, region) in all.iter().enumerate() {
            prop_assert!(region.is_empty() || screen.intersection(*region) == *region, "{:?}", region);
            prop_assert!(all[..nth].iter().all(|other| other.intersection(*region).is_empty()));
        }
        for scroll in scrolls {
            let sheet = Sheet::of(&model).expect("a room");
            let before = sheet.visible();
            let to = sheet.scrolled(scroll);
            model.room_mut().scroll = to;
            let sheet = Sheet::of(&model).expect("a room");
            let visible = sheet.visible();
            prop_assert!(visible.rows.len() <= regions.timeline.height.into());
            prop_assert!(visible.rows.len() >= before.rows.len());
            let near = sheet.items_near();
            prop_assert!(near.start <= visible.items.start && near.end <= visible.items.end);
            for row in &visible.rows {
                let wide: usize = row.parts.iter().map(|part| columns_of(&part.text)).sum();
                // Where there is no room for a single character, the screen's edge cuts.
                prop_assert!(columns < 16 || wide <= regions.timeline.width.into(), "{:?}", row);
            }
        }
    }
}
