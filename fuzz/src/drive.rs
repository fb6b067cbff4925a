//! The driver's loop: seeded mutation, without coverage.

use std::collections::BTreeMap;
use std::panic::{catch_unwind, set_hook};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::mutate::{Noise, mutate, octets, typed};
use crate::{Outcome, Target};

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Inputs tried.
    pub executions: u64,
    accepted: u64,
    accepted_example: Option<Vec<u8>>,
    refusals: BTreeMap<&'static str, u64>,
    /// The first inputs that led to a panic.
    pub panics: Vec<Vec<u8>>,
    elapsed: Duration,
}

/// One altered input. Tokens are altered as tokens, JSON as JSON, and everything as octets.
fn alter(input: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut altered = input.to_vec();
    for _ in 0..=noise.below(3) {
        let start = altered.iter().position(u8::is_ascii_graphic).unwrap_or(0);
        let (head, body) = altered.split_at(start);
        let json = serde_json::from_slice::<Map<String, Value>>(body);
        let text = std::str::from_utf8(body);
        let body = match (noise.below(4), json, text) {
            (1.., Ok(mut map), _) => {
                match map.get_mut("keys").and_then(Value::as_array_mut) {
                    Some(keys) if !keys.is_empty() => {
                        let at = noise.below(keys.len());
                        if let Some(key) = keys[at].as_object_mut() {
                            typed(key, noise);
                        }
                    }
                    _ => typed(&mut map, noise),
                }
                Value::from(map).to_string().into_bytes()
            }
            (1.., Err(_), Ok(text)) => mutate(text, noise).into_bytes(),
            _ => {
                let mut body = body.to_vec();
                octets(&mut body, noise);
                body
            }
        };
        altered = [head, &body].concat();
    }
    altered
}

/// Feeds altered inputs of `corpus` to `target` until the time is over. Inputs that are in the corpus unaltered are
/// left out, so an accepted one is an altered one.
#[expect(clippy::disallowed_methods, reason = "the driver is the edge: it measures")]
pub fn storm(target: Target, corpus: &[Vec<u8>], limit: Duration, seed: u64) -> Report {
    let mut noise = Noise(seed.max(1));
    let mut report = Report::default();
    // The report names the input; the message of every panic would drown it.
    set_hook(Box::new(|_| {}));
    let start = Instant::now();
    while !corpus.is_empty() && (report.executions % 64 != 0 || start.elapsed() < limit) {
        let input = alter(&corpus[noise.below(corpus.len())], &mut noise);
        report.executions += 1;
        if corpus.contains(&input) {
            continue;
        }
        match catch_unwind(|| target(&input)) {
            Ok(Outcome::Accepted) => {
                report.accepted += 1;
                report.accepted_example.get_or_insert(input);
            }
            Ok(Outcome::Rejected(code)) => *report.refusals.entry(code).or_default() += 1,
            Err(_) if report.panics.len() < 10 => report.panics.push(input),
            Err(_) => {}
        }
    }
    report.elapsed = start.elapsed();
    report
}

impl Report {
    /// Prints figures, refusals by reason code, and the inputs that led to a panic.
    pub fn print(&self, name: &str) {
        let milliseconds = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        println!("target      {name}");
        println!("executions  {} ({}/s)", self.executions, self.executions * 1000 / milliseconds);
        println!("accepted    {}", self.accepted);
        if let Some(example) = &self.accepted_example {
            println!("  such as   {}", String::from_utf8_lossy(example).escape_debug());
        }
        println!("refused     {}", self.refusals.values().sum::<u64>());
        for (code, count) in &self.refusals {
            println!("  {code:<32} {count}");
        }
        println!("panics      {}", self.panics.len());
        for input in &self.panics {
            println!("  input     {}", String::from_utf8_lossy(input).escape_debug());
        }
    }
}
