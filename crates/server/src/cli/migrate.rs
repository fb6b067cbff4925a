//! `signet migrate`.

use std::process::ExitCode;

use super::Common;
use super::admin::open_store;
use super::output::{self, Problem};

pub(super) async fn run(common: &Common) -> Result<ExitCode, Problem> {
    let store = open_store(common).await?;
    let current = store.is_current().await.unwrap_or(false);
    store.migrate().await?;
    output::line(if current {
        "The schema is current; nothing was changed."
    } else {
        "The schema is now current."
    });
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
