//! JSON without room for interpretation: duplicate members, excessive depth and excessive counts are refused.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::KeyFault;
use crate::fault::Offered;

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Syntax,
    NotObject,
    Duplicate(Offered),
    Depth,
    Count,
}

struct Context {
    left: Cell<usize>,
    broken: RefCell<Option<Broken>>,
}

impl Context {
    fn refuse<E: de::Error>(&self, broken: Broken) -> E {
        self.broken.borrow_mut().get_or_insert(broken);
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    context: &'a Context,
    depth: usize,
}

impl Seed<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.context.refuse(Broken::Depth)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.context.left.get().checked_sub(1) {
            Some(left) => self.context.left.set(left),
            None => return Err(self.context.refuse(Broken::Count)),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| self.context.refuse(Broken::Syntax))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(self.context.refuse(Broken::Duplicate(Offered::new(&name))));
            }
            let value = access.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Parses one JSON object that is the whole of `bytes`.
///
/// RFC 7515 section 4 and RFC 7519 section 4 leave duplicates to the reader (refuse, or take the last);
/// here they are refused, at every depth.
pub(crate) fn object(bytes: &[u8], depth: usize, values: usize) -> Result<Map<String, Value>, Broken> {
    let context = Context { left: Cell::new(values), broken: RefCell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = Seed { context: &context, depth }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match parsed {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Broken::NotObject),
        Err(_) => Err(context.broken.into_inner().unwrap_or(Broken::Syntax)),
    }
}

/// A JSON object that holds keys.
pub(crate) fn key_document(
    bytes: &[u8],
    depth: usize,
    values: usize,
) -> Result<Map<String, Value>, KeyFault> {
    object(bytes, depth, values).map_err(|broken| match broken {
        Broken::Duplicate(name) => KeyFault::DuplicateMember { name },
        Broken::NotObject => KeyFault::NotObject { found: "another JSON value" },
        Broken::Syntax => KeyFault::NotJson,
        Broken::Depth => KeyFault::TooDeep { limit: depth },
        Broken::Count => KeyFault::TooManyValues { limit: values },
    })
}

/// What a JSON value is, for a text that says what was found.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
