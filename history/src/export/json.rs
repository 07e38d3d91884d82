//! JSON lines: a head, an object for each fact as the protocol has it, and an end. What an import reads.
//!
//! Where it stands: one of the forms of an export; the JSON dialect writes the facts. `docs/operating.md` has an example.
//!
//! What this file must never do: leave out a number under which there is something: an import would take it for lost.

use super::about::About;
use super::{Form, Part, Whole};
use dialect::json::write_past;
use hub::{Sequence, Shape, Time, Topic};
use jiff::Timestamp;
use std::io::Write as _;

/// Whoever changes what the objects mean counts it up.
pub(crate) const VERSION: u64 = 1;

#[derive(Default)]
pub(super) struct Json {
    objects: u64,
}

// Writing to a vector cannot fail.
impl Form for Json {
    fn shape(&self) -> Shape {
        Shape::Facts
    }

    fn begin(&mut self, whole: &Whole<'_>, bytes: &mut Vec<u8>) {
        let About { epoch, room, topic, .. } = whole.about;
        let (name, exported) = (text(&room.name), moment(whole.wanted.now));
        let topic = topic.as_ref().map_or("null".to_owned(), topic_object);
        let _ = writeln!(
            bytes,
            "{{\"type\":\"export\",\"version\":{VERSION},\"room\":{name},\"epoch\":\"{epoch}\",\"topic\":{topic},\
             \"exported\":{exported}}}"
        );
    }

    fn page(&mut self, whole: &Whole<'_>, part: &Part, bytes: &mut Vec<u8>) {
        let mut voids = part.voids.iter().copied().peekable();
        for past in &part.lines {
            let sequence = past.event.sequence().unwrap_or_default();
            while let Some(void) = voids.next_if(|void| *void < sequence) {
                self.void(void, bytes);
            }
            write_past(whole.about.epoch, past, bytes);
            self.objects += 1;
        }
        for void in voids {
            self.void(void, bytes);
        }
    }

    fn end(&mut self, _: &Whole<'_>, _: u64, bytes: &mut Vec<u8>) {
        let _ = writeln!(bytes, "{{\"type\":\"end\",\"objects\":{}}}", self.objects);
    }
}

impl Json {
    fn void(&mut self, sequence: Sequence, bytes: &mut Vec<u8>) {
        self.objects += 1;
        let _ = writeln!(bytes, "{{\"type\":\"void\",\"sequence\":{}}}", sequence.0);
    }
}

fn topic_object(topic: &Topic) -> String {
    let (words, by, time) = (text(&topic.text.shown()), text(&topic.by), moment(topic.time));
    format!("{{\"text\":{words},\"from\":{{\"nick\":{by}}},\"time\":{time}}}")
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As the dialect writes it.
fn moment(time: Time) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let timestamp = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    format!("\"{timestamp:.3}\"")
}
