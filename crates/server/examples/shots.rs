use signet_core::records::Branding;
use signet_server::pages::*;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let accents = [
        ("", "Signet", "#8c1c2e", None),
        ("b-", "Nordbank", "#ffd34d", None),
        (
            "c-",
            "Acme Öffentliche Verwaltung GmbH",
            "#1f5f8b",
            Some(
                "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 40'%3E%3Crect width='160' height='40' rx='6' fill='%231f5f8b'/%3E%3Ctext x='80' y='27' text-anchor='middle' font-family='sans-serif' font-weight='700' font-size='20' fill='white'%3EACME%3C/text%3E%3C/svg%3E",
            ),
        ),
    ];
    for (pre, name, accent, logo) in accents {
        let sh = || Shell {
            prefix: ".".into(),
            ..Shell::new(
                "",
                &Branding { name: name.into(), accent: accent.into(), logo_url: logo.map(str::to_owned) },
            )
        };
        let w = |n: &str, h: String| std::fs::write(format!("{dir}/{pre}{n}.html"), h).unwrap();
        let l = LoginPage {
            shell: sh(),
            client_name: "Acme Web".into(),
            client_logo: None,
            action: "/x".into(),
            deny_action: "/y".into(),
            csrf: "c".into(),
            username: "".into(),
            error: None,
            asks: None,
            correlation_id: "0192f3c4-7d1e-7c3a-9a56-2f1f0c2b9d11".into(),
            demo_users: vec![("alice".into(), "alice-demo".into()), ("bob".into(), "bob-demo".into())],
        };
        w(
            "login-error",
            LoginPage {
                error: Some("The user name or the password is not right.".into()),
                username: "alice".into(),
                demo_users: vec![],
                ..l.clone()
            }
            .render(),
        );
        w(
            "login-asks",
            LoginPage {
                asks: Some("The application asks you to confirm that it is still you.".into()),
                username: "alice".into(),
                demo_users: vec![],
                ..l.clone()
            }
            .render(),
        );
        w("login", l.render());
        w(
            "consent",
            ConsentPage {
                shell: sh(),
                client_name: "Acme Web".into(),
                client_uri: Some("https://a".into()),
                client_logo: None,
                policy_uri: Some("https://b".into()),
                tos_uri: Some("https://b".into()),
                account: "Alice Example".into(),
                scopes: signet_core::claims::SCOPES
                    .iter()
                    .take(3)
                    .map(|s| ScopeLine { title: s.title.into(), detail: s.detail.into() })
                    .collect(),
                action: "/".into(),
                csrf: "".into(),
                remembered: true,
                switch_action: Some("/s".into()),
                correlation_id: "0192f3c4-7d1e-7c3a-9a56-2f1f0c2b9d11".into(),
            }
            .render(),
        );
        w("error", ErrorPage { shell: sh(), status: 400, heading: "This sign-in cannot go on".into(), text: "The application sent a request that is not acceptable.".into(), hint: "Go back to the application and start again. If this happens again, tell the people who run the application.".into(), code: "redirect_uri_unregistered".into(), correlation_id: "0192f3c4-7d1e-7c3a-9a56-2f1f0c2b9d11".into(), retry: Some(("Start again".into(), "/".into())) }.render());
        w(
            "logout",
            LogoutPage {
                shell: sh(),
                account: "alice".into(),
                client_name: Some("Acme Web".into()),
                action: "/".into(),
                csrf: "".into(),
            }
            .render(),
        );
        w(
            "signedout",
            SignedOutPage { shell: sh(), client: Some(("Acme Web".into(), "https://a".into())) }.render(),
        );
        w(
            "home",
            HomePage {
                shell: sh(),
                issuer: "http://localhost:8080".into(),
                discovery: "http://localhost:8080/.well-known/openid-configuration".into(),
                jwks: "http://localhost:8080/jwks".into(),
                demo: Some("/demo".into()),
            }
            .render(),
        );
    }
    std::fs::create_dir_all(format!("{dir}/assets")).unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    let sh = Shell::default();
    for (u, f) in [(sh.stylesheet(), "signet.css"), (sh.demo_stylesheet(), "demo.css")] {
        std::fs::copy(format!("{root}/assets/{f}"), format!("{dir}{u}")).unwrap();
    }
    let seal = std::fs::read_to_string(format!("{root}/assets/seal.svg")).unwrap();
    for (_, _, a, _) in accents {
        let a = Accent::parse(a).unwrap();
        std::fs::write(format!("{dir}/assets/theme-{}.css", a.hex()), a.stylesheet()).unwrap();
        std::fs::write(
            format!("{dir}/assets/seal-{}.svg", a.hex()),
            seal.replace("#ffffff", &format!("#{}", a.text().hex()))
                .replace("#8c1c2e", &format!("#{}", a.hex())),
        )
        .unwrap();
    }
}
