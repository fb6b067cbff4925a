"""The samples in `samples/` do the sealed flow: real programs, each registered, started and signed in to by a browser."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support import rp
from support.provider import PATIENCE

SAMPLES = Path(__file__).parents[2] / "samples"
COMMANDS = {
    "python": [sys.executable, str(SAMPLES / "python/app.py")],
    "javascript": ["node", str(SAMPLES / "javascript/app.js")],
    "rust": [os.environ["SAMPLE_RUST"]],
}
SEALED = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}


class Sample:
    """One sample with a folder of its own."""

    def __init__(self, language: str, provider, folder: Path):
        self.command = COMMANDS[language]
        self.provider = provider
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.name = f"{language}-{port}"
        self.address = f"http://127.0.0.1:{port}"
        self.redirect_uri = f"{self.address}/callback"
        settings = {"ISSUER": provider.issuer, "PORT": str(port), "FOLDER": str(folder / "keys")}
        self.environment = {**os.environ, **settings}
        self.client_id = None
        self.process = None

    def keys(self) -> dict:
        """The public JWK set that it prints."""
        command = [*self.command, "keys"]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        return json.loads(done.stdout)

    def start(self, **settings: str) -> None:
        """Until it says where it listens, and as which client."""
        environment = {**self.environment, **settings}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(self.command, env=environment, cwd=self.folder, **pipes)
        for line in self.process.stdout:
            if line.rstrip().endswith(f": {self.address}/"):
                self.client_id = line.split(":")[0]
                return
        raise AssertionError(f"it ended with {self.process.wait(PATIENCE)}")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()


@pytest.fixture(params=COMMANDS)
def sample(request, provider, tmp_path):
    one = Sample(request.param, provider, tmp_path)
    yield one
    one.stop()


def create(sample) -> dict:
    """Registers it as the guide says, on the command line; gives what the owner of the client then sets."""
    sample.keys()
    told = sample.provider.command(
        *("client", "create", sample.name, "--template", "sealed", "--redirect-uri", sample.redirect_uri),
        *("--signing-key", str(sample.folder / "keys/public.json")),
        *("--encryption-key", str(sample.folder / "keys/public.json"), "--json"),
    )
    return {"CLIENT_ID": sample.name, "CLIENT_SECRET": json.loads(told)["client_secret"]}


def declare(sample, **settings) -> dict:
    """Registers it by a declaration."""
    keys = [{"name": use, "usage": use, "source": sample.keys()} for use in ("sig", "enc")]
    common = {
        "redirect_uris": [sample.redirect_uri],
        "require_pkce": True,
        "require_consent": True,
        "require_request_object": True,
        "require_encrypted_request_object": True,
        "require_jti": True,
        "id_token": {"signed": "RS256", "encrypted": SEALED},
        "userinfo": {"response_type": "signed_and_encrypted", "signed": "RS256", "encrypted": SEALED},
    }
    sample.provider.declare(clients=[rp.declaration(sample.name, keys, **{**common, **settings})])
    return {"CLIENT_ID": sample.name, "CLIENT_SECRET": rp.SECRET}


def sign_in(page, sample) -> None:
    """From its first page to the page after the login."""
    page.open(sample.address)
    assert page.heading() == "Not signed in"
    page.click("#login")
    if page.all("#password"):
        page.login()
    page.click("#accept")


def assert_sealed_login(page, sample) -> None:
    sign_in(page, sample)
    assert page.heading() == "Signed in as Alice Virtanen"
    claims = json.loads(page.see("#id-token").text)
    alice = next(user for user in sample.provider.ready["users"] if user["username"] == "alice")
    assert (claims["sub"], claims["aud"]) == (alice["sub"], sample.client_id)
    info = json.loads(page.see("#userinfo").text)
    assert (info["sub"], info["email"]) == (alice["sub"], "alice@example.org")

    # On the wire it was a JWE to the key that the sample made.
    public = json.loads((sample.folder / "keys/public.json").read_text())
    kid = next(key["kid"] for key in public["keys"] if key["use"] == "enc")
    token = page.see("#id-token-as-it-came").text
    assert rp.compact_parts(token) == 5
    assert {"cty": "JWT", "kid": kid, **SEALED}.items() <= rp.header(token).items()
    # And the provider saw a nested request object, and knows that it sealed.
    accepted = sample.provider.audit(sample.client_id, "authorize.accepted")
    assert [detail["source"] for detail in accepted] == ["nested"]
    issued = sample.provider.audit(sample.client_id, "token.issued")
    assert [detail["id_token_encrypted_to"] for detail in issued] == [kid]


@pytest.mark.browser
def test_a_client_made_on_the_command_line_signs_in_sealed(page, sample):
    sample.start(**create(sample))
    assert_sealed_login(page, sample)


@pytest.mark.browser
def test_a_declared_client_signs_in_sealed_with_its_key_for_a_secret(page, sample):
    settings = declare(sample, token_endpoint_auth_method="private_key_jwt", secret=None)
    sample.start(CLIENT_ID=settings["CLIENT_ID"])
    assert_sealed_login(page, sample)


@pytest.mark.browser
def test_a_client_that_registers_itself_signs_in_sealed(page, sample):
    sample.start()
    assert_sealed_login(page, sample)
    # It is the same client after the next start, and its requests must be signed.
    client_id = sample.client_id
    sample.stop()
    sample.start()
    assert sample.client_id == client_id
    settings = json.loads(sample.provider.command("client", "show", client_id))["settings"]
    assert settings["token_endpoint_auth_method"] == "private_key_jwt" and settings["require_request_object"]


@pytest.mark.browser
@pytest.mark.parametrize(
    "plain",
    [
        {"id_token": {"signed": "RS256"}},
        {"id_token": {"signed": "ES256", "encrypted": SEALED}},
        {"userinfo": {"response_type": "signed", "signed": "RS256"}},
        {"userinfo": {"response_type": "signed_and_encrypted", "signed": "ES256", "encrypted": SEALED}},
        {"userinfo": {"response_type": "encrypted", "encrypted": SEALED}},
    ],
    ids=["ID token not sealed", "ID token signed otherwise", "UserInfo not sealed", "UserInfo signed otherwise", "UserInfo not signed"],
)
def test_a_sample_accepts_nothing_that_is_protected_otherwise(page, sample, plain):
    sample.start(**declare(sample, **plain))
    sign_in(page, sample)
    assert "Signed in" not in page.heading()
    # It was the sample that refused: the provider had answered.
    assert len(sample.provider.audit(sample.name, "token.issued")) == 1


@pytest.mark.browser
def test_an_answer_counts_once_and_only_in_its_browser(page, sample):
    sample.start(**create(sample))
    sign_in(page, sample)
    answer = page.driver.current_url
    assert page.heading() == "Signed in as Alice Virtanen"
    page.open(answer)
    assert "Signed in" not in page.heading()
    # A login has been started in this browser, but the answer is another one's.
    page.reset()
    page.open(sample.address)
    page.click("#login")
    page.open(answer)
    assert "Signed in" not in page.heading()
    assert len(sample.provider.audit(sample.client_id, "token.issued")) == 1
