//! The table: no row is accepted, none fails the server, none burns a `jti`, and GET and POST agree.

use std::collections::{BTreeMap, BTreeSet};

use signet_tests::provider::{Reply, between};
use signet_tests::rp::Rp;

use crate::bench::{Bench, Method, Place, inside_uri};
use crate::row::{Case, Row, To};
use crate::{rows_claims, rows_form, rows_keys, rows_parameters, rows_transport};

/// The error goes where the row says, in the form that RFC 6749 section 4.1.2.1 and RFC 9207 section 2 say.
fn destination(row: &Row, reply: &Reply) -> Result<(), String> {
    let (uri, state) = match row.to {
        To::Page => {
            let shown = reply.body.contains(&format!("<dd>{}</dd>", row.reason));
            let known = reply.body.contains(reply.correlation_id());
            let sound = reply.status.is_client_error() && reply.location().is_empty() && shown && known;
            return if sound {
                Ok(())
            } else {
                Err(format!("no page: {} {}", reply.status, reply.location()))
            };
        }
        To::Beside => (Rp::new(row.id).redirect_uri, Some("beside")),
        To::Inside => (inside_uri(row.id), Some("inside")),
        To::Stateless => (inside_uri(row.id), None),
    };
    let found = (
        reply.status.as_u16(),
        reply.location().split(['?', '#']).next().unwrap_or_default().to_owned(),
        reply.location_param("error"),
        reply.location_param("state"),
        reply.location_param("iss"),
        reply.location_param("code"),
    );
    let wanted = (
        303,
        uri,
        Some(row.error.to_owned()),
        state.map(str::to_owned),
        Some(row.place.issuer.to_owned()),
        None,
    );
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
}

async fn judge(bench: &Bench, row: &Row, method: Method, number: usize) -> Result<Reply, String> {
    let jti = format!("row-{number}-{method:?}");
    let case = Case { bench, id: row.id, place: row.place, jti: jti.clone(), now: bench.provider.now() };
    let reply = bench.ask(row.place, method, &(row.make)(&case)).await;
    if reply.status.is_server_error() {
        return Err(format!("{} {}", reply.status, reply.body));
    }
    let reasons = bench.reasons(row.place, &reply).await;
    if reasons != [row.reason] {
        return Err(format!("reasons {reasons:?}: {} {}", reply.status, reply.location()));
    }
    destination(row, &reply)?;
    if row.recovers {
        let good = bench.around(row.id, &bench.good(row.id, row.place, Some(&jti)));
        accepted(bench, row.place, method, &good, "the jti was burnt").await?;
    }
    Ok(reply)
}

async fn accepted(
    bench: &Bench,
    place: Place,
    method: Method,
    sent: &crate::bench::Sent,
    what: &str,
) -> Result<(), String> {
    let reply = bench.ask(place, method, sent).await;
    if reply.location().contains("/interaction/") {
        return Ok(());
    }
    Err(format!("{what}: {:?} {}", bench.reasons(place, &reply).await, reply.status))
}

fn table() -> Vec<Row> {
    let mut rows = rows_form::rows();
    rows.extend(rows_keys::rows());
    rows.extend(rows_claims::rows());
    rows.extend(rows_parameters::rows());
    rows.extend(rows_transport::rows());
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_reason_and_its_destination_and_burns_nothing_a10_to_a62() {
    let bench = Bench::start().await;
    let rows = table();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.rule.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    assert!(rows.len() >= 150, "{} rows", rows.len());
    let mut wrong = Vec::new();
    let mut texts: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let by_post = judge(&bench, row, Method::Post, number).await;
        let by_get =
            if row.post_only { by_post.clone() } else { judge(&bench, row, Method::Get, number).await };
        match (&by_get, &by_post) {
            (Ok(get), Ok(post)) => {
                if (get.status, get.location()) != (post.status, post.location()) {
                    wrong.push(format!("{}: GET and POST differ", row.rule));
                }
                let on_page = || between(&post.body, "<p class=\"lead\">", "</p>").to_owned();
                let text = post.location_param("error_description").unwrap_or_else(on_page);
                texts.entry(row.reason.starts_with("undecryptable")).or_default().insert(text);
            }
            (get, post) => {
                for fault in [get, post].into_iter().filter_map(|judged| judged.as_ref().err()) {
                    wrong.push(format!("{} ({}): {fault}", row.rule, row.reason));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    // RFC 7516 section 11.5, A-51: one public text for every failure to decrypt; other reasons are told apart.
    assert_eq!(texts[&true].iter().collect::<Vec<_>>(), ["The request object cannot be decrypted."]);
    assert!(texts[&false].len() > 40, "{:?}", texts[&false]);
}
