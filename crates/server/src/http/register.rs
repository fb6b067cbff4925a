//! The registration endpoint and the address of each registration (RFC 7591, RFC 7592).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use signet_core::audit::{self, Kind};
use signet_core::change::Conflict;
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TokenHash};
use signet_core::records::{Client, ClientKey};
use signet_core::registration::{self, Registered};
use signet_store::StoreError;

use super::extract::{Moment, Tenant, authorization};
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;
use crate::vault::ClientSecrets;

/// How often a change is decided again after another one came first.
const ATTEMPTS: usize = 3;

/// Client metadata of the body.
pub(super) struct Metadata(Result<Map<String, Value>, Fault>);

impl FromRequest<App> for Metadata {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        // RFC 7591 section 3.1.
        if !kind.eq_ignore_ascii_case("application/json") {
            return Ok(Self(Err(Fault::RegistrationContentType)));
        }
        let body = Bytes::from_request(request, app).await.map_err(|_| Fault::BodyTooLarge);
        Ok(Self(body.and_then(|body| registration::body(&body))))
    }
}

/// The client that the path names; what cannot be one is not looked up.
pub(super) struct Named(ClientId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Failure> {
        let unknown = || Failure::registration(Fault::RegistrationTokenWrong);
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| unknown())?;
        signet_core::client_policy::client_id(&id).map_err(|_| unknown())?;
        Ok(Self(ClientId::new(id)))
    }
}

/// What every request here needs.
struct Call<'a> {
    app: &'a App,
    view: &'a TenantView,
    moment: &'a Moment,
    secrets: ClientSecrets,
}

impl<'a> Call<'a> {
    fn new(app: &'a App, view: &'a TenantView, moment: &'a Moment) -> Self {
        let secrets = ClientSecrets { vault: Some(app.vault.clone()), entropy: app.entropy.clone() };
        Self { app, view, moment, secrets }
    }

