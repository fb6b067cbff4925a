"""Fixtures of every file."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.chromium import Chromium  # noqa: E402
from support.provider import Provider  # noqa: E402
from support.rp import SIG_ALGS  # noqa: E402


@pytest.fixture(scope="session")
def provider(tmp_path_factory):
    """A provider whose tenant signs with every asymmetric algorithm, and whose clients tests register."""
    with Provider(tmp_path_factory.mktemp("provider") / "data") as running:
        settings = {"development": True, "client_id_in_object_only": True, "registration": "open"}
        running.declare(tenant={**settings, "signing_algs": SIG_ALGS})
        yield running


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(chromium):
    """The browser, as new; whatever a test does, the console must stay silent."""
    chromium.reset()
    yield chromium
    assert chromium.messages() == []
