//! What every page of the console has around its content. The templates in `templates/console/` extend
//! `console/layout.html`, which says which blocks and components there are.

use askama::Template;
use signet_core::admin::{AUDIT_READ, Actor, CLIENTS_READ, TENANT_READ, TENANTS_READ, USERS_READ};
use signet_core::context::UnixTime;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Shell, assets};

/// A part of the console; each is a line of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Health of the tenant.
    Overview,
    /// Client applications.
    Clients,
    /// Accounts.
    Users,
    /// Why a request failed.
    Explain,
    /// The audit trail.
    Audit,
    /// Settings and keys of the tenant.
    Tenant,
    /// All tenants of the installation.
    Tenants,
}

/// Section, title, address below the tenant, and the scope without which it is not shown.
const SECTIONS: &[(Section, &str, &str, &str)] = &[
    (Section::Overview, "Overview", "/console", TENANT_READ),
    (Section::Clients, "Clients", "/console/clients", CLIENTS_READ),
    (Section::Users, "Users", "/console/users", USERS_READ),
    (Section::Explain, "Explain", "/console/explain", CLIENTS_READ),
    (Section::Audit, "Audit", "/console/audit", AUDIT_READ),
    (Section::Tenant, "Tenant", "/console/tenant", TENANT_READ),
    (Section::Tenants, "Tenants", "/console/tenants", TENANTS_READ),
];

impl Section {
    /// How it is called.
    pub fn title(self) -> &'static str {
        self.row().1
    }

    /// Where it is, behind the tenant's prefix.
    pub fn path(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        SECTIONS.iter().find(|row| row.0 == self).unwrap_or(&SECTIONS[0])
    }
}

/// A line of a navigation, of the way back, or of a row of tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it says.
    pub title: String,
    /// Where it leads, with the tenant's prefix.
    pub href: String,
    /// Whether this is where one is.
    pub current: bool,
}

/// Something that is wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is, and what to do.
    pub text: String,
    /// The stable code; empty if there is none.
    pub code: String,
    /// The fields that it is about: what they are called, and an address within the page or of another one.
    pub links: Vec<(String, String)>,
}

impl Problem {
    /// One that is about a field of the same page.
    pub fn of_field(id: &str, title: &str, text: impl Into<String>) -> Self {
        let links = vec![(title.to_owned(), format!("#{id}"))];
        Self { text: text.into(), code: String::new(), links }
    }
}

/// What stands around the content of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What all pages of the tenant share.
    pub shell: Shell,
    /// Who is signed in.
    pub person: String,
    /// Their role, as a word.
    pub role: &'static str,
    /// Token for every form of the page: `<input type="hidden" name="csrf" value="{{ frame.csrf }}">`.
    pub csrf: String,
    /// The navigation.
    pub sections: Vec<Link>,
    /// The way back, this page last.
    pub crumbs: Vec<Link>,
    /// Where all tenants are listed, for those who see them.
    pub tenants: Option<String>,
    /// What has just been done.
    pub notice: Option<String>,
    /// The page's one script, by its address; see [`Frame::script`].
    pub script: Option<String>,
}

impl Frame {
    /// The frame of a page of `section` for this actor.
    pub fn new(shell: Shell, actor: &Actor, section: Section) -> Self {
        let link = |row: &(Section, &str, &str, &str)| Link {
            title: row.1.to_owned(),
            href: format!("{}{}", shell.prefix, row.2),
            current: row.0 == section,
        };
        let sections: Vec<Link> = SECTIONS.iter().filter(|row| actor.holds(row.3)).map(link).collect();
        let crumbs = vec![Link {
            title: section.title().to_owned(),
            href: format!("{}{}", shell.prefix, section.path()),
            current: true,
        }];
        let all = || format!("{}{}", shell.prefix, Section::Tenants.path());
        let tenants = actor.holds(TENANTS_READ).then(all);
        Self {
            shell,
            person: String::new(),
            role: "",
            csrf: String::new(),
            sections,
            crumbs,
            tenants,
            notice: None,
            script: None,
        }
    }

    /// Adds a step to the way: `path` is what stands behind the tenant's prefix.
    #[must_use]
    pub fn crumb(mut self, title: &str, path: &str) -> Self {
        for crumb in &mut self.crumbs {
            crumb.current = false;
        }
        let href = self.href(path);
        self.crumbs.push(Link { title: title.to_owned(), href, current: true });
        self
    }

