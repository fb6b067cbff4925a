"""What clients are told when a session ends."""

import requests

from support import rp
from support.discovery.endpoints import signed_in_elsewhere
from support.discovery.lab import AFTER
from support.listener import Listener


def back_channel(lab, value):
    assert value is True
    with Listener() as listener:
        client = lab.client(
            backchannel_logout_uri=f"{listener.address}/logout",
            backchannel_logout_session_required=True,
            post_logout_redirect_uris=[AFTER],
        )
        browser, tokens = signed_in_elsewhere(lab, client)
        sid = rp.verified(tokens["id_token"], "RS256", lab.keys())["sid"]
        hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER}
        browser.request("GET", lab.metadata["end_session_endpoint"], **hint)
        form = listener.received()
        claims = rp.verified(form["logout_token"], "RS256", lab.keys())
        # Back-Channel Logout section 2.4.
        assert claims["sid"] == sid and "nonce" not in claims
        assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}


def front_channel(lab, value):
    assert value is True
    frame = "https://rp.example/front"
    client = lab.client(
        frontchannel_logout_uri=frame,
        frontchannel_logout_session_required=True,
        post_logout_redirect_uris=[AFTER],
    )
    browser, tokens = signed_in_elsewhere(lab, client)
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER}
    answer = browser.request("GET", lab.metadata["end_session_endpoint"], **hint)
    while answer.status_code in (302, 303):
        answer = browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    address = rp.html.unescape(rp.re.search(rf'src="({frame}[^"]*)"', answer.text)[1])
    query = rp.parse_qs(rp.urlsplit(address).query)
    sid = rp.verified(tokens["id_token"], "RS256", lab.keys())["sid"]
    assert query == {"iss": [lab.provider.issuer], "sid": [sid]}
