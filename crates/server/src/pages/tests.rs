//! Every page with friendly and with nasty content.

use super::accent::{DARK, LIGHT, READABLE};
use super::*;

const NASTY: &str = "<script>alert(\"x\")</script>'&";
const LONG: &str = "An application name that is exactly sixty-four characters long!!";
const RTL: &str = "\u{202e}بنك الثقة";

fn shell(name: &str, logo: Option<&str>) -> Shell {
    let branding =
        Branding { name: name.into(), logo_url: logo.map(str::to_owned), accent: "#1f5f8b".into() };
    Shell::new("/acme", &branding)
}

#[expect(clippy::too_many_lines, reason = "one line for each member of each page")]
/// Every page, with `text` in every place that somebody else can fill.
fn pages(text: &str) -> Vec<(&'static str, String)> {
    let own = || text.to_owned();
    let some = || Some(text.to_owned());
    let shell = || shell(text, Some(text));
    let login = LoginPage {
        shell: shell(),
        client_name: own(),
        client_logo: some(),
        about: About { client_uri: some(), policy_uri: some(), tos_uri: some() },
        register: Some("/acme/interaction/1/register".into()),
        passkey: Some("/acme/interaction/1/passkey".into()),
        forgot: Some("/acme/account/forgot".into()),
        action: "/acme/login/1".into(),
        deny_action: "/acme/consent/1".into(),
        csrf: own(),
        username: own(),
        error: some(),
        asks: some(),
        correlation_id: own(),
        demo_users: vec![(own(), own())],
    };
    let asked = LoginPage { error: None, username: String::new(), ..login.clone() };
    let consent = ConsentPage {
        shell: shell(),
        client_name: own(),
        client_logo: some(),
        about: About { client_uri: some(), policy_uri: some(), tos_uri: some() },
        account: own(),
        scopes: vec![ScopeLine { title: own(), detail: own() }],
        goes_to: some(),
        administers: vec![ScopeLine { title: own(), detail: own() }],
        role: own(),
        action: "/acme/consent/1".into(),
        csrf: own(),
        device: true,
        remembered: true,
        switch_action: some(),
        correlation_id: own(),
    };
    let error = ErrorPage {
        shell: shell(),
        status: 400,
        heading: own(),
        text: own(),
        hint: own(),
        wire: own(),
        code: own(),
        correlation_id: own(),
        retry: Some((own(), own())),
    };
    let register = RegisterPage {
        shell: shell(),
        client_name: own(),
        client_logo: some(),
        about: About { client_uri: some(), policy_uri: some(), tos_uri: some() },
        action: "/acme/interaction/1/register".into(),
        login: "/acme/interaction/1/login".into(),
        csrf: own(),
        username: own(),
        name: own(),
        email: own(),
        error: Some(("username", own())),
        correlation_id: own(),
    };
    let form_post = FormPostPage { shell: shell(), action: own(), fields: vec![("state", own())] };
    let logout = LogoutPage {
        shell: shell(),
        account: own(),
        client_name: some(),
        action: own(),
        csrf: own(),
        client_id: some(),
        post_logout_redirect_uri: some(),
        state: some(),
    };
    let signed_out = SignedOutPage {
        shell: shell(),
        onward: Some(Onward { name: own(), address: own(), at_once: true }),
        frames: vec![own()],
        script: own(),
    };
    let home = HomePage {
        shell: shell(),
        issuer: own(),
        discovery: own(),
        jwks: own(),
        doors: vec![Door { name: "Account", address: "/acme/account".into(), text: "What is yours." }],
        demo: Some("/demo".into()),
        visitor: Some(Visitor {
            account: own(),
            sign_out: "/acme/logout".into(),
            applications: vec![(own(), own())],
        }),
    };
    let device =
        DevicePage { shell: shell(), action: own(), csrf: own(), user_code: own(), error: Some(own()) };
    let device_done = DeviceDonePage { shell: shell(), client_name: own(), allowed: true };
    let frame = || Frame {
        client_name: own(),
        action: "/acme/interaction/1/second".into(),
        csrf: own(),
        correlation_id: own(),
    };
    let second = SecondPage {
        shell: shell(),
        frame: frame(),
        account: own(),
        totp: true,
        recovery: true,
        passkey: Some("/acme/interaction/1/passkey".into()),
        error: some(),
    };
    let offer = TotpOffer {
        picture: crate::factors::totp::picture("otpauth://totp/x").unwrap(),
        address: own(),
        secret: own(),
        enrolment: own(),
    };
    let enrol = EnrolPage { shell: shell(), frame: frame(), offer, error: some() };
    let recovery = RecoveryPage {
        shell: shell(),
        frame: frame(),
        codes: vec![own()],
        onward: "/acme/interaction/1".into(),
    };
    let passkey = PasskeyPage {
        shell: shell(),
        frame: frame(),
        options: own(),
        back: "/acme/interaction/1".into(),
        error: some(),
    };
    let around = || account::Frame {
        prefix: "/acme".into(),
        account: own(),
        administers: true,
        section: account::Section::Security,
        csrf: own(),
        done: some(),
        error: some(),
    };
    let key = || account::CredentialLine { id: "1".into(), name: own(), since: own(), last_used: some() };
    let app_key = account::CredentialLine { id: "2".into(), ..key() };
    let offer = TotpOffer {
        picture: crate::factors::totp::picture("otpauth://totp/x").unwrap(),
        address: own(),
        secret: own(),
        enrolment: own(),
    };
    let field = account::ProfileField { name: "name", label: "Name", value: own() };
    let session = account::SessionLine {
        sid: own(),
        is_this: false,
        since: own(),
        last_seen: own(),
        how: own(),
        applications: vec![own()],
    };
    let this = account::SessionLine { is_this: true, ..session.clone() };
    let line = account::ApplicationLine { client_id: own(), name: own(), allowed: vec![own()], since: own() };
    let own_pages = vec![
        (
            "account",
            account::ProfilePage {
                shell: shell(),
                frame: around(),
                username: own(),
                version: 1,
                fields: vec![field],
            }
            .render(),
        ),
        (
            "account_password",
            account::PasswordPage { shell: shell(), frame: around(), username: own(), has_password: true }
                .render(),
        ),
        (
            "account_sessions",
            account::SessionsPage {
                shell: shell(),
                frame: around(),
                sign_out: "/acme/logout".into(),
                lines: vec![this, session],
            }
            .render(),
        ),
        (
            "account_applications",
            account::ApplicationsPage { shell: shell(), frame: around(), lines: vec![line] }.render(),
        ),
        (
            "account_security",
            account::SecurityPage {
                shell: shell(),
                frame: around(),
                has_password: true,
                can_have_passkeys: true,
                passkeys: vec![key()],
                totp: vec![app_key],
                recovery_codes: 3,
                has_second: true,
            }
            .render(),
        ),
        (
            "account_new_passkey",
            account::NewPasskeyPage { shell: shell(), frame: around(), options: own() }.render(),
        ),
        ("account_authenticator", account::NewTotpPage { shell: shell(), frame: around(), offer }.render()),
        (
            "account_codes",
            account::CodesPage { shell: shell(), frame: around(), codes: vec![own()] }.render(),
        ),
        (
            "forgot",
            account::ForgotPage {
                shell: shell(),
                action: "/acme/account/forgot".into(),
                csrf: own(),
                sent: true,
                lifetime: own(),
                quiet: own(),
                mails: some(),
                account: "/acme/account".into(),
                error: some(),
            }
            .render(),
        ),
        (
            "choose",
            account::ChoosePage {
                shell: shell(),
                action: "/acme/account/link".into(),
                token: own().into(),
                username: own(),
                invited: true,
                error: some(),
            }
            .render(),
        ),
        (
            "chosen",
            account::ChosenPage {
                shell: shell(),
                username: own(),
                account: "/acme/account".into(),
                console: some(),
            }
            .render(),
        ),
    ];
    let mail = || account::MailLine { number: 1, to: own(), subject: own(), at: own(), text: own() };
    let mails = vec![
        (
            "dev_mails",
            account::MailsPage { shell: shell(), home: "/acme/dev/mail".into(), lines: vec![mail()] }
                .render(),
        ),
        (
            "dev_mail",
            account::MailPage {
                shell: shell(),
                home: "/acme/dev/mail".into(),
                line: mail(),
                before: own(),
                link: own(),
                after: own(),
            }
            .render(),
        ),
    ];
    own_pages
        .into_iter()
        .chain(mails)
        .chain(vec![
            ("second", second.render()),
            ("enrol", enrol.render()),
            ("recovery", recovery.render()),
            ("passkey", passkey.render()),
            ("device", device.render()),
            ("device_done", device_done.render()),
            ("login", login.render()),
            ("asked", asked.render()),
            ("consent", consent.render()),
            ("error", error.render()),
            ("register", register.render()),
            ("form_post", form_post.render()),
            ("logout", logout.render()),
            ("signed_out", signed_out.render()),
            ("home", home.render()),
        ])
        .collect()
}

