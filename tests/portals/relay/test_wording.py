"""The words of messages for which Slack has no form."""

from __future__ import annotations

from typing import Any

import pytest

from portals.relay import wording
from portals.text import Names, to_slack
from tests.portals.relay.scene import said_in_matrix

MAP = "https://www.openstreetmap.org/?mlat=48.8584&amp;mlon=2.2945#map=16/48.8584/2.2945"


def words(content: dict[str, Any]) -> str:
    (piece,) = to_slack(wording.document(said_in_matrix(content)), Names())
    return piece.text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"body": "Eiffel Tower"}, f":round_pushpin: <{MAP}|Eiffel Tower>"),
        ({"body": "Location geo:48.8584,2.2945 at noon"}, f":round_pushpin: <{MAP}|Location>"),
        ({"body": " "}, f":round_pushpin: <{MAP}|Location>"),
        ({"body": "x", "org.matrix.msc3488.location": {"description": "A\nplace"}}, f":round_pushpin: <{MAP}|A place>"),
        ({"body": "it", "geo_uri": None, "m.location": {"uri": "geo:48.8584,2.2945"}}, f":round_pushpin: <{MAP}|it>"),
        ({"body": "here", "geo_uri": "geo:north,pole"}, "here geo:north,pole"),
        ({"body": "here", "geo_uri": 7}, "here"),
    ],
)  # fmt: skip
def test_a_place_has_a_map_behind_it(more: dict[str, Any], said: str) -> None:
    assert words({"msgtype": "m.location", "geo_uri": "geo:48.8584,2.2945;u=35"} | more) == said


def test_an_emote_is_in_italics_in_every_line() -> None:
    assert words({"msgtype": "m.emote", "body": "waves <&\nand goes"}) == "_waves &lt;&amp;_\n_and goes_"


def test_a_caption_is_the_body_of_a_file_with_another_name() -> None:
    file = {"msgtype": "m.image", "url": "mxc://x/y", "body": "cat.png"}
    assert wording.caption(said_in_matrix(file)).is_empty()
    assert wording.caption(said_in_matrix(file | {"filename": "cat.png"})).is_empty()
    assert not wording.caption(said_in_matrix(file | {"filename": "other.png"})).is_empty()
