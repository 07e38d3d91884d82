//! Exports: everything once, in order, and no character that anybody wrote means anything but itself.

use super::*;
use history::{ExportError, ExportWanted, Format, Place, export};
use hub::{Fact, Manner, Party, RoomNumber, Text, Time};
use jiff::tz::{self, TimeZone};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options as Extensions, Parser, Tag, TagEnd};
use shared::facts::{ROOM, client, who};
use std::ops::ControlFlow;

/// 2026-11-20T18:05:00Z; clocks are five hours ahead.
const EVENING_MS: u64 = 1_795_197_900_000;
const MINUTE_MS: u64 = 60_000;

fn wanted(format: Format) -> ExportWanted {
    let zone = TimeZone::fixed(tz::offset(5));
    let now = Time(EVENING_MS + 60 * MINUTE_MS);
    ExportWanted { place: Place::Room("lobby".into()), format, since: None, until: None, zone, now }
}

fn exported(directory: &Directory, wanted: &ExportWanted) -> String {
    let mut bytes = Vec::new();
    export(directory.path(), wanted, &mut bytes, |_| ControlFlow::Continue(())).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn refused(directory: &Directory, wanted: &ExportWanted) -> String {
    let refused = export(directory.path(), wanted, &mut Vec::new(), |_| ControlFlow::Continue(()));
    refused.unwrap_err().to_string()
}

/// A log that begins in the evening, a minute for each fact.
fn evening(fill: impl FnOnce(&mut Log)) -> Directory {
    let mut log = Log::open();
    fill(&mut log);
    for (nth, kept) in (0..).zip(&mut log.kept) {
        kept.record.time = Time(EVENING_MS + nth * MINUTE_MS);
    }
    written(&log)
}

fn eventful_evening() -> Directory {
    evening(|log| *log = eventful())
}

#[test]
fn text_is_what_people_read_with_the_date_of_each_day() {
    let text = exported(&eventful_evening(), &wanted(Format::Text));
    let expected = "\
-- 2026-11-20
[23:06] <ann> good morning
[23:07] <bob> a typo (edited)
[23:09] [ann] set the topic: what is new
[23:10] -- a message of ann was erased
[23:13] -- the server stopped abruptly here; what was said last may be missing (numbers 9 to 13 stay unused)
[23:14] <carol> one
[23:14] <carol> two
";
    assert_eq!(text, expected);
}

#[test]
fn markdown_is_a_document() {
    let text = exported(&eventful_evening(), &wanted(Format::Markdown));
    let expected = "\
# \\#lobby

what is new

## 2026-11-20

- 23:06 **ann**: good morning
- 23:07 **bob**: a typo *(edited)*
- 23:09 *ann set the topic: what is new*
- 23:10 *a message of ann was erased*
- 23:13 *the server stopped abruptly here; what was said last may be missing (numbers 9 to 13 stay unused)*
- 23:14 **carol**: one<br>two

---

4 messages, exported by roomful on 2026-11-21 at 00:05
";
    assert_eq!(text, expected);
}

#[test]
fn page_for_a_browser_has_an_anchor_for_each_message_and_a_time_for_programs() {
    let page = exported(&eventful_evening(), &wanted(Format::Html));
    let (_, body) = page.split_once("<body>\n").unwrap();
    let expected = "\
<h1><bdi>#lobby</bdi></h1>
<p dir=\"auto\">what is new</p>
<h2><time datetime=\"2026-11-20\">2026-11-20</time></h2>
<ol>
<li id=\"28t5cy4t-1-2\"><a href=\"#28t5cy4t-1-2\"><time datetime=\"2026-11-20T23:06:00+05:00\">23:06</time></a><bdi class=\"nick\">ann</bdi>: <bdi>good morning</bdi></li>
<li id=\"28t5cy4t-1-3\"><a href=\"#28t5cy4t-1-3\"><time datetime=\"2026-11-20T23:07:00+05:00\">23:07</time></a><bdi class=\"nick\">bob</bdi>: <bdi>a typo</bdi> <span class=\"edited\">(edited)</span></li>
";
    assert!(body.starts_with(expected), "{body}");
    assert!(body.ends_with("</ol>\n<footer>4 messages, exported by roomful on 2026-11-21 at 00:05</footer>\n</body>\n</html>\n"), "{body}");
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""), "{page}");
    assert!(page.contains("<bdi>one\ntwo</bdi></li>\n"), "{page}");
}

