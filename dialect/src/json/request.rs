//! One line, read: a request, or what is wrong with it.
//!
//! Where it stands: between the lines of a connection and the handlers of requests, which ask for the members that they know.
//! Members that nobody knows are passed over, so that a client of tomorrow is understood as far as that goes.
//!
//! What this file must never do: guess. A key that comes twice, half of a surrogate pair, a byte that is no UTF-8 are refused
//! with the reason: a program can be mended.

use hub::{MessageId, Nonce, Sequence, TextProblem, Time, quoted};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// No request nests deeper than three.
const NESTING_MAX: usize = 8;
/// No request has more members than ten.
const MEMBERS_MAX: usize = 64;

/// The members that mean something in one request or another. What stands in others is not even kept.
const KEYS: &[&str] = &[
    "type", "nonce", "version", "nick", "rooms", "resume", "room", "text", "to", "target", "id", "reason",
    "topic", "message", "before", "after", "around", "since", "limit", "shape", "words", "author",
];

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Request {
    members: Map<String, Value>,
    /// Its name for the client.
    pub(super) nonce: Option<Nonce>,
}

/// Why a line is no request, or one that cannot be done.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// A short constant word for programs.
    pub(super) code: &'static str,
    /// What is wrong, and what would be right.
    pub(super) text: String,
}

impl Problem {
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Problem {
        Problem { code, text: text.into() }
    }
}

/// A line that is no request, as far as it could be read: enough to say which one was refused.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) problem: Problem,
    pub(super) kind: Option<String>,
    pub(super) nonce: Option<Nonce>,
}

impl From<Problem> for Unreadable {
    fn from(problem: Problem) -> Unreadable {
        Unreadable { problem, kind: None, nonce: None }
    }
}

impl Request {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> Result<Request, Unreadable> {
        let text = std::str::from_utf8(line).map_err(|error| not_utf8(&error))?;
        if !text.trim_start().starts_with('{') {
            let text = "each line is one JSON object; that line does not begin with '{'";
            return Err(Problem::new("no-json", text).into());
        }
        if nests_deeper(line, NESTING_MAX) {
            let text = format!("that nests more than {NESTING_MAX} deep; no request needs more than 3");
            return Err(Problem::new("too-deep", text).into());
        }
        let members: Members = serde_json::from_str(text).map_err(|error| no_json(&error))?;
        members.into_request()
    }

    /// What is asked for.
    pub(super) fn kind(&self) -> &str {
        self.members.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// What stands there, unless it is missing or null.
    fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    fn missing(&self, key: &str) -> Problem {
        Problem::new("missing-member", format!("'{key}' is missing; '{}' needs it", self.kind()))
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, Problem> {
        self.maybe_text(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn maybe_text(&self, key: &str) -> Result<Option<&str>, Problem> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad(key, "must be a text")),
        }
    }

    pub(super) fn maybe_number(&self, key: &str) -> Result<Option<u64>, Problem> {
        self.get(key).map(|value| number(key, value)).transpose()
    }

    pub(super) fn maybe_sequence(&self, key: &str) -> Result<Option<Sequence>, Problem> {
        Ok(self.maybe_number(key)?.map(Sequence))
    }

    /// A moment as RFC 3339 writes it, with any offset.
    pub(super) fn maybe_time(&self, key: &str) -> Result<Option<Time>, Problem> {
        let Some(text) = self.maybe_text(key)? else { return Ok(None) };
        let timestamp = text.parse::<jiff::Timestamp>().ok();
        let time = timestamp.and_then(|timestamp| u64::try_from(timestamp.as_millisecond()).ok()).map(Time);
        time.map(Some)
            .ok_or_else(|| bad(key, "must be a moment from 1970 to 9999 like \"2026-07-31T18:00:00Z\""))
    }

    pub(super) fn maybe_id(&self, key: &str) -> Result<Option<MessageId>, Problem> {
        let Some(text) = self.maybe_text(key)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| Problem::new("bad-member", format!("'{key}': {error}")))
    }

    pub(super) fn maybe_texts(&self, key: &str) -> Result<Option<Vec<&str>>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
        texts.map(Some).ok_or_else(|| bad(key, "must be a list of texts"))
    }

    /// The members of an object.
    pub(super) fn maybe_object(&self, key: &str) -> Result<Option<Request>, Problem> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Request { members: members.clone(), nonce: None })),
            Some(_) => Err(bad(key, "must be an object")),
        }
    }

    /// The members of an object whose keys are names and whose values are numbers.
    pub(super) fn maybe_numbers(&self, key: &str) -> Result<Option<Vec<(&str, u64)>>, Problem> {
        let numbers = match self.get(key) {
            None => return Ok(None),
            Some(Value::Object(members)) => {
                members.iter().map(|(name, value)| Ok((name.as_str(), number(key, value)?))).collect()
            }
            Some(_) => Err(bad(key, "must be an object of numbers")),
        };
        numbers.map(Some)
    }
}

