//! What a client shows of itself on the first page that people meet (OpenID Connect Dynamic Client Registration section 2:
//! `logo_uri`, `policy_uri`, `tos_uri`).

use signet_tests::provider::{Browser, Provider};
use signet_tests::rp::Rp;

use super::{Visit, is_consent, is_login, shown, start};

const LINKS: [&str; 4] = [
    "src=\"https://rp.example/logo.png\"",
    "href=\"https://rp.example/policy\"",
    "href=\"https://rp.example/terms\"",
    "href=\"https://rp.example/\"",
];

async fn decorated(provider: &Provider) {
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.client_uri = Some("https://rp.example/".into());
    declaration.settings.logo_uri = Some("https://rp.example/logo.png".into());
    declaration.settings.policy_uri = Some("https://rp.example/policy".into());
    declaration.settings.tos_uri = Some("https://rp.example/terms".into());
    provider.register(&declaration).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logo_policy_and_terms_are_on_the_first_page_whichever_it_is() {
    let provider = start().await;
    decorated(&provider).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let page = visit.page().await;
    assert!(is_login(&page) && page.body.contains("data-page=\"login\""));
    for link in LINKS {
        assert!(page.body.contains(link), "{link}");
    }
    visit.log_in(signet_tests::provider::USER.0).await;
    // Who is signed in meets the consent page first.
    let page = Visit::to(&provider, &mut browser, "rp", &[]).await.page().await;
    assert!(is_consent(&page) && page.body.contains("data-page=\"consent\""));
    for link in LINKS {
        assert!(page.body.contains(link), "{link}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn display_does_not_matter_to_the_pages_core_3_1_2_1() {
    let provider = start().await;
    for display in ["page", "popup", "touch", "wap", "hologram"] {
        let mut browser = Browser::default();
        let changes = [("display", display), ("ui_locales", "se"), ("claims_locales", "se")];
        assert!(
            is_login(&Visit::to(&provider, &mut browser, "rp", &changes).await.page().await),
            "{display}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_page_is_recognised_by_programs_and_echoes_nothing() {
    let provider = start().await;
    let evil = [("redirect_uri", "https://evil.example/<script>"), ("nonce", "<b>x</b>"), ("scope", "<i>")];
    let page = provider.authorize(&Rp::new("rp"), &evil, None).await;
    assert_eq!(shown(&page), (400, "redirect_uri_unregistered"));
    assert!(page.body.contains("data-page=\"error\"") && page.body.contains("error: invalid_request"));
    for echoed in ["evil.example", "<script>", "<b>", "<i>"] {
        assert!(!page.body.contains(echoed), "{echoed}");
    }
    assert!(page.header("content-type").starts_with("text/html") && page.location().is_empty());
}
