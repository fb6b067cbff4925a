//! Logout: asked for by a client's page (OpenID Connect RP-Initiated Logout 1.0), told to clients by messages (Back-Channel
//! Logout 1.0), by frames (Front-Channel Logout 1.0), and noticed by polling (Session Management 1.0).
//!
//! Three rules hold throughout. A link from elsewhere ends nothing by itself: either the person says so on a page of ours,
//! or the request carries an ID token of the very session that this browser is in. The browser is sent on only to an
//! address that a known client has registered, character by character. And a session ends in one way, [`end`], whoever
//! asked for it.

mod delivery;
mod end;
mod frame;
mod request;
mod state;
mod token;

pub use delivery::{ATTEMPTS, Attempt, Outcome, attempt, claim, settle};
pub use end::{Ended, Ending, end};
pub use frame::Frame;
pub use request::{Input, LogoutRequest, PostLogout, Step, confirmed, decide, post_logout};
pub use state::{browser_state, session_state};
pub use token::{LOGOUT_TOKEN_TYPE, claims, protection};