    /// Gives the page a script: the name that [`super::find_asset`] knows it by. Pages without one forbid all scripts.
    #[must_use]
    pub fn script(mut self, asset: &str) -> Self {
        self.script = Some(format!("{}/assets/{asset}", self.shell.prefix));
        self
    }

    /// An address of this tenant.
    pub fn href(&self, path: &str) -> String {
        format!("{}{path}", self.shell.prefix)
    }

    /// Address of the console's stylesheet.
    pub fn stylesheet(&self) -> String {
        format!("{}/assets/{}", self.shell.prefix, assets::console_stylesheet_name())
    }
}

/// A row of tabs, which are links: `base` is the path that all of them begin with, `tabs` title and last part of the path.
pub fn tabs(frame: &Frame, base: &str, tabs: &[(&str, &str)], current: &str) -> Vec<Link> {
    let tab = |(title, last): &(&str, &str)| Link {
        title: (*title).to_owned(),
        href: if last.is_empty() { frame.href(base) } else { frame.href(&format!("{base}/{last}")) },
        current: *last == current,
    };
    tabs.iter().map(tab).collect()
}

/// An instant as people read it; the time zone is said.
pub fn instant(seconds: UnixTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_else(|| seconds.to_string())
}

/// An instant with its seconds.
pub fn instant_seconds(at: UnixTime) -> String {
    instant(at).replace(" UTC", &format!(":{:02} UTC", at.rem_euclid(60)))
}

/// The value of a `datetime-local` field; always UTC here.
pub fn instant_field(seconds: UnixTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_default()
}

/// Reads a `datetime-local` field (HTML section 4.10.5.1.11), with or without seconds, as UTC.
pub fn read_instant(text: &str) -> Option<UnixTime> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    time::PrimitiveDateTime::parse(text, minutes)
        .or_else(|_| time::PrimitiveDateTime::parse(text, seconds))
        .ok()
        .map(|at| at.assume_utc().unix_timestamp())
}

/// What stands in a field for seconds, in words ("90 days"); empty for what is no such number, and where words say no more.
pub fn in_words(seconds: &str) -> String {
    let words = seconds.trim().parse().map(signet_core::duration::exactly).unwrap_or_default();
    if words.ends_with("second") || words.ends_with("seconds") { String::new() } else { words }
}

/// How long until, or since, an instant: "in 3 days", "2 hours ago".
pub fn relative(at: UnixTime, now: UnixTime) -> String {
    let seconds = at.saturating_sub(now);
    let (count, unit) = match seconds.unsigned_abs() {
        count @ 0..60 => (count, "second"),
        count @ 60..3_600 => (count / 60, "minute"),
        count @ 3_600..86_400 => (count / 3_600, "hour"),
        count => (count / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds > 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

/// A JWK or another JSON object, to be read by people.
pub fn pretty(object: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string_pretty(object).unwrap_or_default()
}

/// A page that says one thing: that something was refused, is not there, or needs a role.
#[derive(Clone, Debug, Template)]
#[template(path = "console/message.html")]
pub struct MessagePage {
    /// What stands around it.
    pub frame: Frame,
    /// What happened.
    pub heading: String,
    /// More of it, one paragraph each.
    pub texts: Vec<String>,
    /// The stable reason code.
    pub code: String,
    /// Names the request in the audit log.
    pub correlation_id: String,
    /// Where to go on: title and address.
    pub onward: Option<(String, String)>,
}

impl MessagePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_and_read_in_utc() {
        assert_eq!(instant(1_795_500_000), "2026-11-24 06:00 UTC");
        assert_eq!(read_instant(&instant_field(1_795_500_000)), Some(1_795_500_000));
        assert_eq!(read_instant("2026-11-24T06:00:07"), Some(1_795_500_007));
        for text in ["", "2026-11-24", "2026-13-24T06:00", "2026-11-24T06:00Z", "yesterday"] {
            assert_eq!(read_instant(text), None, "{text}");
        }
        assert_eq!(instant(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn durations_are_said_in_words_where_words_say_more() {
        let said = [("7776000", "90 days"), ("86400", "1 day"), ("59", ""), ("-60", ""), ("90d", "")];
        for (seconds, words) in said {
            assert_eq!(in_words(seconds), words);
        }
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        for (at, text) in [
            (1, "in 1 second"),
            (0, "0 seconds ago"),
            (-59, "59 seconds ago"),
            (120, "in 2 minutes"),
            (-3_600, "1 hour ago"),
            (86_400 * 3 + 5, "in 3 days"),
            (i64::MIN, "106751991167300 days ago"),
        ] {
            assert_eq!(relative(at, 0), text);
        }
    }
}
