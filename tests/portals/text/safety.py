"""What converted texts may never hold, whatever they were made of."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from tests.portals.text.documents import listed

if TYPE_CHECKING:
    from portals.text import SlackText

ATTRIBUTES: dict[str, set[str]] = {
    "body": set(),
    "a": {"href"},
    "img": {"data-mx-emoticon", "src", "alt", "title", "height"},
    "span": {"data-mx-spoiler"},
    "ol": {"start"},
    "code": {"class"},
    **{
        tag: set()
        for tag in listed(
            "h1 h2 h3 h4 h5 h6 blockquote p ul li strong em u del br hr pre table thead tbody tr th td details summary"
        )
    },
}


def pings_nobody(messages: tuple[SlackText, ...]) -> None:
    """Fail where a message would notify somebody in Slack."""
    for message in messages:
        assert not re.search(r"<[!@#]", message.text)
        kinds = set(re.findall(r'"type": "(\w+)"', json.dumps(message.blocks).replace('\\"', "")))
        assert not kinds & {"user", "usergroup", "channel", "broadcast"}


def only_allowed(html: str) -> None:
    """Fail where HTML has a tag, an attribute or an address that is not in the list."""
    body = LexborHTMLParser(html).body
    assert body is not None
    for node in body.traverse():
        assert node.tag in ATTRIBUTES, node.tag
        for name, value in node.attributes.items():
            assert name in ATTRIBUTES[node.tag or ""], (node.tag, name)
            if name == "href":
                assert re.match(r"(https?|mailto|ftp|magnet):", value or "", re.IGNORECASE)
            if name == "src":
                assert (value or "").startswith("mxc://")
