//! A person at the console.

use signet_core::change::Change;
use signet_core::provision::UserDeclaration;
use signet_core::records::{Role, User};

use crate::provider::{Browser, Provider, Reply, USER, between, form};

/// Somebody who is signed in to the console of the first tenant.
#[derive(Debug)]
pub struct Person<'a> {
    provider: &'a Provider,
    /// Their browser.
    pub browser: Browser,
}

/// Gives the first tenant's user a role, or takes it away.
pub async fn give_role(provider: &Provider, username: &str, role: Option<Role>) -> User {
    let store = &provider.app.store;
    let user = store.user_by_name(&"default".into(), username).await.unwrap().unwrap();
    let user = User { role, version: user.version + 1, ..user };
    store.apply(&"default".into(), &[Change::UpdateUser(user.clone())]).await.unwrap();
    user
}

/// Adds a user with this role, whose password is that of [`USER`].
pub async fn add_user(provider: &Provider, username: &str, role: Option<Role>) -> User {
    let template = provider.app.store.user_by_name(&"default".into(), USER.0).await.unwrap().unwrap();
    let declared = UserDeclaration {
        username: username.into(),
        password_hash: template.password_hash.map(|hash| signet_core::provision::Secret::new(&*hash)),
        ..serde_json::from_value(serde_json::json!({ "username": username })).unwrap()
    };
    provider.provisioner().user(&"default".into(), &declared).await.unwrap();
    give_role(provider, username, role).await
}

/// The user of the first tenant with this name.
pub async fn user(provider: &Provider, username: &str) -> User {
    provider.app.store.user_by_name(&"default".into(), username).await.unwrap().unwrap()
}

/// The part of a redirect's target that stands behind the issuer.
pub fn below(reply: &Reply) -> String {
    let location = reply.location();
    let location = location.strip_prefix("https://id.example").unwrap_or(location);
    location.strip_prefix("/auth/open").unwrap_or_else(|| panic!("{location} is elsewhere")).to_owned()
}

impl<'a> Person<'a> {
    /// Signs [`USER`] in with this role.
    pub async fn with_role(provider: &'a Provider, role: Role) -> Self {
        give_role(provider, USER.0, Some(role)).await;
        Self::sign_in(provider, USER.0).await
    }

    /// Signs in somebody who has a role.
    pub async fn sign_in(provider: &'a Provider, username: &str) -> Self {
        let mut person = Self { provider, browser: Browser::default() };
        let reply = person.enter("/console", username).await;
        assert!(below(&reply).starts_with("/console"), "{}: {}", reply.status, reply.location());
        person
    }

    /// A browser that is not signed in to anything.
    pub fn stranger(provider: &'a Provider) -> Self {
        Self { provider, browser: Browser::default() }
    }

    /// Opens an address of the console, signs in on the way, and gives the answer of the callback.
    pub async fn enter(&mut self, path: &str, username: &str) -> Reply {
        let start = self.get(path).await;
        assert!(below(&start).starts_with("/authorize?"), "{}: {}", start.status, start.location());
        let mut reply = self.get(&below(&start)).await;
        for _ in 0..6 {
            let next = below(&reply);
            let page = self.get(&next).await;
            if next.starts_with("/console/callback") {
                return page;
            }
            if page.status.is_redirection() {
                reply = page;
                continue;
            }
            assert_eq!(page.status, 200, "{next}: {}", page.body);
            let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
            let body = form(&[("csrf", csrf), ("username", username), ("password", USER.1)]);
            let path = next.split('?').next().unwrap().trim_end_matches("/login").to_owned();
            reply = self.provider.post(&format!("{path}/login"), body, Some(&mut self.browser)).await;
        }
        panic!("the sign-in does not end");
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> Reply {
        self.provider.get(path, Some(&mut self.browser)).await
    }

    /// The token of the forms.
    pub async fn csrf(&mut self) -> String {
        let page = self.get("/console/nothing-here").await;
        between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned()
    }

    /// POST of a form of the console.
    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf().await;
        let pairs: Vec<(&str, &str)> =
            std::iter::once(("csrf", csrf.as_str())).chain(pairs.iter().copied()).collect();
        self.provider.post(path, form(&pairs), Some(&mut self.browser)).await
    }
}
