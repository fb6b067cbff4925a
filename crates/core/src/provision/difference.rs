//! What differs between two records, in lines that people can read.

use serde::Serialize;
use serde_json::Value;

/// Longest value shown, in characters.
const MAX_SHOWN: usize = 200;

/// One line for each member that differs between `old` and `new`, named by its path.
pub(super) fn between(what: &str, old: &impl Serialize, new: &impl Serialize) -> Vec<String> {
    let value = |record: serde_json::Result<Value>| record.unwrap_or(Value::Null);
    let mut lines = Vec::new();
    walk(what, "", &value(serde_json::to_value(old)), &value(serde_json::to_value(new)), &mut lines);
    lines
}

fn walk(what: &str, path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    if old == new {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (old, new) {
        let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let absent = Value::Null;
            walk(what, &path, a.get(name).unwrap_or(&absent), b.get(name).unwrap_or(&absent), lines);
        }
    } else {
        let label = if path.is_empty() { what.to_owned() } else { format!("{what}: {path}") };
        lines.push(format!("{label}: {} -> {}", shown(old), shown(new)));
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        other => {
            let text = other.to_string();
            let cut: String = text.chars().take(MAX_SHOWN).collect();
            if cut.len() < text.len() { format!("{cut}…") } else { cut }
        }
    }
}
