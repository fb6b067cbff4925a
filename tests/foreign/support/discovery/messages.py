"""What is signed, and what is encrypted, by message."""

import json

from jwcrypto import jwk

from support import rp
from support.discovery.lab import INTROSPECTION
from support.registered import jwks, unsealed


# What is signed, and what is encrypted, by message: each takes how the client is registered and gives the token.


def id_token(lab, **metadata):
    client = lab.client(**metadata)
    tokens = client.tokens(lab.browser)
    return tokens["id_token"], lambda claims: client.id in claims["aud"] and claims["sub"]


def userinfo(lab, **metadata):
    client = lab.client(**metadata)
    answer = rp.user_info(lab.provider, client.tokens(lab.browser)["access_token"])
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/jwt")
    return answer.text, lambda claims: claims["sub"] and client.id in claims.get("aud", client.id)


def authorization(lab, **metadata):
    client = lab.client(**metadata)
    request = client.request(response_mode="form_post.jwt")
    way, response = lab.browser.arrive(lab.browser.authorize(**request))
    assert way == "form_post"
    # JARM section 2.3: errors too.
    _, failed = lab.browser.arrive(lab.browser.authorize(**client.request(response_mode="query.jwt", prompt="bad")))
    assert set(failed) == {"response"}
    assert rp.compact_parts(failed["response"]) == rp.compact_parts(response["response"])
    return response["response"], lambda claims: claims["code"] and claims["aud"] == client.id


def introspection(lab, **metadata):
    client = lab.client(**metadata)
    token = client.tokens(lab.browser)["access_token"]
    answer = client.introspect(token, accept=INTROSPECTION)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(INTROSPECTION)
    return answer.text, lambda claims: claims["token_introspection"]["active"] is True


MESSAGES = {
    "id_token": id_token,
    "userinfo": userinfo,
    "authorization": authorization,
    "introspection": introspection,
}


def response_signing(message: str):
    def exercise(lab, value):
        token, fits = MESSAGES[message](lab, **{f"{message}_signed_response_alg": value})
        if value == "none":
            assert rp.header(token)["alg"] == "none" and token.endswith(".")
            assert fits(json.loads(jwk.base64url_decode(token.split(".")[1])))
        else:
            assert fits(rp.verified(token, value, lab.keys()))

    return exercise


def no_response_alg(member: str):
    def exercise(lab, value):
        lab.refuses(**{member: value, "jwks": jwks("RSA", "P-256")})

    return exercise


def response_encryption(message: str, alg: str, kind: str, enc: str | None):
    """A nested response by these algorithms; the content encryption has a default (Registration section 2)."""

    def exercise(lab):
        names = f"{message}_encrypted_response_alg", f"{message}_encrypted_response_enc"
        metadata = {names[0]: alg, names[1]: enc, f"{message}_signed_response_alg": "ES256", "jwks": jwks(kind)}
        token, fits = MESSAGES[message](lab, **metadata)
        outer = rp.header(token)
        assert outer["cty"] == "JWT" and outer["kid"] == rp.key(kind, "enc")["kid"]
        assert fits(rp.verified(unsealed(token, alg, enc or "A128CBC-HS256"), "ES256", lab.keys()))

    return exercise


def response_alg(message: str):
    def exercise(lab, value):
        kinds = ("RSA",) if value.startswith("RSA") else rp.CURVES
        for kind in kinds:
            response_encryption(message, value, kind, None)(lab)

    return exercise


def response_enc(message: str):
    def exercise(lab, value):
        response_encryption(message, "ECDH-ES+A256KW", "P-384", value)(lab)

    return exercise


def no_response_enc(member: str):
    def exercise(lab, value):
        lab.refuses(**{member.replace("_enc", "_alg"): "RSA-OAEP", member: value, "jwks": jwks("RSA")})

    return exercise
