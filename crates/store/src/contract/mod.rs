//! The contract suite: plain functions over a store, run by every backend from its `tests/` through
//! [`contract_tests!`](crate::contract_tests). Each gets an empty, migrated store of its own.
#![expect(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test suite: names state the rules, and failing is what it does"
)]

pub mod atomicity;
pub mod audit;
pub mod build;
pub mod chain;
pub mod endings;
pub mod isolation;
pub mod logins;
pub mod logouts;
pub mod operations;
pub mod people;
pub mod races;
pub mod refresh;
pub mod round_trips;
pub mod search;
pub mod setup;
pub mod single_use;
pub mod sweeping;
pub mod waiting;

use std::sync::Arc;

use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;

use crate::{Store, StoreError};

/// The store under test.
pub type Handle = Arc<dyn Store>;

/// Applies `changes`, which must succeed.
pub async fn apply(store: &Handle, tenant: &TenantId, changes: &[Change]) {
    store.apply(tenant, changes).await.expect("the changes apply");
}

/// Applies `changes`, which must end in `conflict`.
#[track_caller]
pub fn assert_conflict(outcome: crate::Result<()>, conflict: Conflict) {
    match outcome {
        Err(StoreError::Conflict(found)) => assert_eq!(found, conflict),
        other => panic!("expected {conflict:?}, found {other:?}"),
    }
}

