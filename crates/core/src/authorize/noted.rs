//! Rules that leave their check in the trace.

use signet_jose::Trace;

use crate::explain::shown;
use crate::fault::Fault;

/// A rule's name, where it is written, and what it wants.
pub(super) type Rule<'a> = (&'static str, &'static str, &'a str);

/// Hands on how a rule was judged, and leaves that in the trace.
pub(super) fn noted<T>(
    trace: &mut Trace,
    (rule, clause, expected): Rule<'_>,
    actual: impl Into<String>,
    judged: Result<T, Fault>,
) -> Result<T, Fault> {
    match &judged {
        Ok(_) => trace.pass(rule, clause, expected, actual),
        Err(_) => trace.fail(rule, clause, expected, actual),
    }
    judged
}

/// What was sent, or that nothing was.
pub(super) fn sent(value: Option<&str>) -> String {
    value.filter(|value| !value.is_empty()).map_or_else(|| "absent".to_owned(), shown)
}

/// Names in one line.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    shown(&names.collect::<Vec<_>>().join(", "))
}