#[test]
fn what_was_erased_is_in_no_form() {
    let directory = eventful_evening();
    for format in [Format::Text, Format::Markdown, Format::Html] {
        assert!(!exported(&directory, &wanted(format)).contains("password"), "{format:?}");
    }
}

#[test]
fn long_log_is_exported_once_and_in_pages() {
    let directory = evening(|log| {
        for nth in 0..4_321 {
            log.say("ann", &format!("line {nth}"));
        }
    });
    let (mut bytes, mut counts) = (Vec::new(), Vec::new());
    let count = |lines| {
        counts.push(lines);
        ControlFlow::Continue(())
    };
    assert_eq!(export(directory.path(), &wanted(Format::Text), &mut bytes, count).unwrap(), 4_321);
    assert_eq!(counts, [999, 1_999, 2_999, 3_999, 4_321].map(|count: u64| count + u64::from(count < 4_321)));
    let text = String::from_utf8(bytes).unwrap();
    let lines =
        text.lines().filter_map(|line| line.split_once("line ")).map(|(_, nth)| nth.parse::<u32>().unwrap());
    assert!(lines.eq(0..4_321));
}

#[test]
fn part_of_a_log_is_exported() {
    let directory = eventful_evening();
    let part = |since: Option<u64>, until: Option<u64>| {
        let moment = |minutes| Time(EVENING_MS + minutes * MINUTE_MS);
        let wanted =
            ExportWanted { since: since.map(moment), until: until.map(moment), ..wanted(Format::Text) };
        exported(&directory, &wanted)
    };
    assert_eq!(part(Some(9), None), "-- 2026-11-20\n[23:14] <carol> one\n[23:14] <carol> two\n");
    assert_eq!(part(None, Some(2)), "-- 2026-11-20\n[23:06] <ann> good morning\n");
    assert_eq!(part(Some(1), Some(2)), "-- 2026-11-20\n[23:06] <ann> good morning\n");
    assert_eq!(part(Some(2), Some(2)), "");
    assert_eq!(part(Some(100), None), "");
}

#[test]
fn room_that_is_not_there_is_answered_with_those_that_are() {
    let directory = evening(|log| {
        log.open_room(RoomNumber(2), "Dev");
        log.direct(RoomNumber(3), [Party::Client(client(1)), Party::Client(client(2))], "psst");
    });
    let room = |name: &str| ExportWanted { place: Place::Room(name.into()), ..wanted(Format::Text) };
    assert_eq!(refused(&directory, &room("debv")), "there is no room \"debv\"; there are Dev, lobby");
    assert!(refused(&directory, &room("@3")).starts_with("there is no room \"@3\""));
    assert_eq!(exported(&directory, &room("#DEV")), "");
    let conversation =
        |number| ExportWanted { place: Place::Conversation(RoomNumber(number)), ..wanted(Format::Text) };
    assert_eq!(exported(&directory, &conversation(3)), "-- 2026-11-20\n[23:07] <ann to bob> psst\n");
    assert_eq!(
        refused(&directory, &conversation(1)),
        "@1 is no conversation but the room #lobby, which is exported by its name"
    );
    assert_eq!(refused(&directory, &conversation(9)), "there is no conversation @9");
    let in_markdown = ExportWanted { format: Format::Markdown, ..conversation(3) };
    assert!(exported(&directory, &in_markdown).contains("- 23:07 **ann** to **bob**: psst\n"));
}

#[test]
fn export_can_be_broken_off_and_may_meet_an_end() {
    let directory = eventful_evening();
    let stop = export(directory.path(), &wanted(Format::Text), &mut Vec::new(), |_| ControlFlow::Break(()));
    assert!(matches!(stop, Err(ExportError::Interrupted)));
    let mut no_room = [0_u8; 10];
    let full =
        export(directory.path(), &wanted(Format::Text), &mut &mut no_room[..], |_| ControlFlow::Continue(()));
    assert!(matches!(full, Err(ExportError::Write(_))));
}

#[test]
fn export_goes_on_beside_a_journal_that_writes() {
    let mut log = Log::open();
    let directory = Directory::new();
    let mut journal = journal(directory.path());
    for _ in 0..3_000 {
        log.say("ann", "hello");
    }
    journal.commit(&log.batch(0)).unwrap();
    let write_on = |_| {
        let begin = log.kept.len();
        log.say("ann", "later");
        journal.commit(&log.batch(begin)).unwrap();
        ControlFlow::Continue(())
    };
    let mut bytes = Vec::new();
    let lines = export(directory.path(), &wanted(Format::Text), &mut bytes, write_on).unwrap();
    assert_eq!(lines, 3_000, "what was there when it began");
}

