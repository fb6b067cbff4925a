//! The document at `sector_identifier_uri`.

use crate::fault::Fault;

/// OpenID Connect Core section 8.1: "a JSON file containing an array of `redirect_uri` values". Registration section 5: "The
/// values registered in `redirect_uris` MUST be included in the elements of the array, or registration MUST fail."
/// Otherwise anybody could join a sector and learn by which `sub` its clients know a person.
pub fn sector(document: &[u8], redirect_uris: &[String]) -> Result<(), Fault> {
    let listed: Vec<String> = serde_json::from_slice(document).map_err(|_| Fault::SectorUnreadable)?;
    if redirect_uris.iter().all(|uri| listed.contains(uri)) { Ok(()) } else { Err(Fault::SectorMismatch) }
}