/// One test per case. `$open` is an async function; what it returns has `store() -> &Handle` and `async close(self)`.
#[macro_export]
macro_rules! contract_tests {
    ($open:path) => {
        $crate::contract_tests! { @modules $open;
            setup: tenants_are_listed_by_id, a_tenant_needs_a_new_id_and_issuer,
                a_tenant_update_names_the_version_it_saw, tenant_keys_end_and_are_withdrawn,
                a_client_update_names_the_version_it_saw, client_keys_have_unique_kids_while_unrevoked,
                client_keys_are_edited_and_withdrawn, users_have_unique_names, listings_come_in_pages,
                page_limits_are_clamped, a_deleted_client_takes_everything_along,
                a_deleted_user_takes_everything_along, records_that_refer_to_nothing_are_refused;
            logins: sessions_come_and_go, interactions_advance_step_by_step, consents_are_kept_and_taken_back,
                a_revoked_grant_ends_its_tokens, codes_and_tokens_are_of_their_grant,
                an_exchanged_grant_ends_with_the_first_of_its_line;
            refresh: a_refresh_token_comes_back_while_its_grant_stands, refresh_tokens_are_of_their_grant,
                a_grant_may_have_no_user, a_refresh_token_is_exchanged_in_time_and_by_its_client,
                a_retry_takes_the_place_of_unused_successors, a_kept_refresh_token_is_prolonged;
            waiting: a_pushed_request_is_taken_once, a_device_advances_step_by_step,
                a_device_is_approved_with_a_standing_grant, a_user_code_is_unique_while_it_lives,
                an_initial_access_token_is_counted_down;
            logouts: a_session_is_found_by_its_sid, a_session_remembers_its_clients,
                a_session_takes_its_grants_along, a_delivery_is_tried_until_it_is_settled,
                due_deliveries_come_longest_waiting_first, deliveries_are_listed_newest_first,
                settled_deliveries_are_kept_for_a_while;
            single_use: a_code_is_redeemed_once, a_code_is_redeemed_only_in_time_and_by_its_client,
                a_jti_is_used_once, an_expired_jti_is_free_again, a_claim_in_an_undone_transaction_is_undone;
            atomicity: a_late_conflict_undoes_everything, a_late_conflict_undoes_every_protocol_change, nothing_applied_is_nothing_written,
                a_foreign_record_is_refused;
            isolation: reads_see_one_tenant, changes_touch_one_tenant, equal_names_live_side_by_side;
            races: one_redemption_wins, one_claim_wins, one_claim_of_an_expired_entry_wins, one_update_wins,
                one_interaction_step_wins, no_token_outlives_its_grant, one_new_record_wins,
                one_exchange_wins, a_retry_and_the_use_of_its_successor_exclude_each_other,
                one_use_of_a_pushed_request_wins, one_device_step_wins, one_user_code_wins, one_attempt_wins,
                no_more_clients_register_than_allowed, no_refresh_token_outlives_its_grant;
            sweeping: the_dead_go_and_the_living_stay, a_limit_leaves_the_rest,
                replay_entries_outlast_clock_differences, a_redeemed_code_stays_with_its_tokens,
                what_waits_goes_when_it_expires, spent_refresh_tokens_stay_with_their_chain;
            audit: newest_first_and_page_by_page, filters_narrow;
            round_trips: any_text_comes_back, records_come_back_as_written,
                protocol_records_come_back_as_written, names_with_nul_find_nothing;
            people: credentials_are_kept_oldest_first, a_credential_is_used_renamed_and_removed,
                a_person_has_one_authenticator_application_and_a_passkey_one_person,
                wrong_codes_are_counted_however_many_come_at_a_time,
                a_link_is_used_once_in_time, an_offered_link_leaves_alone_a_fresh_one_of_its_kind,
                an_idempotency_key_is_noted_once,
                sessions_of_a_user_are_listed_while_they_live, links_and_receipts_go_when_they_expire,
                a_deleted_user_leaves_no_credential_link_or_client_of_theirs,
                people_of_one_tenant_are_not_anothers, a_late_conflict_undoes_every_change_to_people, one_use_of_a_one_time_password_wins,
                one_use_of_a_recovery_code_wins, one_use_of_a_link_wins,
                one_creation_with_an_idempotency_key_wins, of_many_links_offered_at_once_one_is_taken,
                one_link_is_left_of_many_sent_at_once;
            search: clients_are_found_by_id_and_name, a_developers_clients_are_theirs_alone,
                clients_are_found_by_the_hosts_of_their_redirect_uris,
                clients_and_users_are_found_by_whether_they_are_disabled,
                a_search_that_much_matches_finds_all_of_it_page_by_page, users_are_found_by_the_names_they_go_by,
                odd_names_do_no_harm_to_a_search, users_are_found_by_name_address_and_role,
                keys_of_several_clients_are_read_at_once, keys_that_end_soon_come_first,
                a_search_sees_one_tenant;
            chain: a_link_covers_its_events, an_event_has_one_link_and_a_number_is_given_once,
                tallies_add_up, purged_events_leave_their_link_and_tallies, a_late_conflict_undoes_links_and_removals, a_chain_is_one_tenants,
                one_of_many_nodes_makes_the_next_link, of_two_links_over_one_event_one_is_made,
                an_event_is_found_by_kind_outcome_and_time;
            endings: what_was_judged_by_a_user_needs_them_as_they_were, what_is_issued_in_a_session_needs_it,
                all_sessions_of_a_user_end_with_what_hangs_on_them, no_login_outlives_the_change_that_ends_it,
                nothing_is_issued_in_a_session_that_has_ended,
                of_those_who_take_a_session_one_goes_on_and_nobody_waits_for_ever;
            operations: migration_is_repeatable, the_clock_does_not_run_backwards;
        }
    };
    (@modules $open:path; $($module:ident: $($case:ident),+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let fixture = $open().await;
                $crate::contract::$module::$case(fixture.store()).await;
                fixture.close().await;
            }
        )+)+
    };
}

#[cfg(test)]
mod tests {
    /// A case that nobody runs would prove nothing.
    #[test]
    fn every_case_is_listed() {
        let list = include_str!("mod.rs");
        let modules = [
            include_str!("atomicity.rs"),
            include_str!("audit.rs"),
            include_str!("chain.rs"),
            include_str!("endings.rs"),
            include_str!("isolation.rs"),
            include_str!("logins.rs"),
            include_str!("logouts.rs"),
            include_str!("operations.rs"),
            include_str!("people.rs"),
            include_str!("races.rs"),
            include_str!("refresh.rs"),
            include_str!("round_trips.rs"),
            include_str!("search.rs"),
            include_str!("setup.rs"),
            include_str!("single_use.rs"),
            include_str!("sweeping.rs"),
            include_str!("waiting.rs"),
        ];
        for line in modules.iter().flat_map(|module| module.lines()) {
            let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
            let name = rest.split('(').next().unwrap();
            let listed = list.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            assert!(listed, "{name} is not listed");
        }
    }
}