/// What people may write to break out of a document.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</bdi></li></ol><img src=x onerror=alert(1)>",
    "\"'><a href=javascript:alert(1)>x</a>",
    "&lt;b&gt; &amp; &#60;",
    "<!-- ]]> -->",
    "**bold** __bold__ *i* _i_ ~~gone~~ `code` ``co`de``",
    "[link](javascript:alert(1)) ![image](x) [a]: b [^1] <http://x.example>",
    "# no heading",
    "a\n# no heading\n- no item\n1. no item\n> no quote\n    no code\n```\nno fence\n---\n===\n| a | b |\n|---|---|",
    "trailing backslash \\",
    "\\* \\\\ \\<b>",
    "$x$ $$y$$ :smile: @ann #1 &copy;",
    "a  \nb\\\nc",
    "* * *",
    "</style></head><body>",
];

/// The texts of the items of a document in Markdown, as a reader of Markdown with all its additions finds them; line breaks as line feeds. Anything
/// in a text that means something fails.
fn items(document: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut is_in_item = false;
    for event in Parser::new_ext(document, Extensions::all() - Extensions::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::Item) => {
                is_in_item = true;
                items.push(String::new());
            }
            Event::End(TagEnd::Item) => is_in_item = false,
            Event::Text(text) if is_in_item => items.last_mut().unwrap().push_str(&text),
            Event::InlineHtml(html) if is_in_item && &*html == "<br>" => items.last_mut().unwrap().push('\n'),
            Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => {}
            other if is_in_item => panic!("{other:?} in {document}"),
            _ => {}
        }
    }
    items
}

fn assert_means_only_itself(said: &str) {
    let clean = Text::new(said).unwrap();
    let shown = clean.lines().collect::<Vec<_>>().join("\n");
    let directory = evening(|log| {
        log.say("ann_*x", said);
    });
    let document = exported(&directory, &wanted(Format::Markdown));
    // Blanks at the end of a line are nothing in Markdown.
    let item = items(&document).pop().unwrap();
    assert_eq!(item.trim_end(), format!("23:06 ann_*x: {shown}").trim_end(), "{document}");
    let page = exported(&directory, &wanted(Format::Html));
    let (_, body) = page.split_once("<bdi class=\"nick\">ann_*x</bdi>: <bdi>").unwrap();
    let (body, _) = body.split_once("</bdi></li>\n</ol>\n<footer>").unwrap();
    assert!(!body.contains(['<', '>', '"', '\'']), "{body}");
    let unescaped =
        ["&lt;<", "&gt;>", "&quot;\"", "&#39;'", "&amp;&"].iter().fold(body.to_owned(), |text, pair| {
            let (escape, character) = pair.split_at(pair.len() - 1);
            text.replace(escape, character)
        });
    assert_eq!(unescaped, shown);
}

#[test]
fn hostile_texts_mean_only_themselves() {
    for said in HOSTILE {
        assert_means_only_itself(said);
    }
}

#[test]
fn hostile_topics_and_actions_mean_only_themselves() {
    let directory = evening(|log| {
        log.set_topic("<script>*x*</script>");
        let author = hub::Author::Member(who("ann"));
        let text = shared::facts::text("<b>*waves*</b>");
        let (room, manner, signature) = (ROOM, Manner::Acting, None);
        log.put(ROOM, Fact::Said { author, room, text, manner, signature });
    });
    let page = exported(&directory, &wanted(Format::Html));
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    assert!(page.contains("* <bdi class=\"nick\">ann</bdi> <bdi>&lt;b&gt;*waves*&lt;/b&gt;</bdi>"), "{page}");
    let document = exported(&directory, &wanted(Format::Markdown));
    assert!(document.contains("\n\\<script\\>\\*x\\*\\</script\\>\n"), "{document}");
    assert!(document.contains("\n- 23:07 \\* **ann** \\<b\\>\\*waves\\*\\</b\\>\n"), "{document}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_punctuation_means_only_itself(said in "[a ]?[!-/:-@\\[-`{-~a1\n ]{1,40}") {
        prop_assume!(Text::new(&said).is_ok());
        assert_means_only_itself(&said);
    }
}
