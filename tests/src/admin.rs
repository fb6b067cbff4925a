//! People and programs that administer: users with roles, tokens of theirs, calls of the administrative interface.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;
use signet_core::admin::SCOPES;
use signet_core::change::Change;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{AccessToken, ClientAuthMethod, Grant, GrantType, Role, User};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::provider::{Provider, Reply};
use crate::rp::Rp;

/// The client through which everybody here administers; it holds every administrative scope.
pub const OPS: &str = "ops";

/// The provider, with what administering takes.
#[derive(Debug)]
pub struct Office {
    /// The provider.
    pub provider: Provider,
}

impl Office {
    /// A provider whose first tenant has the client [`OPS`].
    pub async fn open() -> Self {
        Self::of(Provider::start().await).await
    }

    /// The office of a provider.
    pub async fn of(provider: Provider) -> Self {
        let mut declaration = Rp::new(OPS).declaration();
        declaration.settings.grant_types.insert(GrantType::ClientCredentials);
        declaration.settings.token_endpoint_auth_method = ClientAuthMethod::ClientSecretBasic;
        declaration.settings.scope.extend(SCOPES.iter().map(|scope| scope.name.to_owned()));
        provider.register(&declaration).await;
        Self { provider }
    }

    fn uuid(&self) -> Uuid {
        self.provider.app.context(self.provider.now()).uuid()
    }

    /// Somebody with this role, or with none.
    pub async fn person(&self, name: &str, role: Option<Role>) -> Uuid {
        let tenant = TenantId::from("default");
        let user = User {
            tenant: tenant.clone(),
            id: self.uuid(),
            username: name.to_owned(),
            password_hash: None,
            claims: serde_json::Map::new(),
            role,
            disabled: false,
            version: 1,
            created_at: self.provider.now(),
            updated_at: self.provider.now(),
        };
        let id = user.id;
        self.provider.app.store.apply(&tenant, &[Change::InsertUser(user)]).await.unwrap();
        id
    }

    /// An access token with every administrative scope: of a person, or of [`OPS`] for itself.
    pub async fn token(&self, user: Option<Uuid>) -> String {
        let all: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        self.token_for("default", OPS, user, &all).await
    }

    /// A token of somebody with this role.
    pub async fn token_of(&self, role: Role) -> String {
        let person = self.person(&format!("{}-{}", role.name(), self.uuid()), Some(role)).await;
        self.token(Some(person)).await
    }

    /// An access token of this tenant, client, person and scope.
    pub async fn token_for(&self, tenant: &str, client: &str, user: Option<Uuid>, scope: &[&str]) -> String {
        let (tenant, client_id) = (TenantId::from(tenant), ClientId::from(client));
        let secret = format!("sgn_at_{}", self.uuid().simple());
        let grant = Grant {
            tenant: tenant.clone(),
            id: self.uuid(),
            client_id: client_id.clone(),
            user_id: user,
            sid: None,
            parent: None,
            created_at: self.provider.now(),
            revoked_at: None,
        };
        let token = AccessToken {
            tenant: tenant.clone(),
            hash: TokenHash::of(&secret),
            grant_id: grant.id,
            client_id,
            user_id: user,
            scope: scope.iter().map(|scope| (*scope).to_owned()).collect(),
            claims: std::collections::BTreeSet::new(),
            audience: std::collections::BTreeSet::new(),
            actor: None,
            issued_at: self.provider.now(),
            expires_at: self.provider.now() + 86_400 * 365,
        };
        let changes = [Change::InsertGrant(grant), Change::InsertAccessToken(token)];
        self.provider.app.store.apply(&tenant, &changes).await.unwrap();
        secret
    }

    /// Calls the interface of the first tenant; `path` is what stands behind `/admin/v1`.
    pub async fn call(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Reply {
        self.call_with(method, path, token, &[], body).await
    }

    /// The same with more headers.
    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/admin/v1{path}"));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                let kind =
                    if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
                request = request.header(header::CONTENT_TYPE, kind);
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let reply = self.provider.send(request.body(body).unwrap()).await;
        self.check_problem(&reply).await;
        reply
    }

    /// RFC 9457 section 3.1.1: the type of a problem leads to where it is explained.
    async fn check_problem(&self, reply: &Reply) {
        static PAGE: OnceCell<String> = OnceCell::const_new();
        if reply.header("content-type") != "application/problem+json" {
            return;
        }
        let page = PAGE.get_or_init(|| async {
            let request = Request::get("/admin/v1/docs").body(Body::empty());
            self.provider.send(request.unwrap()).await.body
        });
        let problem = reply.json();
        let code = problem["type"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        assert!(page.await.contains(&format!("id=\"{code}\"")), "{code} is not explained");
        assert_eq!(problem["code"], code.as_str());
    }

    /// The OpenAPI document.
    pub async fn document(&self) -> Value {
        self.call("GET", "/openapi.json", "", None).await.json()
    }
}
