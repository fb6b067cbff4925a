//! Fills the pages from what was loaded.

use std::collections::BTreeSet;

use signet_core::admin;
use signet_core::claims::Catalogue;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::records::{Client, User};

use super::forms;
use super::interaction::Loaded;
use super::render::shell;
use crate::app::App;
use crate::factors::passkeys::Passkeys;
use crate::factors::totp::{self, Shared};
use crate::pages::{
    About, ConsentPage, DeviceDonePage, ErrorPage, Frame, LoginPage, RegisterPage, ScopeLine, Shell,
    TotpOffer,
};
use crate::tenancy::TenantView;

/// The login page. `fault` is why the last attempt failed.
pub(super) fn login(
    app: &App,
    view: &TenantView,
    loaded: &Loaded,
    username: &str,
    fault: Option<&Fault>,
) -> String {
    let again = loaded.session.is_some() && fault.is_none();
    let action = path(view, loaded, "login");
    let page = LoginPage {
        shell: shell(view),
        client_name: client_name(loaded.client()),
        client_logo: loaded.client().settings.logo_uri.clone(),
        about: about(loaded.client()),
        register: view.tenant.settings.self_registration.then(|| path(view, loaded, "register")),
        forgot: app.mailer.works().then(|| format!("{}/account/forgot", view.prefix)),
        passkey: Passkeys::of(view).map(|_| path(view, loaded, "passkey")),
        deny_action: action.clone(),
        action,
        csrf: forms::csrf("login", &loaded.secret),
        username: username.to_owned(),
        error: fault.map(Fault::public),
        asks: again.then(|| "The application asks you to confirm who you are.".to_owned()),
        correlation_id: loaded.interaction.correlation_id.clone(),
        demo_users: app.demo_users.as_ref().map(|demo| demo.of(&view.tenant.id).to_vec()).unwrap_or_default(),
    };
    page.render()
}

/// The consent page for `scope`.
pub(super) fn consent(view: &TenantView, loaded: &Loaded, scope: &BTreeSet<String>) -> String {
    let catalogue = Catalogue::of(&view.tenant.settings);
    let device = loaded.interaction.request.device.is_some();
    let lines = |wanted: bool| {
        let names = in_order(scope).filter(move |name| admin::is_scope(name) == wanted);
        names.map(|name| line(catalogue, name)).collect::<Vec<_>>()
    };
    let administers = lines(true);
    let page = ConsentPage {
        shell: shell(view),
        client_name: client_name(loaded.client()),
        client_logo: loaded.client().settings.logo_uri.clone(),
        about: about(loaded.client()),
        account: loaded.user.as_ref().map(account).unwrap_or_default(),
        scopes: lines(false),
        goes_to: (!device).then(|| place(&loaded.interaction.request.redirect_uri)),
        role: loaded
            .user
            .as_ref()
            .and_then(|user| user.role)
            .map(signet_core::records::Role::name)
            .unwrap_or_default()
            .into(),
        action: path(view, loaded, "consent"),
        csrf: forms::csrf("consent", &loaded.secret),
        device,
        remembered: !device && administers.is_empty(),
        administers,
        switch_action: Some(path(view, loaded, "switch")),
        correlation_id: loaded.interaction.correlation_id.clone(),
    };
    page.render()
}

/// Where an address leads, as far as people need it: scheme and host; all of it where there is no host.
fn place(uri: &str) -> String {
    let origin = url::Url::parse(uri).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    origin.map_or_else(|| uri.to_owned(), |origin| origin.ascii_serialization())
}

/// What is said when a device has its answer.
pub(super) fn device_done(view: &TenantView, loaded: &Loaded, allowed: bool) -> String {
    let client_name = client_name(loaded.client());
    DeviceDonePage { shell: shell(view), client_name, allowed }.render()
}

/// The page on which people make an account. `form` is what the last attempt held, `fault` why it failed.
pub(super) fn register(view: &TenantView, loaded: &Loaded, form: &Params, fault: Option<&Fault>) -> String {
    let kept = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let page = RegisterPage {
        shell: shell(view),
        client_name: client_name(loaded.client()),
        client_logo: loaded.client().settings.logo_uri.clone(),
        about: about(loaded.client()),
        action: path(view, loaded, "register"),
        login: path(view, loaded, "login"),
        csrf: forms::csrf("register", &loaded.secret),
        username: kept("username"),
        name: kept("name"),
        email: kept("email"),
        error: fault.map(|fault| (field(fault), fault.public())),
        correlation_id: loaded.interaction.correlation_id.clone(),
    };
    page.render()
}

/// The field that a fault of the registration form is about.
fn field(fault: &Fault) -> &'static str {
    match fault {
        Fault::NewPasswordUnfit => "password",
        Fault::NewPasswordsDiffer => "password_again",
        Fault::NewNameUnfit => "name",
        Fault::NewEmailUnfit => "email",
        _ => "username",
    }
}

/// What the pages of the second step have in common. `step` is where the form is posted, and what its token is for.
pub(super) fn frame(view: &TenantView, loaded: &Loaded, step: &str) -> Frame {
    Frame {
        client_name: client_name(loaded.client()),
        action: path(view, loaded, step),
        csrf: forms::csrf(step, &loaded.secret),
        correlation_id: loaded.interaction.correlation_id.clone(),
    }
}

