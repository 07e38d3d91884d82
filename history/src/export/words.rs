//! What a message is to people, before it is written for a screen or a page.
//!
//! Where it stands: under the forms that are documents. Nothing here is escaped yet.
//!
//! What this file must never do: show a text but through `Text::lines` and `Line::shown`.

use super::Whole;
use super::about::About;
use hub::{Author, Event, Manner, MessageId, Past, Text, Time};
use jiff::{Timestamp, Zoned};

/// A message as it is told in a document.
pub(super) enum Words {
    /// Somebody said something.
    Said {
        /// Who.
        name: String,
        /// To whom, in a conversation.
        to: Option<String>,
        /// The text, with line feeds in it.
        text: String,
        /// Said or done.
        manner: Manner,
    },
    /// Something happened.
    News(String),
}

/// `None` for what nobody is told.
pub(super) fn words(event: &Event) -> Option<Words> {
    Some(match event {
        Event::Said { author, text, manner, .. } => {
            Words::Said { name: name_of(author), to: None, text: whole(text), manner: *manner }
        }
        Event::Directed { from, to, text, .. } => Words::Said {
            name: from.nick.to_string(),
            to: Some(to.nick.to_string()),
            text: whole(text),
            manner: Manner::Saying,
        },
        Event::TopicSet { by, topic: Some(topic), .. } => {
            Words::News(format!("{} set the topic: {}", by.nick, topic.shown()))
        }
        Event::TopicSet { by, topic: None, .. } => Words::News(format!("{} cleared the topic", by.nick)),
        Event::Erased { author, .. } => Words::News(format!("a message of {} was erased", name_of(author))),
        Event::Lost { from, to, .. } => Words::News(format!(
            "the server stopped abruptly here; what was said last may be missing (numbers {} to {} stay unused)",
            from.0, to.0
        )),
        _ => return None,
    })
}

/// A nick; behind that of a door stands what kind it is.
fn name_of(author: &Author) -> String {
    match author {
        Author::Member(who) => who.nick.to_string(),
        Author::Door { kind, label } => format!("{label} ({})", kind.word()),
    }
}

fn whole(text: &Text) -> String {
    text.lines().collect::<Vec<_>>().join("\n")
}

/// What the document is called.
pub(super) fn title(about: &About) -> String {
    match &about.between {
        None => format!("#{}", about.room.name),
        Some([one, other]) => format!("{one} and {other}"),
    }
}

pub(super) fn topic(about: &About) -> Option<String> {
    about.topic.as_ref().map(|topic| topic.text.shown().into_owned())
}

/// What names this message everywhere.
pub(super) fn id(about: &About, past: &Past) -> Option<String> {
    let sequence = past.event.sequence()?;
    Some(MessageId { epoch: about.epoch, room: about.room.number, sequence }.to_string())
}

/// What the readers' clocks showed. What lies beyond the calendar is at its end.
pub(super) fn local(whole: &Whole<'_>, time: Time) -> Zoned {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(whole.wanted.zone.clone())
}

/// Under the last message: how many there are, and where they came from.
pub(super) fn colophon(whole: &Whole<'_>, messages: u64) -> String {
    let word = if messages == 1 { "message" } else { "messages" };
    let now = local(whole, whole.wanted.now);
    format!("{messages} {word}, exported by roomful on {}", now.strftime("%Y-%m-%d at %H:%M"))
}
