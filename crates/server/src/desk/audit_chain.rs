//! The chain of the audit trail, judged a part at a time.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::AUDIT_READ;

use super::{Desk, Refused, Remark, Result};
use crate::audit_chain::{Part, verify_part};

/// One link, as it is to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditLink {
    /// Counts up from 1.
    pub number: i64,
    /// Its MAC, in hexadecimal digits.
    pub mac: String,
}

/// What was found in a part of the chain.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditChain {
    /// The link that the walk began after, as it is now.
    pub from: Option<AuditLink>,
    /// The last link that was judged, or the one it began after if there are no more.
    pub last: Option<AuditLink>,
    /// How many links were judged.
    pub links: u64,
    /// How many of them were emptied because the time of their events was over.
    pub purged: u64,
    /// How many events the others cover.
    pub events: u64,
    /// Everything that is wrong, in the order of the links; at most 100, and there the walk ends.
    pub wrong: Vec<Remark>,
    /// Where the next part begins; `None` where the chain, or the walk, ends.
    pub next: Option<i64>,
}

impl Desk<'_> {
    /// Judges at most `limit` (1 to 100) links of the tenant's chain after the one of the number `after`. For developers, who
    /// see the events of their own clients alone, there is no chain.
    pub async fn audit_chain(&self, after: i64, limit: u32) -> Result<AuditChain> {
        self.actor.need(AUDIT_READ)?;
        if self.actor.confined_to().is_some() {
            return Err(Refused::NotFound);
        }
        let (store, keys) = (self.app.store.as_ref(), self.app.vault.chain_keys());
        let part = verify_part(store, &keys, &self.tenant().id, after, limit.clamp(1, 100)).await?;
        let Part { from, found, next } = part.ok_or(Refused::NotFound)?;
        let link = |(number, mac): (i64, [u8; 32])| AuditLink { number, mac: hex::encode(mac) };
        let told = found.wrong.iter().map(|wrong| {
            let (code, text) = (wrong.code().into(), wrong.to_string());
            Remark { code, text, ..Remark::default() }
        });
        Ok(AuditChain {
            from: from.map(link),
            last: found.last.map(link),
            links: found.links,
            purged: found.purged,
            events: found.events,
            wrong: told.collect(),
            next,
        })
    }
}
