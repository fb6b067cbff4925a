//! The first page: how the tenant is.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use signet_core::context::UnixTime;
use signet_core::records::KeyState;

use super::Visit;
use super::clients::path;
use crate::app::App;
use crate::desk::{DAYS, DayCount, EndingKey, Overview, TenantKeyHealth};
use crate::pages::console::{Frame, Section, instant, relative};
use crate::pages::rendered;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console", get(show)).route("/console/", get(show))
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct OverviewPage {
    frame: Frame,
    overview: Overview,
    keys: Vec<KeyRow>,
    chart: Vec<Column>,
    logins: i64,
    failures: i64,
    now: UnixTime,
    own_only: bool,
}

/// A key of the tenant, with badge and word of where it stands.
struct KeyRow {
    id: String,
    algs: String,
    state: (&'static str, &'static str),
    until: String,
}

impl KeyRow {
    fn of(key: &TenantKeyHealth, now: UnixTime) -> Self {
        let state = if key.state == KeyState::Active { ("good", "in use") } else { ("plain", "next") };
        let until = format!("{} ({})", instant(key.until), relative(key.until, now));
        Self { id: key.id.clone(), algs: key.algs.join(", "), state, until }
    }
}

/// A day of the chart. Heights are parts of a hundred.
struct Column {
    day: String,
    date: String,
    logins: i64,
    failures: i64,
    logins_height: i64,
    failures_height: i64,
}

impl OverviewPage {
    /// The address of a client's page.
    fn client(&self, id: &str) -> String {
        self.frame.href(&path(id))
    }

    /// The refusals that have this reason, within the days that are counted.
    fn refusals(&self, kind: &str, reason: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("kind", kind)
            .append_pair("reason", reason)
            .append_pair("outcome", "refused")
            .finish();
        self.frame.href(&format!("/console/audit?{query}"))
    }

    fn ends(&self, ending: &EndingKey) -> String {
        format!("{} ({})", instant(ending.not_after), relative(ending.not_after, self.now))
    }
}

async fn show(visit: Visit) -> Response {
    match visit.desk().overview().await {
        Ok(overview) => page(&visit, overview),
        Err(refused) => visit.refused(&refused),
    }
}

fn page(visit: &Visit, overview: Overview) -> Response {
    let page = OverviewPage {
        frame: visit.frame(Section::Overview),
        keys: overview.tenant_keys.iter().map(|key| KeyRow::of(key, visit.moment.now)).collect(),
        chart: columns(&overview.days),
        logins: overview.days.iter().map(|day| day.logins).sum(),
        failures: overview.days.iter().map(|day| day.failures).sum(),
        now: visit.moment.now,
        own_only: visit.actor.confined_to().is_some(),
        overview,
    };
    visit.page(&page.frame, rendered(&page))
}

/// The days as columns, the highest of them a hundred parts high. What happened at all is seen.
fn columns(days: &[DayCount]) -> Vec<Column> {
    let most = days.iter().flat_map(|day| [day.logins, day.failures]).max().unwrap_or(0).max(1);
    let height = |count: i64| if count == 0 { 0 } else { (count * 100 / most).max(2) };
    let column = |day: &DayCount| {
        let date = instant(day.at).chars().take(10).collect::<String>();
        Column {
            day: date.chars().skip(8).collect(),
            date,
            logins: day.logins,
            failures: day.failures,
            logins_height: height(day.logins),
            failures_height: height(day.failures),
        }
    };
    days.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_measured_by_the_highest_and_nothing_that_happened_vanishes() {
        let day = |at, logins, failures| DayCount { at, logins, failures };
        let columns = columns(&[day(1_795_478_400, 1_000, 1), day(1_795_564_800, 0, 500)]);
        let heights: Vec<_> = columns.iter().map(|one| (one.logins_height, one.failures_height)).collect();
        assert_eq!(heights, [(100, 2), (0, 50)]);
        assert_eq!((columns[0].day.as_str(), columns[0].date.as_str()), ("24", "2026-11-24"));
        assert!(super::columns(&[day(0, 0, 0)])[0].logins_height == 0);
    }
}