fn bad(key: &str, what: &str) -> Problem {
    Problem::new("bad-member", format!("'{key}' {what}"))
}

/// That something is no text to be said.
pub(super) fn no_text(problem: TextProblem) -> Problem {
    Problem::new("bad-text", format!("that cannot be said: {problem}"))
}

fn number(key: &str, value: &Value) -> Result<u64, Problem> {
    value.as_u64().ok_or_else(|| bad(key, "must be a whole number, 0 or more"))
}

fn not_utf8(error: &std::str::Utf8Error) -> Problem {
    let place = error.valid_up_to() + 1;
    Problem::new("no-utf8", format!("byte {place} of that line is no UTF-8; encode lines in UTF-8"))
}

/// `serde_json` says what is wrong and where, and never what the line said.
fn no_json(error: &serde_json::Error) -> Problem {
    Problem::new("no-json", format!("that line is no JSON: {error}"))
}

/// Whether brackets outside of strings nest deeper than this. In what is no JSON at all this may be wrong; then it is refused
/// either way.
fn nests_deeper(line: &[u8], nesting_max: usize) -> bool {
    let (mut nesting, mut is_in_string, mut is_escaped) = (0_usize, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_in_string => is_escaped = true,
            b'"' => is_in_string = !is_in_string,
            _ if is_in_string => {}
            b'{' | b'[' => nesting += 1,
            b'}' | b']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > nesting_max {
            return true;
        }
    }
    false
}

/// The members of a line's object, and what is wrong with them as a whole.
struct Members {
    known: Map<String, Value>,
    problem: Option<Problem>,
}

impl Members {
    fn into_request(self) -> Result<Request, Unreadable> {
        let Members { known, problem } = self;
        let nonce = nonce_of(&known);
        let kind = match known.get("type") {
            None => Err(Problem::new("missing-member", "'type' is missing; it says what you ask for")),
            Some(Value::String(kind)) => Ok(kind.clone()),
            Some(_) => Err(bad("type", "must be a text")),
        };
        let problems = [problem.as_ref(), kind.as_ref().err(), nonce.as_ref().err()];
        let problem = problems.into_iter().flatten().next().cloned();
        match problem {
            None => Ok(Request { members: known, nonce: nonce.ok().flatten() }),
            Some(problem) => Err(Unreadable { problem, kind: kind.ok(), nonce: nonce.ok().flatten() }),
        }
    }
}

