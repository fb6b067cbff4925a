//! Says that `signet dev` is ready, to people or to a test harness.

use serde_json::json;
use signet_core::discovery::Endpoint;
use signet_core::records::Role;

use super::Options;
use super::seed::{SeededClient, SeededUser};
use crate::cli::output;

/// With `--json` one line on standard output that holds all a harness needs; else a few lines for people.
pub(super) fn ready(
    as_json: bool,
    issuer: &str,
    origin: &str,
    users: &[SeededUser],
    clients: &[SeededClient],
    options: &Options,
) {
    if as_json {
        let base = issuer.trim_end_matches('/');
        output::value(&json!({
            "ready": true,
            "issuer": issuer,
            "address": origin,
            "demo": format!("{origin}/demo"),
            "discovery": format!("{base}/.well-known/openid-configuration"),
            "console": format!("{base}/console"),
            "account": format!("{base}/account"),
            "mail": format!("{}/dev/mail", issuer.trim_end_matches('/')),
            "registration": Endpoint::Register.url(issuer),
            "users": users,
            "clients": clients,
        }));
        return;
    }
    output::line(format!("\n  Signet for development: {issuer}\n"));
    output::line(format!("  See a sealed login:  {origin}/demo"));
    output::line(format!("  Discovery:           {issuer}/.well-known/openid-configuration"));
    let people: Vec<String> =
        users.iter().map(|user| format!("{} / {}", user.username, user.password)).collect();
    output::line(format!("  People:              {}   (user name / password)", people.join(",  ")));
    let base = issuer.trim_end_matches('/');
    if let Some(owner) = users.iter().find(|user| user.role == Some(Role::Owner)) {
        let (name, password) = (owner.username, owner.password);
        output::line(format!("  Console:             {base}/console   ({name} / {password} owns the place)"));
    }
    output::line(format!("  Account pages:       {base}/account"));
    output::line(format!(
        "  Mails:               {}/dev/mail   (shown there, not sent)",
        issuer.trim_end_matches('/')
    ));
    for client in clients {
        output::line(format!(
            "  Client:              {}   secret {}",
            client.client_id, client.client_secret
        ));
    }
    output::line(format!(
        "  Registration:        {}   (open: anybody may register a client)",
        Endpoint::Register.url(issuer)
    ));
    output::line("  For a test harness:  signet dev --port 0 --ephemeral --json");
    if options.clock_offset != 0 {
        output::line(format!("  The clock is moved by {} seconds.", options.clock_offset));
    }
    output::line(
        "\n  NOT FOR PRODUCTION: everybody knows these passwords, and anybody may register clients, with plain http",
    );
    output::line("  redirect URIs on this machine, and make accounts. Stop with Ctrl-C.\n");
    if !options.host.is_loopback() {
        output::note(format!(
            "WARNING: {} is reachable by others; they can sign in with the demo passwords and register clients.",
            options.host
        ));
    }
}
