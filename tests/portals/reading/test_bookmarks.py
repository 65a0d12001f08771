"""Bookmarks are read in Slack's order, whatever stands in them, and read back as they are told."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portals.events import Bookmark
from portals.reading.bookmarks import bookmarks_of, told
from tests.portals.foreign import JSON, objects


def test_bookmarks_stand_in_their_order_with_what_they_say() -> None:
    wiki = {"title": "Wiki", "link": "https://wiki.example/", "emoji": ":book:", "rank": "b", "type": "link"}
    folder = {"title": "Plans", "link": None, "rank": "a", "date_created": 2}
    earlier = {"title": "", "link": "http://x.example/", "rank": "a", "date_created": 1}
    assert bookmarks_of([wiki, folder, earlier, {"title": " ", "link": "javascript:x"}, "rubbish"]) == (
        Bookmark("", "http://x.example/"),
        Bookmark("Plans"),
        Bookmark("Wiki", "https://wiki.example/", "book"),
    )


ONE = objects({"title": st.text(max_size=5), "link": st.text() | st.just("https://x.example/"), "emoji": st.text()})


@given(JSON | st.lists(ONE | JSON))
def test_any_list_is_read_and_read_back(rubbish: Any) -> None:
    found = bookmarks_of(rubbish)
    assert bookmarks_of(told(found)) == found
