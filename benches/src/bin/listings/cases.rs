//! The listings, each with what its statement is recognised by.

use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Outcome, Role};
use signet_store::{AuditFilter, ClientFilter, Page, Store, UserFilter};
use uuid::Uuid;

use crate::{NOW, PAGE, SPAN};

/// One listing, and how its statement is recognised: what it contains, with `$` for both dialects, and what it is given.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) what: What,
    pub(crate) contains: &'static [&'static str],
    pub(crate) arguments: String,
}

pub(crate) enum What {
    Clients(ClientFilter),
    Keys(Vec<ClientId>),
    Ending,
    Users(UserFilter),
    Email(&'static str),
    Sessions(Uuid),
    Audit(Box<AuditFilter>),
    Unsealed,
    LastSeal,
    Seals,
    Chained,
    Unpurged,
    Tallies,
}

impl What {
    /// Asks; returns how many rows there are.
    pub(crate) async fn ask(&self, store: &dyn Store, tenant: &TenantId) -> usize {
        match self {
            Self::Clients(filter) => store.find_clients(tenant, filter).await.unwrap().len(),
            Self::Keys(clients) => store.keys_of_clients(tenant, clients).await.unwrap().len(),
            Self::Ending => {
                store.ending_client_keys(tenant, NOW, NOW + 30 * 86_400, PAGE).await.unwrap().len()
            }
            Self::Users(filter) => store.find_users(tenant, filter).await.unwrap().len(),
            Self::Email(email) => store.users_by_email(tenant, email).await.unwrap().len(),
            Self::Sessions(user) => store.user_sessions(tenant, *user, NOW).await.unwrap().len(),
            Self::Audit(filter) => store.audit(tenant, filter).await.unwrap().len(),
            Self::Unsealed => store.unsealed_audit(tenant, 500).await.unwrap().len(),
            Self::LastSeal => store.last_audit_seal(tenant).await.unwrap().into_iter().count(),
            Self::Seals => store.audit_seals(tenant, 100, 1000).await.unwrap().len(),
            Self::Chained => store.chained_audit(tenant, (100, Uuid::nil()), 1000).await.unwrap().len(),
            Self::Unpurged => store.unpurged_audit_seals(tenant, 200).await.unwrap().len(),
            Self::Tallies => store.audit_tallies(tenant, NOW / 86_400 - 30).await.unwrap().len(),
        }
    }
}

fn page(after: Option<&str>) -> Page {
    Page { after: after.map(str::to_owned), limit: PAGE }
}

/// The id that the writer of records gives a user.
pub(crate) fn user_id(number: u128) -> Uuid {
    Uuid::from_u128((0x7000 | (number & 4095)) << 64 | 8 << 60 | number)
}

/// The statements that go through a listing in its order, and those that begin with what was searched for.
const CLIENTS: &[&str] =
    &["FROM clients WHERE tenant = $1 AND client_id > $2 AND ($4", "FROM client_search AS s"];
const FEW_CLIENTS: &[&str] = &["FROM clients", "(SELECT client_id FROM client_search"];
const USERS: &[&str] = &["FROM users WHERE tenant = $1 AND username > $2 AND ($4", "FROM user_search AS s"];
const FEW_USERS: &[&str] = &["FROM users", "(SELECT user_id FROM user_search"];

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn cases(events: i64) -> Vec<Case> {
    let clients = |search: Option<&str>, owner, disabled, after| {
        let search = search.map(str::to_owned);
        What::Clients(ClientFilter { search, owner, disabled, page: page(after) })
    };
    let users = |search: Option<&str>, role, disabled| {
        What::Users(UserFilter { search: search.map(str::to_owned), role, disabled, page: page(None) })
    };
    let ten: Vec<ClientId> = (0..50).map(|n| ClientId::new(format!("bank-{}", 1 + 4 * n))).collect();
    let developer = user_id(5000);
    let mut cases = vec![
        Case {
            name: "clients",
            what: clients(None, None, None, None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "clients, a later page",
            what: clients(None, None, None, Some("bank-5")),
            contains: CLIENTS,
            arguments: "'bench', 'bank-5', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "clients that are disabled",
            what: clients(None, None, Some(true), None),
            contains: &["FROM clients WHERE tenant = $1 AND client_id > $2 AND disabled"],
            arguments: "'bench', '', 50, true, NULL, NULL".into(),
        },
        Case {
            name: "clients that are not",
            what: clients(None, None, Some(false), None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, false, NULL, NULL".into(),
        },
        Case {
            name: "clients, whether few pieces match",
            what: clients(Some("client 9998"), None, None, None),
            contains: &["SELECT count(*)", "FROM client_search"],
            arguments: "'bench', 'client 9998', 'client 9999', 5001".into(),
        },
        Case {
            name: "clients, search that all match",
            what: clients(Some("ample.co"), None, None, None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ample.co', 'ample.cp'".into(),
        },
        Case {
            name: "clients, the same, a later page",
            what: clients(Some("ample.co"), None, None, Some("shop-5")),
            contains: CLIENTS,
            arguments: "'bench', 'shop-5', 50, NULL, 'ample.co', 'ample.cp'".into(),
        },
        Case {
            name: "clients, search that 2500 match, page by page sorted",
            what: clients(Some("ank-"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ank-', 'ank.'".into(),
        },
        Case {
            name: "clients, search that one matches",
            what: clients(Some("lient 9998"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'lient 9998', 'lient 9999'".into(),
        },
        Case {
            name: "clients, by host",
            what: clients(Some("ank9997.apps"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ank9997.apps', 'ank9997.appt'".into(),
        },
        Case {
            name: "clients, search that none matches",
            what: clients(Some("nothing"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'nothing', 'nothinh'".into(),
        },
        Case {
            name: "clients of a developer",
            what: clients(None, Some(developer), None, None),
            contains: &["FROM clients", "AND owner = $7 AND"],
            arguments: format!("'bench', '', 50, NULL, NULL, NULL, '{developer}'"),
        },
        Case {
            name: "clients of a developer, search",
            what: clients(Some("lient"), Some(developer), None, None),
            contains: &["FROM clients", "AND owner = $7 AND"],
            arguments: format!("'bench', '', 50, NULL, 'lient', 'lienu', '{developer}'"),
        },
        Case {
            name: "keys of the clients on a page",
            what: What::Keys(ten),
            contains: &["FROM client_keys", "ORDER BY client_id, created_at, id"],
            arguments: "'bench', ARRAY['bank-1', 'bank-5', 'bank-9']".into(),
        },
        Case {
            name: "keys that end within 30 days",
            what: What::Ending,
            contains: &["FROM client_keys", "not_after >= $2"],
            arguments: format!("'bench', {NOW}, {}, 50", NOW + 30 * 86_400),
        },
        Case {
            name: "users",
            what: users(None, None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "users that are disabled",
            what: users(None, None, Some(true)),
            contains: &["FROM users WHERE tenant = $1 AND username > $2 AND disabled"],
            arguments: "'bench', '', 50, true, NULL, NULL".into(),
        },
        Case {
            name: "users, whether few pieces match",
            what: users(Some("person of"), None, None),
            contains: &["SELECT count(*)", "FROM user_search"],
            arguments: "'bench', 'person of', 'person og', 5001".into(),
        },
        Case {
            name: "users, search that all match",
            what: users(Some("person of"), None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, 'person of', 'person og'".into(),
        },
        Case {
            name: "users, search that 1111 match",
            what: users(Some("ail17"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'ail17', 'ail18'".into(),
        },
        Case {
            name: "users, search by address",
            what: users(Some("l7777@exam"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'l7777@exam', 'l7777@exan'".into(),
        },
        Case {
            name: "users, search by name",
            what: users(Some("ber 19999"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'ber 19999', 'ber 1999:'".into(),
        },
        Case {
            name: "users, two characters",
            what: users(Some("us"), None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, '\u{1}us', '\u{1}ut'".into(),
        },
        Case {
            name: "users with a role",
            what: users(None, Some(Role::Developer), None),
            contains: &["FROM users", "AND role = $7 AND"],
            arguments: "'bench', '', 50, NULL, NULL, NULL, 'developer'".into(),
        },
        Case {
            name: "users with a role, search",
            what: users(Some("son of"), Some(Role::Developer), None),
            contains: &["FROM users", "AND role = $7 AND"],
            arguments: "'bench', '', 50, NULL, 'son of', 'son og', 'developer'".into(),
        },
        Case {
            name: "users by address",
            what: What::Email("mail777@example.com"),
            contains: &["FROM users", "AND email = $4 ORDER BY"],
            arguments: "'bench', '', 10, 'mail777@example.com'".into(),
        },
        Case {
            name: "sessions of a user",
            what: What::Sessions(user_id(77)),
            contains: &["FROM sessions", "user_id = $2 AND expires_at > $3"],
            arguments: format!("'bench', '{}', {NOW}", user_id(77)),
        },
        Case {
            name: "events without a link",
            what: What::Unsealed,
            contains: &["FROM audit WHERE tenant = $1 AND seal IS NULL"],
            arguments: "'bench', 500".into(),
        },
        Case {
            name: "events of the chain",
            what: What::Chained,
            contains: &["AND (seal, id) > ($2, $3)"],
            arguments: "'bench', 100, '00000000-0000-0000-0000-000000000000', 1000".into(),
        },
        Case {
            name: "last link",
            what: What::LastSeal,
            contains: &["FROM audit_seals", "ORDER BY number DESC"],
            arguments: "'bench'".into(),
        },
        Case {
            name: "links",
            what: What::Seals,
            contains: &["FROM audit_seals", "number > $2"],
            arguments: "'bench', 100, 1000".into(),
        },
        Case {
            name: "links with events",
            what: What::Unpurged,
            contains: &["FROM audit_seals", "purged_at IS NULL ORDER"],
            arguments: "'bench', 200".into(),
        },
        Case {
            name: "tallies of 30 days",
            what: What::Tallies,
            contains: &["FROM audit_tallies"],
            arguments: format!("'bench', {}", NOW / 86_400 - 30),
        },
    ];
    cases.extend(audit_cases(events));
    cases
}

/// How a statement is recognised by the condition that leads.
type Leads = &'static [&'static str];

fn audit_cases(events: i64) -> Vec<Case> {
    let plain = || AuditFilter { limit: PAGE, ..AuditFilter::default() };
    let middle = {
        let (i, at) = (events / 2, NOW - SPAN / 2);
        Uuid::from_u128(
            u128::try_from(at * 1000).unwrap() << 80
                | (0x7000 | u128::try_from(i & 4095).unwrap()) << 64
                | 8 << 60
                | u128::try_from(i).unwrap(),
        )
    };
    let day = |filter: AuditFilter| AuditFilter {
        since: Some(NOW - SPAN / 2),
        until: Some(NOW - SPAN / 2 + 86_400),
        ..filter
    };
    let kind = |kind: &str| AuditFilter { kind: Some(kind.into()), ..plain() };
    let actor = |actor: &str| AuditFilter { actor: Some(actor.into()), ..plain() };
    let client = |client: &str| AuditFilter { client_id: Some(client.into()), ..plain() };
    let reason = |reason: &str| AuditFilter { reason: Some(reason.into()), ..plain() };
    let refused = |filter: AuditFilter| AuditFilter { outcome: Some(Outcome::Refused), ..filter };
    let none: Leads = &["FROM audit ", "OR actor = $12) ORDER BY"];
    let correlation: Leads = &["FROM audit ", "AND correlation_id = $6 ORDER BY"];
    let user: Leads = &["FROM audit ", "AND user_id = $7 ORDER BY"];
    let by_actor: Leads = &["FROM audit ", "AND actor = $12 ORDER BY"];
    let by_client: Leads = &["FROM audit ", "AND client_id = $8 ORDER BY"];
    let by_reason: Leads = &["FROM audit ", "AND reason = $9 ORDER BY"];
    let by_kind: Leads = &["FROM audit ", "AND kind = $10 ORDER BY"];
    let by_outcome: Leads = &["FROM audit ", "AND outcome = $11 ORDER BY"];
    [
        ("audit", plain(), none),
        ("audit, a page in the middle", AuditFilter { before: Some(middle), ..plain() }, none),
        ("audit, one day in the middle", day(plain()), none),
        (
            "audit of one login",
            AuditFilter { correlation_id: Some("login-7".into()), ..plain() },
            correlation,
        ),
        ("audit of a user", AuditFilter { user_id: Some(user_id(77)), ..plain() }, user),
        ("audit of a user, refused", refused(AuditFilter { user_id: Some(user_id(78)), ..plain() }), user),
        ("audit by somebody", actor("user:22"), by_actor),
        ("audit by many", actor("command line"), by_actor),
        ("audit by somebody, one day", day(actor("command line")), by_actor),
        ("audit by somebody, refused", refused(actor("command line")), by_actor),
        ("audit of a client with a third of everything", client("shop-4"), by_client),
        ("audit of a client with two old events", client("rare"), by_client),
        ("audit of a client, one day", day(client("bank-1")), by_client),
        ("audit of a client, refused", refused(client("shop-4")), by_client),
        ("audit by a common reason", reason("jti_used"), by_reason),
        ("audit by a rare reason", reason("rare_reason"), by_reason),
        ("audit by a common kind", kind("token.issued"), by_kind),
        ("audit by a rare kind", kind("tenant.created"), by_kind),
        ("audit by a kind, one day", day(kind("login.succeeded")), by_kind),
        ("audit by outcome", refused(plain()), by_outcome),
        ("audit by outcome, one day", day(refused(plain())), by_outcome),
        ("audit by kind and outcome that exclude each other", refused(kind("token.issued")), by_kind),
        (
            "audit of a client, kind that it never had",
            AuditFilter { kind: Some("tenant.created".into()), ..client("shop-4") },
            by_client,
        ),
    ]
    .into_iter()
    .map(|(name, filter, contains)| {
        let arguments = audit_arguments(&filter);
        Case { name, what: What::Audit(Box::new(filter)), contains, arguments }
    })
    .collect()
}

fn audit_arguments(filter: &AuditFilter) -> String {
    let (from, before) = signet_store::search::span(filter);
    let text = |value: Option<&str>| value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
    let outcome = filter.outcome.map(signet_store::backend::outcome_name);
    [
        "'bench'".to_owned(),
        format!("'{before}'"),
        format!("'{from}'"),
        filter.since.unwrap_or(i64::MIN + 1).to_string(),
        filter.until.unwrap_or(i64::MAX).to_string(),
        text(filter.correlation_id.as_deref()),
        text(filter.user_id.map(|id| id.to_string()).as_deref()),
        text(filter.client_id.as_ref().map(ClientId::as_str)),
        text(filter.reason.as_deref()),
        text(filter.kind.as_deref()),
        text(outcome),
        text(filter.actor.as_deref()),
        PAGE.to_string(),
    ]
    .join(", ")
}
