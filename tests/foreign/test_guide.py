"""Every command of the guide for clients, run as it stands there. What cannot be the same in a test is replaced by name."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.provider import PATIENCE
from test_readme import bash, environment, folder, start  # noqa: F401 - folder is a fixture

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/register-a-client.md").read_text()

# What the guide says, and what runs here instead: the program and the environment that are there already, free ports.
REPLACED = [
    ("cargo run --release -- dev", "signet dev --port 0 --json"),
    ("alias signet=target/release/signet", ":"),
    ("python3 -m venv .venv", ":"),
    (".venv/bin/pip install -r samples/python/requirements.txt", ":"),
    (".venv/bin/python", sys.executable),
]


def blocks(port: int) -> list[str]:
    found = re.findall(r"```sh\n(.*?)```", GUIDE, re.S)
    for said, instead in REPLACED:
        assert said in GUIDE, f"the guide no longer says: {said}"
        found = [block.replace(said, instead) for block in found]
    return [block.replace("127.0.0.1:3000", f"127.0.0.1:{port}") for block in found]


def states(listed: str) -> list[str]:
    """The state of each key in what `signet key list` prints."""
    return re.findall(r" (?:sig|enc)  ([a-z ]+?) +(?:EC|RSA|P-256)", listed)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.mark.browser
def test_who_follows_the_guide_signs_in_sealed_finds_errors_and_rotates(folder, port, page):  # noqa: F811
    shutil.copytree(ROOT / "samples/python", folder / "samples/python")
    dev, alias, keys, create, declare, register, run, audit, explain, rotate, revoke = blocks(port)
    provider = start(folder, dev)
    try:
        issuer = json.loads(provider.stdout.readline())["issuer"]
        public = json.loads(bash(folder, alias + keys))
        assert {key["use"] for key in public["keys"]} == {"sig", "enc"}
        assert "client_secret, shown this once" in bash(folder, create)
        # The file says the same as the command: the client and its keys are there already.
        told = bash(folder, declare)
        changes, shown = told[: told.index("{")], json.loads(told[told.index("{") :])
        assert "new" not in changes and shown["contradictions"] == []

        registered = json.loads(bash(folder, register.replace("http://localhost:8080", issuer)))
        assert registered["client_id"] and registered["client_secret"] and registered["registration_access_token"]

        script = f"export ISSUER={issuer} PORT={port}\n" + run.replace("FOLDER=shop ", "export FOLDER=shop; exec ")
        command = ["bash", "-euo", "pipefail", "-c", script]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        sample = subprocess.Popen(command, cwd=folder, env=environment(folder), **pipes)
        try:
            assert any(line.rstrip().endswith(f"http://127.0.0.1:{port}/") for line in sample.stdout)
            page.open(f"http://127.0.0.1:{port}")
            page.click("#login")
            page.login()
            page.click("#accept")
            assert page.heading() == "Signed in as Alice Virtanen"
            assert "authorize.accepted" in bash(folder, audit)
            assert "Accepted." in bash(folder, explain)
            listed = bash(folder, rotate)
            assert sorted(states(listed)) == ["in use", "in use", "in use", "next"]
            bash(folder, revoke)
            left = bash(folder, "signet key list --client shop")
            assert sorted(states(left)) == ["in use", "in use", "revoked", "revoked"]
        finally:
            sample.terminate()
            sample.wait(PATIENCE)
            sample.stdout.close()
    finally:
        provider.terminate()
        assert provider.wait(timeout=30) == 0


def test_the_reason_codes_of_the_guide_are_those_of_the_program():
    table = GUIDE[GUIDE.index("| reason code |") :]
    named = [code for line in table.splitlines() for code in re.findall(r"`([a-z0-9_]+)`", line.split("|")[1] if "|" in line else "")]
    known = (ROOT / "crates/core/src/fault.rs").read_text() + (ROOT / "crates/jose/src/fault.rs").read_text()
    assert len(named) > 20
    assert [code for code in named if f'"{code}"' not in known] == []