/// The tags of a document, without their brackets.
pub(crate) fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
}

/// The attributes of a tag; one without a value has an empty one.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut rest = tag.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => ("", after),
        };
        found.push((name, value));
        rest = after.trim_start();
    }
    found
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    attributes(tag).into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// The pages with one script of their own: who posts a response, and who asks the browser for a passkey.
const SCRIPTED: [&str; 3] = ["form_post", "passkey", "account_new_passkey"];

/// The rules that hold for every document of the server.
pub(crate) fn check(page: &str, html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{page}");
    let tags = tags(html);
    let count = |name: &str| tags.iter().filter(|tag| tag.split_whitespace().next() == Some(name)).count();
    // WCAG 2.2 criteria 3.1.1, 2.4.2, 1.3.1.
    assert_eq!(
        attribute(tags.iter().find(|tag| tag.starts_with("html")).unwrap(), "lang"),
        Some("en"),
        "{page}"
    );
    assert_eq!((count("h1"), count("main"), count("title")), (1, 1, 1), "{page}");
    // The Content Security Policy forbids these; nothing may lean on them.
    assert_eq!(count("style"), 0, "{page}");
    assert_eq!(count("script"), usize::from(SCRIPTED.contains(&page)), "{page}");
    for (name, value) in tags.iter().flat_map(|tag| attributes(tag)) {
        assert!(name != "style" && !name.starts_with("on"), "{page}: {name}={value}");
    }
    // WCAG 2.2 criteria 3.3.2 and 4.1.2: every field that is shown has a label.
    for tag in tags.iter().filter(|tag| tag.starts_with("input") && !tag.contains("type=\"hidden\"")) {
        let id = attribute(tag, "id").unwrap_or_else(|| panic!("{page}: {tag}"));
        assert!(html.contains(&format!("<label for=\"{id}\"")), "{page}: {id}");
        assert!(attribute(tag, "autocomplete").is_some(), "{page}: {id}");
    }
    // Criterion 1.1.1.
    assert!(
        tags.iter().filter(|tag| tag.starts_with("img")).all(|tag| attribute(tag, "alt").is_some()),
        "{page}"
    );
    let mut ids: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{page}: an id occurs twice");
    for name in ["aria-describedby", "aria-labelledby", "for"] {
        for target in tags.iter().filter_map(|tag| attribute(tag, name)) {
            assert!(ids.contains(&target), "{page}: {name} {target}");
        }
    }
}

