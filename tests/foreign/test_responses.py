"""ID token and UserInfo in every form that a client can be set to receive, opened and verified by jwcrypto."""

import json
import secrets
from dataclasses import dataclass

import pytest

from support import rp
from support.rp import ENCS, SEALS, SIG_ALGS


@dataclass(frozen=True)
class Seal:
    """How something is encrypted, and to which kind of key."""

    alg: str
    kind: str
    enc: str

    def setting(self) -> dict:
        return {"alg": self.alg, "enc": self.enc}

    def __str__(self) -> str:
        return f"{self.alg}({self.kind})-{self.enc}"


@dataclass(frozen=True)
class Row:
    """One client: the form of its two responses."""

    id_alg: str
    id_seal: Seal | None
    form: str
    form_alg: str
    form_seal: Seal | None

    def __str__(self) -> str:
        return f"{self.id_alg}-{self.id_seal or 'open'}_{self.form}-{self.form_alg}-{self.form_seal or 'open'}"

    def client_id(self) -> str:
        return f"row-{ROWS.index(self)}"

    def declaration(self) -> dict:
        seals = [seal for seal in (self.id_seal, self.form_seal) if seal]
        keys = [rp.declared_key(rp.key(kind, "enc")) for kind in dict.fromkeys(seal.kind for seal in seals)]
        userinfo = {"response_type": self.form, "signed": self.form_alg}
        if self.form_seal:
            userinfo["encrypted"] = self.form_seal.setting()
        id_token = {"signed": self.id_alg}
        if self.id_seal:
            id_token["encrypted"] = self.id_seal.setting()
        return rp.declaration(self.client_id(), keys, id_token=id_token, userinfo=userinfo)


def rows() -> list[Row]:
    """Nested responses in every combination of signature, key management, kind of key and content encryption, for ID
    token and UserInfo alike (the two of one row differ in all that one key permits); UserInfo that is only encrypted in
    every combination; and each form beside an ID token of the other sort.
    """
    made = []
    for place, (alg, kind) in enumerate(SEALS):
        for turn, sig in enumerate(SIG_ALGS):
            for step, enc in enumerate(ENCS):
                other = Seal(alg, kind, ENCS[(step + place + 1) % 6])
                made.append(Row(sig, Seal(alg, kind, enc), "signed_and_encrypted", SIG_ALGS[(turn + step + 3) % 10], other))
        for turn, enc in enumerate(ENCS):
            sig = SIG_ALGS[(place + turn) % 10]
            # Two keys of different kinds: each response goes to the one that its algorithm needs.
            id_alg, id_kind = ("ECDH-ES", "P-256") if kind == "RSA" else ("RSA-OAEP", "RSA")
            made.append(Row(sig, Seal(id_alg, id_kind, enc), "encrypted", sig, Seal(alg, kind, enc)))
    for turn, sig in enumerate(SIG_ALGS):
        seal = Seal(*SEALS[turn], ENCS[turn % 6])
        for form in ("json", "signed", "encrypted", "signed_and_encrypted"):
            form_seal = seal if "encrypted" in form else None
            other = SIG_ALGS[(turn + 1) % 10]
            made.append(Row(sig, None, form, other, form_seal))
            made.append(Row(sig, seal, form, other, form_seal))
    return list(dict.fromkeys(made))


ROWS = rows()


def test_the_rows_hold_every_combination_for_both_responses():
    seals = {Seal(*key, enc) for key in SEALS for enc in ENCS}
    every = {(sig, seal) for sig in SIG_ALGS for seal in seals}
    assert {(row.id_alg, row.id_seal) for row in ROWS} == every | {(sig, None) for sig in SIG_ALGS}
    nested = [row for row in ROWS if row.form == "signed_and_encrypted"]
    assert {(row.form_alg, row.form_seal) for row in nested} == every
    assert {row.form_seal for row in ROWS if row.form == "encrypted"} == seals
    assert {row.form_alg for row in ROWS if row.form == "signed"} == set(SIG_ALGS)
    # Each form of UserInfo with a signed and with a nested ID token.
    forms = ("json", "signed", "encrypted", "signed_and_encrypted")
    assert {(row.form, row.id_seal is None) for row in ROWS} == {(form, open_) for form in forms for open_ in (True, False)}


@pytest.fixture(scope="module")
def browser(provider):
    """Every row's client, and a browser that is signed in: one password for all."""
    provider.declare(clients=[row.declaration() for row in ROWS])
    browser = rp.Browser(provider)
    reply = browser.go_on(authorize(browser, ROWS[-1], "warm"))
    assert "code" in reply
    return browser


@pytest.fixture(scope="module")
def jwks(provider):
    keys = provider.jwks()
    assert {entry["alg"] for entry in keys if entry["use"] == "sig"} == set(SIG_ALGS)
    return keys


def authorize(browser, row, nonce):
    return browser.authorize(
        client_id=row.client_id(),
        response_type="code",
        redirect_uri=rp.REDIRECT_URI,
        scope="openid profile email",
        state="s",
        nonce=nonce,
    )


def unsealed(token: str, seal: Seal | None, content: str | None) -> str:
    """The content of one layer of encryption, whose header must say exactly what was set."""
    if seal is None:
        assert rp.compact_parts(token) == 3
        return token
    one = rp.key(seal.kind, "enc")
    outer = rp.header(token)
    assert (outer["alg"], outer["enc"], outer["kid"], outer.get("cty")) == (seal.alg, seal.enc, one["kid"], content)
    return rp.opened(token, one, seal.alg, seal.enc)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_both_responses_open_and_verify(provider, browser, jwks, row):
    nonce = secrets.token_urlsafe(8)
    reply = browser.go_on(authorize(browser, row, nonce))
    answer = rp.redeem(provider, row.client_id(), reply["code"])
    assert answer.status_code == 200, answer.text
    tokens = answer.json()

    inner = unsealed(tokens["id_token"], row.id_seal, "JWT")
    id_token = rp.verified(inner, row.id_alg, jwks)
    rp.check_id_token(id_token, row.id_alg, provider, row.client_id(), nonce, tokens)

    answer = rp.user_info(provider, tokens["access_token"])
    assert answer.status_code == 200, answer.text
    kind = "application/json" if row.form == "json" else "application/jwt"
    assert answer.headers["Content-Type"].split(";")[0] == kind
    if row.form == "json":
        claims = answer.json()
    elif row.form == "encrypted":
        claims = json.loads(unsealed(answer.text, row.form_seal, None))
    else:
        claims = rp.verified(unsealed(answer.text, row.form_seal, "JWT"), row.form_alg, jwks)
        # OpenID Connect Core section 5.3.2: a signed response has `iss` and `aud`.
        assert claims["iss"] == provider.issuer and row.client_id() in claims["aud"]
    assert claims["sub"] == id_token["sub"]
    assert (claims["name"], claims["email"]) == ("Alice Virtanen", "alice@example.org")
