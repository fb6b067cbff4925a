"""The certified relying-party library `openid-client`, in programs of its own language: `openid_client/*.test.js`."""

import os
import subprocess
from pathlib import Path

import pytest

from support.provider import Provider

PROGRAMS = Path(__file__).parent / "openid_client"
# Each waits for the provider only; together they take seconds.
PATIENCE = 180


@pytest.fixture(scope="module")
def issuer():
    """A provider as `signet dev` is, where registration is open."""
    with Provider(None) as running:
        yield running.issuer


@pytest.mark.parametrize("program", sorted(file.name for file in PROGRAMS.glob("*.test.js")))
def test_program(issuer, program):
    command = ["node", "--test", program]
    environment = {**os.environ, "ISSUER": issuer}
    done = subprocess.run(
        command, cwd=PROGRAMS, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout
    # A program without tests would end well too.
    assert "\n# tests 0\n" not in done.stdout and "tests 0" not in done.stdout
