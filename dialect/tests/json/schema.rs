//! A checker for as much of JSON Schema (2020-12) as `docs/protocol.schema.json` uses, and not a keyword more. It is stricter than the
//! standard in one thing: a member that no schema names is an error, so that nothing is sent that is not written down.

use serde_json::{Map, Value};
use std::path::Path;

pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn read() -> Schema {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.schema.json");
        let text = std::fs::read_to_string(file).expect("the schema");
        Schema(serde_json::from_str(&text).expect("JSON"))
    }

    /// Whether a value is what a definition says; if not, why.
    pub(crate) fn check(&self, definition: &str, value: &Value) -> Result<(), String> {
        self.check_against(self.definition(definition), value)
    }

    pub(crate) fn definition(&self, name: &str) -> &Value {
        self.0["$defs"].get(name).unwrap_or_else(|| panic!("no definition {name}"))
    }

    fn check_against(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(keywords) = schema else { panic!("{schema} is no schema") };
        for (keyword, argument) in keywords {
            self.check_keyword(keyword, argument, keywords, value).map_err(|problem| {
                if problem.contains(" in ") { problem } else { format!("{problem} in {value}") }
            })?;
        }
        Ok(())
    }

    fn check_keyword(
        &self,
        keyword: &str,
        argument: &Value,
        keywords: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), String> {
        match keyword {
            "description" | "additionalProperties" => Ok(()),
            "$ref" => {
                let name = argument.as_str().and_then(|name| name.strip_prefix("#/$defs/"));
                self.check(name.expect("a reference to a definition"), value)
            }
            "const" => ensure(value == argument, || format!("not {argument}")),
            "enum" => ensure(list(argument).contains(value), || format!("not one of {argument}")),
            "type" => {
                ensure(is_of_type(value, argument.as_str().expect("a type")), || format!("no {argument}"))
            }
            "minimum" => ensure(value.as_u64() >= argument.as_u64(), || format!("below {argument}")),
            "maxItems" => {
                let items = value.as_array().map(|items| items.len() as u64);
                ensure(items <= argument.as_u64(), || format!("more than {argument}"))
            }
            "minLength" => ensure(chars(value) >= argument.as_u64(), || format!("shorter than {argument}")),
            "maxLength" => ensure(chars(value) <= argument.as_u64(), || format!("longer than {argument}")),
            "format" => {
                assert_eq!(argument, "date-time", "the only format that is known here");
                let is_time = value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
                ensure(is_time, || "no time".into())
            }
            "required" => list(argument).iter().try_for_each(|key| {
                let key = key.as_str().expect("a key");
                ensure(value.get(key).is_some(), || format!("'{key}' is missing"))
            }),
            "properties" => self.check_members(keywords, value),
            "items" => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                items.iter().try_for_each(|item| self.check_against(argument, item))
            }
            "allOf" => list(argument).iter().try_for_each(|schema| self.check_against(schema, value)),
            "anyOf" => ensure(self.matching(argument, value) > 0, || "none of what it may be".into()),
            "oneOf" => self.check_one_of(argument, value),
            _ => panic!("nobody knows what the keyword {keyword} means"),
        }
    }

    fn check_members(&self, keywords: &Map<String, Value>, value: &Value) -> Result<(), String> {
        let Value::Object(members) = value else { return Ok(()) };
        members.iter().try_for_each(|(key, member)| {
            match keywords["properties"].get(key).or(keywords.get("additionalProperties")) {
                Some(schema) => self.check_against(schema, member),
                None => Err(format!("'{key}' is not written down")),
            }
        })
    }

    fn matching(&self, schemas: &Value, value: &Value) -> usize {
        list(schemas).iter().filter(|schema| self.check_against(schema, value).is_ok()).count()
    }

    /// If it is none of them, the problem of the one that it comes nearest to: where type or kind are right.
    fn check_one_of(&self, schemas: &Value, value: &Value) -> Result<(), String> {
        let problems = list(schemas).iter().filter_map(|schema| self.check_against(schema, value).err());
        let problems: Vec<String> = problems.collect();
        match list(schemas).len() - problems.len() {
            1 => Ok(()),
            0 => {
                let is_near = |problem: &&String| !problem.starts_with("not ");
                let nearest: Vec<&String> = problems.iter().filter(is_near).collect();
                Err(format!("none of what it may be ({nearest:?}) in {value}"))
            }
            count => Err(format!("{count} things at once in {value}")),
        }
    }
}

fn ensure(is_right: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(problem()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn chars(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("nobody knows the type {name}"),
    }
}

#[test]
fn schema_notices_what_is_wrong() {
    let schema = Schema::read();
    let wrong = [
        r#"{"type":"pong"}"#,
        r#"{"type":"pong","time":"noon"}"#,
        r#"{"type":"pong","time":"2026-01-01T12:00:00Z","more":1}"#,
        r#"{"type":"pong","time":7}"#,
        r#"{"type":"nick","nick":"ann","nonce":""}"#,
        r#"{"type":"left"}"#,
        r#"{"type":"nonsense"}"#,
        r#"{"kind":"opened","room":"lobby","id":"x","sequence":1,"time":"2026-01-01T12:00:00Z"}"#,
        r#"{"type":"event","kind":"opened","room":"lobby","id":"x","sequence":-1,"time":"2026-01-01T12:00:00Z"}"#,
    ];
    for line in wrong {
        let value = serde_json::from_str(line).expect("JSON");
        assert!(schema.check("answer", &value).is_err(), "{line}");
    }
    let right = r#"{"type":"event","kind":"opened","room":"lobby","id":"x","sequence":1,"time":"2026-01-01T12:00:00Z"}"#;
    let value = serde_json::from_str(right).expect("JSON");
    assert_eq!(schema.check("answer", &value), Ok(()));
}
