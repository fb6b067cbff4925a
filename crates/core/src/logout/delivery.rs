//! Logout tokens on their way to clients: who makes which attempt, and what follows from its outcome (Back-Channel Logout
//! 1.0 section 2.8).

use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::records::LogoutDelivery;

/// Seconds from each attempt to the next: five attempts within an hour.
const PAUSES: [i64; 4] = [30, 120, 600, 2_700];
/// Most attempts of one delivery.
pub const ATTEMPTS: i64 = 5;
/// An attempt that never left this server is made again after so many seconds.
const AGAIN: i64 = 15;
/// However it goes, a delivery is settled after so many seconds: the session that it tells of is long over.
const DEADLINE: i64 = 86_400;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client took it.
    Delivered,
    /// The client will never take it.
    Rejected,
    /// Nothing certain; a stable word says what happened.
    Failed(String),
    /// It was not sent: this server is busy with others.
    Postponed(String),
}

/// Reads a client's answer. Section 2.8: "If the logout succeeded, the RP MUST respond with an HTTP 200 OK. However, note
/// that some Web frameworks will substitute an HTTP 204 No Content response for an HTTP 200 OK when the HTTP body is empty.
/// Therefore, OPs should be prepared to also process an HTTP 204 No Content response as a successful response. If the logout
/// request was invalid or the logout failed, the RP MUST respond with an HTTP 400 Bad Request."
pub fn attempt(status: u16) -> Outcome {
    match status {
        200 | 204 => Outcome::Delivered,
        400 => Outcome::Rejected,
        other => Outcome::Failed(format!("status_{other}")),
    }
}

/// The delivery as it is stored first: whoever stores it makes the first attempt.
pub(super) fn first(delivery: &LogoutDelivery) -> LogoutDelivery {
    taken(delivery, delivery.created_at)
}

fn taken(delivery: &LogoutDelivery, now: UnixTime) -> LogoutDelivery {
    let pause = usize::try_from(delivery.attempts).ok().and_then(|made| PAUSES.get(made)).copied();
    LogoutDelivery {
        attempts: delivery.attempts + 1,
        // Should this node die now, another one goes on from here; after the last attempt to settle it.
        next_attempt_at: Some(now + pause.unwrap_or(PAUSES[0])),
        ..delivery.clone()
    }
}

/// An attempt that is this node's alone, once `change` is written.
#[derive(Debug)]
pub struct Attempt {
    /// The delivery as it will be.
    pub delivery: LogoutDelivery,
    /// Takes the attempt; [`crate::change::Conflict::Delivery`] means that another node has it.
    pub change: Change,
}

/// Takes the next attempt of a delivery that is due; `None` if all have been made.
pub fn claim(due: &LogoutDelivery, now: UnixTime) -> Option<Attempt> {
    if due.attempts >= ATTEMPTS || now - due.created_at >= DEADLINE {
        return None;
    }
    let delivery = taken(due, now);
    let change = Change::UpdateLogoutDelivery { delivery: delivery.clone(), seen_attempts: due.attempts };
    Some(Attempt { delivery, change })
}

/// What an attempt leaves behind: the delivery's new state, and a line in the audit trail once it is settled.
pub fn settle(made: &LogoutDelivery, outcome: &Outcome, context: &Context<'_>) -> Vec<Change> {
    let seen_attempts = made.attempts;
    let mut next = made.clone();
    match outcome {
        Outcome::Delivered => {
            next.delivered_at = Some(context.now);
            next.next_attempt_at = None;
            next.last_error = None;
        }
        Outcome::Rejected => {
            next.next_attempt_at = None;
            next.last_error = Some("rejected".into());
        }
        Outcome::Failed(word) => {
            next.last_error = Some(word.clone());
            if made.attempts >= ATTEMPTS || context.now - made.created_at >= DEADLINE {
                next.next_attempt_at = None;
            }
        }
        Outcome::Postponed(word) => {
            next.attempts -= 1;
            next.next_attempt_at = Some(context.now + AGAIN);
            next.last_error = Some(word.clone());
        }
    }
    let event = next.next_attempt_at.is_none().then(|| event(&next, context));
    let change = Change::UpdateLogoutDelivery { delivery: next, seen_attempts };
    std::iter::once(change).chain(event).collect()
}

fn event(settled: &LogoutDelivery, context: &Context<'_>) -> Change {
    let (tenant, correlation) = (&settled.tenant, &settled.correlation_id);
    let draft = match (&settled.delivered_at, &settled.last_error) {
        (Some(_), _) => audit::success(tenant, Kind::LogoutDelivered, correlation, context),
        (None, error) => {
            let word = error.clone().unwrap_or_default();
            audit::refused(tenant, Kind::LogoutUndelivered, &Fault::LogoutUndelivered, correlation, context)
                .fact("last_error", word)
        }
    };
    draft
        .client(&settled.client_id)
        .user(settled.user_id)
        .fact("delivery", settled.id.to_string())
        .fact("attempts", settled.attempts)
        .change()
}
