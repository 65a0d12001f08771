"""A folder that a public and a private channel may claim becomes public only where the messages themselves say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.history.export import ExportedChannel
from portals.history.shared_folder import owner_of
from portals.ids import ChannelId, SlackUserId, Ts

if TYPE_CHECKING:
    from portals.events import Json

ANN, BEN, CAT, DAN = (SlackUserId(user) for user in ("U1", "U2", "U3", "U4"))
PUBLIC = ExportedChannel(
    ChannelId("C1"),
    "plans",
    "public",
    members=(ANN, BEN, CAT, DAN),
    created=1000,
    creator=ANN,
    pins=(Ts("1500.000100"),),
)
PRIVATE = ExportedChannel(ChannelId("C2"), "plans", "private", members=(ANN, BEN), created=500, creator=BEN)
BOTH = (PUBLIC, PRIVATE)


def said(*people: str, first: int = 2000) -> list[Json]:
    return [{"user": user, "ts": f"{first + number}.000100"} for number, user in enumerate(people)]


def test_what_says_nothing_is_private() -> None:
    assert owner_of(BOTH, []) is PRIVATE
    assert owner_of(BOTH, [{"user": ANN, "ts": "never"}, {"user": "USLACKBOT", "ts": "1.0"}]) is PRIVATE


def test_what_members_of_both_wrote_is_private() -> None:
    assert owner_of(BOTH, said(ANN, BEN, ANN, CAT)) is PRIVATE


def test_what_mostly_strangers_to_the_private_channel_wrote_is_public() -> None:
    assert owner_of(BOTH, said(CAT, DAN, "U5", ANN)) is PUBLIC


def test_too_few_authors_say_nothing() -> None:
    assert owner_of(BOTH, said(CAT, DAN)) is PRIVATE


def test_an_archived_channel_has_lost_its_members() -> None:
    archived = replace(PRIVATE, archived=True)
    assert owner_of((PUBLIC, archived), said(CAT, DAN, "U5")) is archived
    memberless = replace(PRIVATE, members=())
    assert owner_of((PUBLIC, memberless), said(CAT, DAN, "U5")) is memberless


def test_a_channel_whose_beginning_is_missing_has_no_messages_there() -> None:
    late = replace(PRIVATE, created=2100)
    records = [*said(ANN, BEN, first=1000), *said(ANN, BEN, first=3000)]
    assert owner_of((PUBLIC, late), records) is PUBLIC
    begins: Json = {"user": BEN, "ts": "2101.000100", "subtype": "channel_join"}
    assert owner_of((PUBLIC, late), [*records, begins]) is late


def test_a_pin_shows_that_a_channel_has_messages_there() -> None:
    pinned = replace(PRIVATE, created=2100, pins=(Ts("2500.000100"),))
    records = [*said(ANN, first=1000), {"user": ANN, "ts": "2500.000100"}, *said(ANN, first=3000)]
    assert owner_of((PUBLIC, pinned), records) is pinned


def test_where_all_speaks_against_every_channel_the_private_one_has_them() -> None:
    assert owner_of(BOTH, said("U7", "U8", "U9")) is PRIVATE
