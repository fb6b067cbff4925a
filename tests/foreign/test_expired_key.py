"""A client whose last encryption key is over gets an error, and never a token in the open (A-88)."""

import json
import time

from support import rp
from support.provider import Provider

SEALED = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}
# What each client seals: its ID token, its UserInfo, or both.
CLIENTS = {
    "both": {
        "id_token": {"encrypted": SEALED},
        "userinfo": {"response_type": "signed_and_encrypted", "encrypted": SEALED},
    },
    "id-token": {"id_token": {"encrypted": SEALED}},
    "userinfo": {"userinfo": {"response_type": "encrypted", "encrypted": SEALED}},
}


def declared(client_id: str, not_after: int) -> dict:
    keys = [rp.declared_key(rp.key("P-256", "enc"), not_after=not_after)]
    return rp.declaration(client_id, keys, **CLIENTS[client_id])


def authorize(browser, client_id: str):
    return browser.authorize(
        client_id=client_id, response_type="code", redirect_uri=rp.REDIRECT_URI, scope="openid", state="s", nonce="n"
    )


def nothing_sent_in(answer) -> bool:
    """Neither a token nor a claim."""
    return not any(word in answer.text for word in ("eyJ", '"id_token"', '"access_token"', '"sub"'))


def test_the_request_fails_once_the_last_key_is_over(tmp_path):
    folder = tmp_path / "data"
    with Provider(folder) as provider:
        soon = int(time.time()) + 3_600
        provider.declare(clients=[declared(client_id, soon) for client_id in CLIENTS])
        for client_id in CLIENTS:
            browser = rp.Browser(provider)
            assert "code" in browser.go_on(authorize(browser, client_id))
    with Provider(folder, "--clock-offset", "7200") as provider:
        for client_id in CLIENTS:
            answer = authorize(rp.Browser(provider), client_id)
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith(f"{rp.REDIRECT_URI}?error=unauthorized_client&")
            assert "state=s" in answer.headers["Location"]


def test_nothing_is_sent_in_the_open_when_the_key_ends_within_a_login(tmp_path):
    # A busy machine may need longer for the logins than the key is valid; a code is good for a minute.
    assert any(ended_within_a_login(tmp_path / str(life), life) for life in (5, 15, 45))


def ended_within_a_login(folder, life: int) -> bool:
    """Whether the logins were through before the key ended, so that what was asked afterwards says something."""
    with Provider(folder) as provider:
        end = int(time.time()) + life
        provider.declare(clients=[declared(client_id, end) for client_id in CLIENTS])
        codes = {}
        for client_id in CLIENTS:
            browser = rp.Browser(provider)
            codes[client_id] = browser.go_on(authorize(browser, client_id))["code"]
        in_time = rp.redeem(provider, "userinfo", codes["userinfo"]).json()
        if time.time() >= end:
            return False
        time.sleep(end - time.time() + 1)

        for client_id in ("both", "id-token"):
            answer = rp.redeem(provider, client_id, codes[client_id])
            assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
            assert nothing_sent_in(answer), answer.text
        answer = rp.user_info(provider, in_time["access_token"])
        assert answer.status_code >= 400
        assert nothing_sent_in(answer), answer.text
        return True


def test_a_client_that_could_not_be_sealed_to_is_not_saved(tmp_path):
    with Provider(tmp_path / "data") as provider:
        refused = provider.apply({"clients": [declared("both", int(time.time()) - 1)]})
        assert refused.returncode == 1
        # Which client of the file it was.
        assert json.loads(refused.stderr.splitlines()[-1])["text"].startswith("both: ")
        assert authorize(rp.Browser(provider), "both").status_code == 400