#[test]
fn every_page_is_well_formed_whatever_it_is_given() {
    for text in ["Acme", NASTY, LONG, RTL, "", "\" style=\"x\" onload=\"y", "javascript:alert(1)"] {
        for (page, html) in pages(text) {
            check(page, &html);
            assert!(!html.contains(NASTY), "{page}");
        }
    }
}

#[test]
fn markup_in_names_is_shown_and_not_obeyed() {
    for (page, html) in pages(NASTY) {
        assert_eq!(html.matches("<script").count(), usize::from(SCRIPTED.contains(&page)), "{page}");
        assert!(!html.contains("alert(\"x\")"), "{page}");
        assert!(html.contains("&#60;script&#62;"), "{page}");
    }
    // A name that runs from right to left does not turn the text around it.
    for (page, html) in pages(RTL).into_iter().filter(|(page, _)| *page != "error") {
        assert!(html.contains(&format!("<bdi>{RTL}</bdi>")), "{page}");
    }
}

#[test]
fn only_web_addresses_become_links_of_clients() {
    for (page, html) in pages("javascript:alert(1)") {
        if ["consent", "signed_out", "login"].contains(&page) {
            for tag in tags(&html) {
                for name in ["href", "src"] {
                    assert!(
                        !attribute(tag, name).is_some_and(|to| to.starts_with("javascript:")),
                        "{page}: {tag}"
                    );
                }
            }
        }
    }
    for (address, fits) in [
        ("com.example.app:/out", true),
        ("http://127.0.0.1:1/", true),
        ("javascript:alert(1)", false),
        ("java.script\n:x", false),
        ("data:text/html,.", false),
        ("", false),
    ] {
        assert_eq!(application_address(address).is_some(), fits, "{address}");
    }
    assert_eq!(web_address(Some("HTTPS://a.example")), Some("HTTPS://a.example"));
    for address in
        ["", "data:text/html,x", "//a.example", "/a", " https://a.example", "ftp://a.example", "httpſ://a"]
    {
        assert_eq!(web_address(Some(address)), None, "{address}");
    }
    for (address, fits) in [("https://a/x.png", true), ("data:image/png;base64,x", true), ("/assets/x", true)]
        .into_iter()
        .chain([("http://a/x.png", false), ("//a/x.png", false), ("data:text/html,x", false)])
    {
        assert_eq!(image_address(Some(address)).is_some(), fits, "{address}");
    }
}

