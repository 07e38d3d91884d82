//! Objects of JSON, written member by member (RFC 8259).
//!
//! Where it stands: under all that a client is told. Strings go through `serde_json`, so that whatever people wrote is a string
//! and nothing else, on one line.
//!
//! What this file must never do: allocate for what it writes, or write a key that is not a constant of the program.

/// An object that is being written. Keys are constants of the program and need no escapes.
pub(super) struct Object<'a> {
    bytes: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    /// Writes a line: one object that begins with its type.
    pub(super) fn line(bytes: &mut Vec<u8>, kind: &str, members: impl FnOnce(&mut Object<'_>)) {
        Object::write(bytes, |object| {
            object.text("type", kind);
            members(object);
        });
        bytes.push(b'\n');
    }

    fn write(bytes: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
        bytes.push(b'{');
        members(&mut Object { bytes, is_empty: true });
        bytes.push(b'}');
    }

    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.bytes.push(b',');
        }
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.bytes
    }

    pub(super) fn text(&mut self, key: &'static str, text: &str) {
        write_text(text, self.key(key));
    }

    pub(super) fn maybe_text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    pub(super) fn text_or_null(&mut self, key: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.null(key),
        }
    }

    pub(super) fn number(&mut self, key: &'static str, number: u64) {
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(self.key(key), &number);
    }

    pub(super) fn maybe_number(&mut self, key: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(key, number);
        }
    }

    pub(super) fn truth(&mut self, key: &'static str, truth: bool) {
        let word: &[u8] = if truth { b"true" } else { b"false" };
        self.key(key).extend_from_slice(word);
    }

    pub(super) fn null(&mut self, key: &'static str) {
        self.key(key).extend_from_slice(b"null");
    }

    pub(super) fn object(&mut self, key: &'static str, members: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.key(key), members);
    }

    /// A list of texts.
    pub(super) fn texts<'t>(&mut self, key: &'static str, texts: impl IntoIterator<Item = &'t str>) {
        list(self.key(key), texts, write_text);
    }

    /// A list of objects, one for each of these things.
    pub(super) fn objects<T>(
        &mut self,
        key: &'static str,
        things: impl IntoIterator<Item = T>,
        members: impl Fn(T, &mut Object<'_>),
    ) {
        list(self.key(key), things, |thing, bytes| Object::write(bytes, |object| members(thing, object)));
    }
}

fn list<T>(bytes: &mut Vec<u8>, things: impl IntoIterator<Item = T>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    bytes.push(b'[');
    for (nth, thing) in things.into_iter().enumerate() {
        if nth > 0 {
            bytes.push(b',');
        }
        write(thing, bytes);
    }
    bytes.push(b']');
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(bytes, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut bytes = Vec::new();
        Object::line(&mut bytes, "all", |object| {
            object.text("text", "\"\\\n\u{1}é🦀\u{2028}");
            object.maybe_text("none", None);
            object.text_or_null("null", None);
            object.number("number", u64::MAX);
            object.maybe_number("none", None);
            object.truth("truth", true);
            object.object("object", |object| object.truth("truth", false));
            object.object("empty", |_| {});
            object.texts("texts", ["a", "b"]);
            object.objects("objects", [1, 2], |number, object| object.number("n", number));
        });
        let line = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let expected = serde_json::json!({
            "type": "all", "text": "\"\\\n\u{1}é🦀\u{2028}", "null": null, "number": u64::MAX, "truth": true,
            "object": {"truth": false}, "empty": {}, "texts": ["a", "b"], "objects": [{"n": 1}, {"n": 2}],
        });
        assert_eq!(read, expected);
    }
}