/// What an authenticator application is set up with. `enrolment` is the secret again, sealed.
pub(super) fn totp_offer(view: &TenantView, user: &User, shared: &Shared, enrolment: String) -> TotpOffer {
    let address = shared.address(&view.tenant.settings.branding.name, &user.username);
    TotpOffer {
        picture: totp::picture(&address).unwrap_or_default(),
        address: address.to_string(),
        secret: shared.text().to_string(),
        enrolment,
    }
}

/// The interaction's own address.
pub(super) fn own(view: &TenantView, loaded: &Loaded) -> String {
    format!("{}/interaction/{}", view.prefix, loaded.interaction.id)
}

/// An address within the interaction.
pub(super) fn path(view: &TenantView, loaded: &Loaded, step: &str) -> String {
    format!("{}/interaction/{}/{step}", view.prefix, loaded.interaction.id)
}

fn about(client: &Client) -> About {
    let settings = &client.settings;
    About {
        client_uri: settings.client_uri.clone(),
        policy_uri: settings.policy_uri.clone(),
        tos_uri: settings.tos_uri.clone(),
    }
}

/// How a client is called on our pages.
pub(super) fn client_name(client: &Client) -> String {
    let name = &client.settings.client_name;
    if name.is_empty() { client.client_id.to_string() } else { name.clone() }
}

/// How a person is called on our pages.
pub(super) fn account(user: &User) -> String {
    match user.claims.get("name").and_then(serde_json::Value::as_str) {
        Some(name) => format!("{name} ({})", user.username),
        None => user.username.clone(),
    }
}

/// Who the person is comes first; what else is told of them follows.
fn in_order(scope: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let is_first = |name: &&str| *name == "openid";
    let names = || scope.iter().map(String::as_str);
    names().filter(is_first).chain(names().filter(move |name| !is_first(name)))
}

fn line(catalogue: Catalogue<'_>, name: &str) -> ScopeLine {
    let known = catalogue.find(name).map(|scope| (scope.title(), scope.detail()));
    let administrative = || admin::find(name).map(|scope| (scope.title, scope.detail));
    let (title, detail) = known.or_else(administrative).unwrap_or((name, "A permission of this service."));
    ScopeLine { title: title.to_owned(), detail: detail.to_owned() }
}

/// The page for a logout request that cannot be accepted: people may sign out here all the same.
pub(super) fn logout_error(view: &TenantView, fault: &Fault, correlation_id: &str) -> String {
    let retry = Some(("Sign out here".to_owned(), format!("{}/logout", view.prefix)));
    error_with(shell(view), fault, correlation_id, retry)
}

/// The page for a sign-in to the console that failed: it may be tried again.
pub(super) fn console_error(view: &TenantView, fault: &Fault, correlation_id: &str) -> String {
    let retry = Some(("Open the console".to_owned(), format!("{}/console", view.prefix)));
    error_with(shell(view), fault, correlation_id, retry)
}

/// The page for somebody who has an account here and no role.
pub(super) fn without_role(view: &TenantView, account: Option<&str>, correlation_id: &str) -> String {
    let fault = Fault::AdminRoleMissing;
    let name = &view.tenant.settings.branding.name;
    let who = account.map(|account| format!("You are signed in as {account}. ")).unwrap_or_default();
    let page = ErrorPage {
        shell: shell(view),
        status: fault.status(),
        heading: "You have no role here".to_owned(),
        text: fault.public(),
        hint: format!(
            "{who}Ask an owner or administrator of {name} to give your account a role: administrator, developer or \
             auditor. Or sign out, and sign in with another account."
        ),
        wire: fault.wire().to_owned(),
        code: fault.code().to_owned(),
        correlation_id: correlation_id.to_owned(),
        retry: Some(("Sign out".to_owned(), format!("{}/logout", view.prefix))),
    };
    page.render()
}

/// The page for `fault`.
pub(super) fn error(shell: Shell, fault: &Fault, correlation_id: &str) -> String {
    error_with(shell, fault, correlation_id, None)
}

fn error_with(shell: Shell, fault: &Fault, correlation_id: &str, retry: Option<(String, String)>) -> String {
    let (heading, hint) = advice(fault);
    let page = ErrorPage {
        shell,
        status: fault.status(),
        heading: heading.to_owned(),
        text: fault.public(),
        hint: hint.to_owned(),
        wire: if fault.wire().is_empty() { "invalid_request" } else { fault.wire() }.to_owned(),
        code: fault.code().to_owned(),
        correlation_id: correlation_id.to_owned(),
        retry,
    };
    page.render()
}

/// What happened, and what the reader can do.
fn advice(fault: &Fault) -> (&'static str, &'static str) {
    const OWNER: &str = "Go back to the application and try once more. If this page comes back, give its owner the \
                         code and the reference below: they tell exactly what to mend.";
    match fault.status() {
        404 | 405 => ("There is nothing here", "Check the address, or start again from the application."),
        429 => ("Too many attempts", "Wait a minute, then try again."),
        503 => ("The server is busy", "Nothing is lost. Wait a moment, then reload this page."),
        500..=599 => (
            "Something went wrong here",
            "Try again in a moment. The operator finds the reason by the reference below.",
        ),
        _ => match fault {
            Fault::InteractionUnknown
            | Fault::InteractionExpired
            | Fault::InteractionFinished
            | Fault::InteractionForeign
            | Fault::FormForged
            | Fault::FormMalformed => ("This sign-in cannot go on", "Start again from the application."),
            _ => ("The application sent a request that cannot be accepted", OWNER),
        },
    }
}