fn nonce_of(members: &Map<String, Value>) -> Result<Option<Nonce>, Problem> {
    let nonce = match members.get("nonce") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_str().and_then(Nonce::new),
    };
    nonce.map(Some).ok_or_else(|| {
        let max = Nonce::BYTES_MAX;
        let text = format!("'nonce' must be a text of 1 to {max} bytes without control characters");
        Problem::new("bad-nonce", text)
    })
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    /// Goes on behind a problem: the type and the nonce may stand behind it.
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Members { known: Map::new(), problem: None };
        let mut count = 0;
        let mut others = std::collections::BTreeSet::new();
        while let Some(key) = access.next_key::<String>()? {
            count += 1;
            let is_new = if KEYS.contains(&key.as_str()) {
                let value = access.next_value()?;
                let is_new = !members.known.contains_key(&key);
                if is_new {
                    members.known.insert(key.clone(), value);
                }
                is_new
            } else {
                // Read like the others, or half of a surrogate pair would pass.
                access.next_value::<Value>()?;
                count > MEMBERS_MAX || others.insert(key.clone())
            };
            if !is_new && members.problem.is_none() {
                let text = format!("'{}' stands there twice; each member may stand there once", quoted(&key));
                members.problem = Some(Problem::new("duplicate-member", text));
            }
        }
        if count > MEMBERS_MAX && members.problem.is_none() {
            let text = format!("that has {count} members; at most {MEMBERS_MAX} are possible");
            members.problem = Some(Problem::new("too-many-members", text));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(line: impl AsRef<[u8]>) -> &'static str {
        Request::read(line.as_ref()).map_or_else(|unreadable| unreadable.problem.code, |_| "fine")
    }

    #[test]
    fn what_is_no_request_is_refused_by_name() {
        let deep = format!(r#"{{"type":"ping","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let many: Vec<String> = (0..64).map(|nth| format!(r#","x{nth}":0"#)).collect();
        let many = many.concat();
        let table: &[(&[u8], &str)] = &[
            (br#"{"type":"ping"}"#, "fine"),
            (b" {\t\"type\":\"ping\" , \"unheard of\":[{}]} \r", "fine"),
            (b"hello", "no-json"),
            (b"[]", "no-json"),
            (b"{", "no-json"),
            (br#"{"type":"ping"}}"#, "no-json"),
            (br#"{"type":"ping",}"#, "no-json"),
            (br#"{"type":"ping"} {"type":"ping"}"#, "no-json"),
            (b"{\"type\":\"pi\tng\"}", "no-json"),
            (br#"{"type":"\ud800"}"#, "no-json"),
            (br#"{"type":"\udc00\ud800"}"#, "no-json"),
            (br#"{"x":"\ud800\ud800"}"#, "no-json"),
            (b"{\"type\":\"\xff\"}", "no-utf8"),
            (b"{\"type\":\"\xed\xa0\x80\"}", "no-utf8"),
            (br#"{"type":"ping","type":"ping"}"#, "duplicate-member"),
            (br#"{"type":"ping","t\u0079pe":"ping"}"#, "duplicate-member"),
            (br#"{"type":"ping","x":1,"x":1}"#, "duplicate-member"),
            (br#"{"x":1}"#, "missing-member"),
            (br#"{"type":1}"#, "bad-member"),
            (br#"{"type":"ping","nonce":""}"#, "bad-nonce"),
            (br#"{"type":"ping","nonce":7}"#, "bad-nonce"),
            (br#"{"type":"ping","nonce":"\u001b"}"#, "bad-nonce"),
            (br#"{"type":"ping","x":[[[[[[[]]]]]]]}"#, "fine"),
            (br#"{"type":"ping","x":[[[[[[[[]]]]]]]]}"#, "too-deep"),
            (br#"{"type":"ping","x":"[[[[[[[[[[\"[[[["}"#, "fine"),
            (deep.as_bytes(), "too-deep"),
            (&[br#"{"type":"ping""#, many.as_bytes(), b"}"].concat(), "too-many-members"),
        ];
        for (line, expected) in table {
            let start = &line[..line.len().min(60)];
            assert_eq!(code(line), *expected, "{}", start.escape_ascii());
        }
    }

    #[test]
    fn refusal_knows_the_request_and_its_nonce_if_they_could_be_read() {
        let unreadable = Request::read(br#"{"x":1,"x":1,"type":"say","nonce":"n"}"#).expect_err("twice");
        assert_eq!(unreadable.kind.as_deref(), Some("say"));
        assert_eq!(unreadable.nonce.as_ref().map(Nonce::as_str), Some("n"));
    }

    #[test]
    fn members_are_what_they_must_be() {
        let line = br#"{"type":"x","text":"t","limit":7,"rooms":["a"],"since":"2026-01-02T03:04:05.678+01:00","nick":null}"#;
        let request = Request::read(line).expect("a request");
        assert_eq!(request.text("text").expect("a text"), "t");
        assert_eq!(request.maybe_number("limit").expect("a number"), Some(7));
        assert_eq!(request.maybe_texts("rooms").expect("texts"), Some(vec!["a"]));
        assert_eq!(request.maybe_time("since").expect("a time"), Some(Time(1_767_319_445_678)));
        assert!(request.maybe_text("nick").is_ok_and(|nick| nick.is_none()) && request.has("nick"));
        assert_eq!(request.text("nick").expect_err("null").code, "missing-member");
        assert_eq!(request.text("limit").expect_err("a number").code, "bad-member");
        assert_eq!(request.maybe_number("text").expect_err("a text").code, "bad-member");
        assert_eq!(request.maybe_texts("text").expect_err("a text").code, "bad-member");
        assert_eq!(request.maybe_time("text").expect_err("a text").code, "bad-member");
    }

    proptest! {
        #[test]
        fn nesting_is_counted_as_a_reader_counts_it(depth in 0_usize..20, text in "[\\[\\]{}\"\\\\a]{0,20}") {
            let text = serde_json::to_string(&text).expect("JSON");
            let line = format!("{}{text}{}", "[".repeat(depth), "]".repeat(depth));
            prop_assert_eq!(nests_deeper(line.as_bytes(), 8), depth > 8);
        }
    }
}
