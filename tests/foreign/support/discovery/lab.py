"""A running provider that advertises all it can, and what the functions of this package share."""

from dataclasses import dataclass

from support import rp
from support.provider import Provider
from support.registered import Client, register

# A person with every standard claim (OpenID Connect Core section 5.1).
PERSON = {
    "name": "Carol Aalto",
    "family_name": "Aalto",
    "given_name": "Carol",
    "middle_name": "Maria",
    "nickname": "Caro",
    "preferred_username": "caro",
    "profile": "https://people.example/carol",
    "picture": "https://people.example/carol.png",
    "website": "https://carol.example",
    "gender": "female",
    "birthdate": "1990-02-28",
    "zoneinfo": "Europe/Helsinki",
    "locale": "fi-FI",
    "email": "carol@example.org",
    "email_verified": True,
    "address": {"street_address": "Esplanadi 1", "locality": "Helsinki", "country": "Finland"},
    "phone_number": "+358401234567",
    "phone_number_verified": True,
}
NAME, PASSWORD = "carol", "a good password"
# Claims of the ID token, not of a person.
PROTOCOL = {"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash"}
AFTER = "https://rp.example/after"
INTROSPECTION = "application/token-introspection+jwt"


@dataclass
class Lab:
    """A running provider, its metadata, and a browser in which somebody is signed in."""

    provider: Provider
    browser: rp.Browser

    @property
    def metadata(self) -> dict:
        return self.provider.metadata

    def client(self, **metadata) -> Client:
        return Client(self.provider, **metadata)

    def keys(self) -> list[dict]:
        return self.provider.jwks()

    def refuses(self, error: str = "invalid_client_metadata", **metadata) -> None:
        """RFC 7591 section 3.2.2."""
        answer = register(self.provider, **metadata)
        assert (answer.status_code, answer.json()["error"]) == (400, error), (metadata, answer.text)

    def error(self, client: Client, **changes) -> str:
        """The error that an authorization request brings back to the client."""
        way = self.browser.authorize("POST", **client.request(**changes))
        _, response = self.browser.arrive(way)
        assert response["iss"] == self.provider.issuer
        return response["error"]

    def object_refused(self, client: Client, request: str) -> None:
        """RFC 9101 section 6.3, at the endpoint itself."""
        beside = client.request(request=request)
        _, response = self.browser.arrive(self.browser.authorize("POST", **beside))
        assert response["error"] == "invalid_request_object", response