    fn facts(&self) -> registration::Facts<'_> {
        registration::Facts {
            tenant: &self.view.tenant,
            secrets: &self.secrets,
            mode: self.app.mode,
            correlation_id: &self.moment.correlation_id,
        }
    }

    /// A client's information, or why there is none; refusals are recorded.
    async fn respond(
        &self,
        kind: Kind,
        status: StatusCode,
        client: Option<&ClientId>,
        answer: Result<Option<Registered>, Fault>,
    ) -> Response {
        let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
        match answer {
            Ok(None) => (status, no_store).into_response(),
            Ok(Some(done)) => {
                let body = Json(done.information(&self.view.tenant));
                Note::client(Some(&done.client.client_id)).on((status, no_store, body).into_response())
            }
            Err(fault) => {
                // An endpoint that is not there leaves no trace.
                if !matches!(fault, Fault::NotFound) {
                    self.record(kind, &fault, client).await;
                }
                Note::client(client).on(Failure::registration(fault).into_response())
            }
        }
    }

    async fn record(&self, kind: Kind, fault: &Fault, client: Option<&ClientId>) {
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let mut event = audit::refused(tenant, kind, fault, &self.moment.correlation_id, &context)
            .fact("text", fault.public());
        if let Some(client) = client {
            event = event.client(client);
        }
        self.app.record(tenant, &[event.change()]).await;
    }

    /// The client and its keys as they are now, past every cache, if the token is the client's.
    async fn managed(&self, id: &ClientId, token: Option<&str>) -> Result<(Client, Vec<ClientKey>), Fault> {
        let tenant = &self.view.tenant;
        let client = self.app.store.client(&tenant.id, id).await.map_err(store_fault)?;
        let client = registration::manage(tenant, token, client.as_ref())?.clone();
        let keys = self.app.store.client_keys(&tenant.id, id).await.map_err(store_fault)?;
        Ok((client, keys))
    }

    /// OpenID Connect Registration section 5: the document is read before anything is registered.
    async fn check_sector(&self, client: &Client) -> Result<(), Fault> {
        self.app.check_sector(&client.settings, None).await
    }

    async fn create(&self, headers: &HeaderMap, metadata: Metadata) -> Result<Registered, Fault> {
        let (tenant, context) = (&self.view.tenant, self.app.context(self.moment.now));
        let token = token(headers)?;
        let initial = match token {
            Some(token) => self.app.store.initial_access_token(&tenant.id, &TokenHash::of(token)).await,
            None => Ok(None),
        };
        let initial = initial.map_err(store_fault)?;
        let initial = registration::admit(tenant, token, initial.as_ref(), self.moment.now)?;
        self.app.limits.registration(self.moment.address)?;
        let done = registration::create(&metadata.0?, &self.facts(), initial, &context)?;
        self.check_sector(&done.client).await?;
        match self.app.store.apply(&tenant.id, &done.changes).await {
            Ok(()) => Ok(done),
            Err(StoreError::Conflict(Conflict::InitialAccessToken)) => Err(Fault::InitialTokenUnusable),
            Err(error) => Err(store_fault(error)),
        }
    }

    async fn read(&self, id: &ClientId, headers: &HeaderMap) -> Result<Registered, Fault> {
        let token = token(headers)?;
        let (client, keys) = self.managed(id, token).await?;
        Ok(Registered::unchanged(&client, &keys, token.unwrap_or_default()))
    }

    async fn update(
        &self,
        id: &ClientId,
        headers: &HeaderMap,
        metadata: Metadata,
    ) -> Result<Registered, Fault> {
        let (tenant, context) = (&self.view.tenant, self.app.context(self.moment.now));
        let token = token(headers)?;
        let mut metadata = Some(metadata.0);
        let mut read = None;
        for _ in 0..ATTEMPTS {
            let (client, keys) = self.managed(id, token).await?;
            // Only whoever may change the client learns what is wrong with the body.
            if let Some(body) = metadata.take() {
                read = Some(body?);
            }
            let body = read.as_ref().ok_or(Fault::RegistrationBody)?;
            let token = token.unwrap_or_default();
            let done = registration::update(body, &client, &keys, token, &self.facts(), &context)?;
            self.check_sector(&done.client).await?;
            match self.app.store.apply(&tenant.id, &done.changes).await {
                Ok(()) => {
                    self.app.clients.forget();
                    return Ok(done);
                }
                Err(StoreError::Conflict(Conflict::Version)) => {}
                Err(error) => return Err(store_fault(error)),
            }
        }
        Err(Fault::Busy)
    }

    async fn delete(&self, id: &ClientId, headers: &HeaderMap) -> Result<(), Fault> {
        let (client, _) = self.managed(id, token(headers)?).await?;
        let changes = registration::delete(&client, &self.facts(), &self.app.context(self.moment.now));
        match self.app.store.apply(&self.view.tenant.id, &changes).await {
            Ok(()) => {
                self.app.clients.forget();
                Ok(())
            }
            // Somebody else removed it in between.
            Err(StoreError::Conflict(Conflict::Missing)) => Err(Fault::RegistrationTokenWrong),
            Err(error) => Err(store_fault(error)),
        }
    }
}

fn token(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let header = authorization(headers).map_err(|_| Fault::RegistrationTokenMalformed)?;
    registration::presented(header)
}

/// RFC 7591 section 3.1.
pub(super) async fn create(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    metadata: Metadata,
) -> Response {
    let call = Call::new(&app, &view, &moment);
    let answer = call.create(&headers, metadata).await.map(Some);
    call.respond(Kind::ClientRegistrationRefused, StatusCode::CREATED, None, answer).await
}

/// RFC 7592 section 2.1.
pub(super) async fn read(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    Named(id): Named,
    headers: HeaderMap,
) -> Response {
    let call = Call::new(&app, &view, &moment);
    let answer = call.read(&id, &headers).await.map(Some);
    call.respond(Kind::ClientManagementRefused, StatusCode::OK, Some(&id), answer).await
}

/// RFC 7592 section 2.2.
pub(super) async fn update(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    Named(id): Named,
    headers: HeaderMap,
    metadata: Metadata,
) -> Response {
    let call = Call::new(&app, &view, &moment);
    let answer = call.update(&id, &headers, metadata).await.map(Some);
    call.respond(Kind::ClientManagementRefused, StatusCode::OK, Some(&id), answer).await
}

/// RFC 7592 section 2.3: "a 204 No Content message".
pub(super) async fn delete(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    Named(id): Named,
    headers: HeaderMap,
) -> Response {
    let call = Call::new(&app, &view, &moment);
    let answer = call.delete(&id, &headers).await.map(|()| None);
    call.respond(Kind::ClientManagementRefused, StatusCode::NO_CONTENT, Some(&id), answer).await
}
