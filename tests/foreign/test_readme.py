"""Every command of the README, run as it stands there. What cannot be the same in a test is replaced by name below."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
BINARY = os.environ.get("SIGNET_BIN", str(ROOT / "target/debug/signet"))

# What the README says, and what runs here instead: the program that is built already, a free port, a SQLite file.
REPLACED = [
    ("sudo apt-get install -y build-essential pkg-config libssl-dev", ":"),
    ("cargo run --release -- dev --port 0 --ephemeral --json", "signet dev --port 0 --ephemeral --json"),
    ("cargo run --release -- dev", "signet dev --port 0 --json"),
    ("alias signet=target/release/signet", ":"),
    ("postgres://signet:...@db/signet", "sqlite:production.db"),
    ("signet serve", "signet serve --listen 127.0.0.1:0"),
    # The runner of this very test.
    ("scripts/test", ":"),
]


def blocks():
    text = (ROOT / "README.md").read_text()
    found = re.findall(r"```sh\n(.*?)```", text, re.S)
    for said, instead in REPLACED:
        assert said in text, f"the README no longer says: {said}"
        found = [block.replace(said, instead) for block in found]
    return found


@pytest.fixture
def folder(tmp_path):
    """A folder like the checkout, with the program on the path."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/signet").symlink_to(BINARY)
    return tmp_path


def environment(folder):
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}


def bash(folder, script):
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def start(folder, script):
    """The block, with its last command in place of the shell, so that a signal reaches it."""
    before, last = script.rstrip().rsplit("\nsignet ", 1) if "\nsignet " in script else ("", script.removeprefix("signet "))
    script = f"{before}\nexec signet {last}"
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_block_is_one_that_is_run_here():
    assert len(blocks()) == 6, "a block was added to the README: run it here too"


def test_the_first_command_shows_the_demo_and_clients_are_registered_beside_it(folder):
    first, _, register, apply, _, _ = blocks()
    dev = start(folder, first)
    try:
        ready = json.loads(dev.stdout.readline())
        assert "Sealed login" in requests.get(ready["demo"], timeout=60).text
        told = bash(folder, register)
        assert "client_secret, shown this once" in told and "Accepted." in told
        told = bash(folder, apply)
        assert told.rstrip().endswith("Nothing to change: everything is as declared.")
    finally:
        dev.terminate()
        assert dev.wait(timeout=60) == 0


def test_the_line_for_a_harness_holds_what_it_promises(folder):
    dev = start(folder, blocks()[1])
    try:
        ready = json.loads(dev.stdout.readline())
        assert requests.get(ready["discovery"], timeout=60).json()["issuer"] == ready["issuer"]
        assert {user["username"] for user in ready["users"]} == {"alice", "bob", "admin"}
        sealed = next(client for client in ready["clients"] if client["client_id"] == "demo-sealed")
        assert sealed["client_secret"] and sealed["signing_key"]["d"] and sealed["encryption_key"]["d"]
        assert not (folder / ".signet").exists()
    finally:
        dev.terminate()
        assert dev.wait(timeout=60) == 0


def test_production_starts_as_told(folder):
    serve = start(folder, blocks()[4])
    try:
        for line in serve.stderr:
            found = re.search(r'"message":"serving","address":"([^"]+)"', line)
            if found:
                break
        deadline = time.monotonic() + 60
        ready = requests.get(f"http://{found[1]}/readyz", timeout=60)
        while ready.status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
            ready = requests.get(f"http://{found[1]}/readyz", timeout=60)
        assert ready.json()["status"] == "ready"
        discovery = requests.get(f"http://{found[1]}/.well-known/openid-configuration", timeout=60).json()
        assert discovery["issuer"] == "https://id.example.com"
    finally:
        serve.terminate()
        assert serve.wait(timeout=60) == 0
