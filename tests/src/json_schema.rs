//! Checks JSON against the schema that the documentation has.
//!
//! A checker of all of JSON Schema is larger than totpctl. This one knows the keywords that the
//! schema uses, refuses others, and is stricter: an object may have only keys that are described.

use serde_json::Value;

use crate::machine::repository;

/// The schema of the output of `totpctl --json`.
pub struct JsonSchema(Value);

impl JsonSchema {
    /// Reads `docs/reference/totpctl.schema.json`.
    pub fn of_totpctl() -> Self {
        let path = repository().join("docs/reference/totpctl.schema.json");
        let text = std::fs::read_to_string(&path).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Checks each line of an output against one definition, and returns the objects.
    #[track_caller]
    pub fn check(&self, definition: &str, output: &str) -> Vec<Value> {
        let schema = self.definition(definition);
        let mut objects = Vec::new();
        for line in output.lines() {
            let object: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if let Err(fault) = self.check_value(schema, &object, definition) {
                panic!("{fault} in {line}");
            }
            objects.push(object);
        }
        assert!(!objects.is_empty(), "no output for {definition}");
        objects
    }

    fn definition(&self, name: &str) -> &Value {
        let found = self.0["$defs"].get(name);
        found.unwrap_or_else(|| panic!("the schema has no definition {name}"))
    }

    fn check_value(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        for (keyword, expected) in schema.as_object().unwrap() {
            let is_valid = match keyword.as_str() {
                "description" => true,
                "$ref" => {
                    let name = expected.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check_value(self.definition(name), value, at)?;
                    true
                }
                "anyOf" => {
                    let mut schemas = expected.as_array().unwrap().iter();
                    schemas.any(|schema| self.check_value(schema, value, at).is_ok())
                }
                "const" => value == expected,
                "enum" => expected.as_array().unwrap().contains(value),
                "type" => has_type(expected, value),
                "minimum" => value.as_i64() >= expected.as_i64() || value.as_u64().is_some(),
                "required" => {
                    let mut keys = expected.as_array().unwrap().iter();
                    keys.all(|key| value.get(key.as_str().unwrap()).is_some())
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check_value(expected, item, &format!("{at}[{index}]"))?;
                    }
                    true
                }
                "properties" | "additionalProperties" => true,
                other => panic!("the checker does not know the keyword {other}"),
            };
            if !is_valid {
                return Err(format!("{at}: {value} is not {keyword} {expected}"));
            }
        }
        if schema.get("properties").is_some() || schema.get("additionalProperties").is_some() {
            self.check_keys(schema, value, at)?;
        }
        Ok(())
    }

    fn check_keys(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        for (key, value) in value.as_object().into_iter().flatten() {
            let property = schema.get("properties").and_then(|properties| properties.get(key));
            let property = property.or_else(|| schema.get("additionalProperties"));
            let property = property.ok_or_else(|| format!("{at}.{key} is not described"))?;
            self.check_value(property, value, &format!("{at}.{key}"))?;
        }
        Ok(())
    }
}

fn has_type(expected: &Value, value: &Value) -> bool {
    let one = |name: &Value| match name.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("the checker does not know the type {other}"),
    };
    match expected {
        Value::Array(names) => names.iter().any(one),
        name => one(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_wrong_type_or_without_description_is_found() {
        let schema = JsonSchema::of_totpctl();
        let check = |text: &str| {
            let value = serde_json::from_str(text).unwrap();
            schema.check_value(schema.definition("unlock"), &value, "unlock")
        };
        assert_eq!(check(r#"{"schema":1,"user":"a","unlocked":true}"#), Ok(()));
        for (text, expected) in [
            (r#"{"schema":1,"user":"a"}"#, "required"),
            (r#"{"schema":2,"user":"a","unlocked":true}"#, "const"),
            (r#"{"schema":1,"user":1,"unlocked":true}"#, "type"),
            (r#"{"schema":1,"user":"a","unlocked":true,"x":1}"#, "unlock.x is not described"),
        ] {
            let fault = check(text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
        }
    }
}
