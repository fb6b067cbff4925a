"""The commands of the guides for administrators, run as they stand there beside a provider."""

import json
import re
from pathlib import Path

import pytest

from test_readme import bash, folder, start  # noqa: F401 - folder is a fixture

GUIDES = Path(__file__).parents[2] / "docs/guides"


@pytest.mark.parametrize("guide", ["console.md", "audit-trail.md"])
def test_the_commands_of_the_guide_work(folder, guide):  # noqa: F811
    provider = start(folder, "signet dev --port 0 --json")
    try:
        assert json.loads(provider.stdout.readline())["issuer"]
        bash(folder, "signet client create shop --redirect-uri http://127.0.0.1/callback")
        blocks = re.findall(r"```sh\n(.*?)```", (GUIDES / guide).read_text(), re.S)
        assert len(blocks) >= 2
        for block in blocks:
            bash(folder, block)
    finally:
        provider.terminate()
        assert provider.wait(timeout=30) == 0


def test_the_owner_and_the_program_of_the_guide_are_made(folder):  # noqa: F811
    provider = start(folder, "signet dev --port 0 --json")
    try:
        assert json.loads(provider.stdout.readline())["issuer"]
        for block in re.findall(r"```sh\n(.*?)```", (GUIDES / "console.md").read_text(), re.S):
            bash(folder, block)
        assert "owner" in bash(folder, "signet user show olivia")
        shown = json.loads(bash(folder, "signet client show operator"))
        assert shown["settings"]["grant_types"] == ["client_credentials"]
        assert "signet:clients.write" in shown["settings"]["scope"]
    finally:
        provider.terminate()
        assert provider.wait(timeout=30) == 0
