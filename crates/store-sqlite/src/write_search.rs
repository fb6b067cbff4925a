//! Writes of what clients and users are found by. Only what differs is written: most changes of a record change none of it.

use signet_core::records::{Client, User};
use signet_store::{Result, search};
use sqlx::SqliteConnection;
use sqlx::types::Json;

use crate::fail::written;

pub(crate) async fn client(connection: &mut SqliteConnection, client: &Client) -> Result<()> {
    let (tenant, id) = (client.tenant.as_str(), client.client_id.as_str());
    let pieces = Json(search::client_pieces(client));
    let outcome = sqlx::query!(
        "DELETE FROM client_search
         WHERE tenant = ?1 AND client_id = ?2 AND piece NOT IN (SELECT value FROM json_each(?3))",
        tenant,
        id,
        pieces
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome = sqlx::query!(
        "INSERT INTO client_search (tenant, client_id, piece) SELECT ?1, ?2, value FROM json_each(?3) WHERE true
         ON CONFLICT DO NOTHING",
        tenant,
        id,
        pieces
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn user(connection: &mut SqliteConnection, user: &User) -> Result<()> {
    let (tenant, pieces) = (user.tenant.as_str(), Json(search::user_pieces(user)));
    let outcome = sqlx::query!(
        "DELETE FROM user_search
         WHERE tenant = ?1 AND user_id = ?2 AND piece NOT IN (SELECT value FROM json_each(?3))",
        tenant,
        user.id,
        pieces
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome = sqlx::query!(
        "INSERT INTO user_search (tenant, user_id, piece) SELECT ?1, ?2, value FROM json_each(?3) WHERE true
         ON CONFLICT DO NOTHING",
        tenant,
        user.id,
        pieces
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}