#[test]
fn the_stable_ids_are_there() {
    let pages = pages("Acme");
    let html = |wanted: &str| &pages.iter().find(|(page, _)| *page == wanted).unwrap().1;
    for (page, ids) in [
        ("login", &["username", "password", "submit", "deny", "use-passkey"][..]),
        ("second", &["code", "submit", "deny", "use-passkey"][..]),
        ("enrol", &["totp-secret", "code", "submit", "deny"][..]),
        ("recovery", &["recovery-codes", "continue"][..]),
        ("passkey", &["passkey", "start-passkey", "passkey-problem", "other-way"][..]),
        ("consent", &["accept", "deny"][..]),
        ("logout", &["logout-confirm"][..]),
    ] {
        for id in ids {
            assert!(html(page).contains(&format!(" id=\"{id}\"")), "{page}: {id}");
        }
    }
    // WCAG 2.2 criterion 3.3.1: the error is announced and leads to the field.
    assert!(html("login").contains("role=\"alert\"") && html("login").contains("href=\"#username\""));
    assert!(html("login").contains("<title>Error: "));
    assert!(!html("asked").contains("role=\"alert\"") && html("asked").contains("class=\"notice\""));
}

#[test]
fn assets_of_a_tenant_have_its_prefix_and_exist() {
    let shell = shell("Acme", None);
    for address in [shell.stylesheet(), shell.demo_stylesheet(), shell.theme(), shell.seal()] {
        let name = address.strip_prefix("/acme/assets/").unwrap();
        assert!(find_asset(name).is_some(), "{address}");
    }
}

/// Custom properties of a stylesheet's block.
fn colours(block: &str) -> std::collections::BTreeMap<String, Colour> {
    block
        .split(';')
        .filter_map(|line| line.trim().trim_start_matches(|c| c != '-').split_once(": #"))
        .filter_map(|(name, hex)| Some((name.to_owned(), Colour::from_hex(hex)?)))
        .collect()
}

fn schemes(css: &str) -> [String; 2] {
    let (light, rest) = css.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let (dark, _) = rest.split_once("\n}\n").unwrap();
    [light.to_owned(), dark.to_owned()]
}

#[test]
fn the_fixed_colours_are_readable_and_the_derived_ones_know_them() {
    let product = schemes(include_str!("../../assets/colours.css"));
    let demo = schemes(include_str!("../../assets/demo.css"));
    for (index, grounds) in [LIGHT, DARK].into_iter().enumerate() {
        let mut colours = colours(&product[index]);
        colours.extend(super::tests::colours(&demo[index]));
        assert_eq!([colours["--page"], colours["--surface"], colours["--flap"]], grounds, "{index}");
        let text = |text: &str, ground: &str, least: f64| {
            let contrast = colours[text].contrast(colours[ground]);
            assert!(contrast >= least, "{index}: {text} on {ground} is {contrast}");
        };
        for ground in ["--page", "--surface", "--flap", "--code"] {
            text("--text", ground, 7.0);
            text("--muted", ground, READABLE);
        }
        for segment in 1..=5 {
            text(&format!("--seg-{segment}"), "--surface", READABLE);
        }
        text("--danger", "--danger-ground", READABLE);
        text("--notice", "--notice-ground", READABLE);
        text("--good", "--good-ground", READABLE);
        // WCAG 2.2 criterion 1.4.11: the outline of a field.
        text("--field", "--surface", 3.0);
    }
}
