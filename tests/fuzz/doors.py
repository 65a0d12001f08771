"""Every door through which foreign data comes, as bytes: what is done with them, and what must hold afterwards."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import BadExport
from bridge.exports.export import open_export
from bridge.exports.planning import make_plan
from bridge.matrix.foreign_json import parse as parse_matrix
from bridge.slack.wire import parsed as parsed_slack
from config import loader
from config.problems import ConfigError
from config.reference import example
from portals.avatars import AvatarAddresses
from portals.commands import asked, grammar, replies
from portals.events import Ignored, MatrixMessage
from portals.history.plan_json import as_json
from portals.history.selection import Selection
from portals.ids import GhostNames, SlackUserId
from portals.people import sheet
from portals.permalinks import matrix_place, slack_place
from portals.reading import matrix, repeats, slack
from portals.relay import to_matrix, to_slack
from portals.text import Names, from_matrix, from_slack, mentions
from portals.text import to_matrix as in_matrix
from portals.text import to_slack as in_slack
from tests.fuzz import web
from tests.house.sources import ROOT
from tests.portals.relay.scene import FACTS, PORTAL, TEAM, WORKSPACE, facts, from_ada, link
from tests.portals.text.safety import only_allowed, pings_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


_KNOWN = (FACTS, facts(link("1700000000.000100", "$e:hs")), facts(from_ada("1700000000.000100", "$e:hs")))
_AVATARS = AvatarAddresses("https://bridge.example.org", b"k" * 32)


@dataclass(frozen=True)
class Door:
    """One door; `refusals` is how it says no, `pumped` what a text that is repeated goes through."""

    name: str
    enter: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]] = lambda: iter(())
    refusals: tuple[type[BaseException], ...] = ()
    pumped: Callable[[bytes], object] | None = None
    weight: int = 1
    """How many inputs of it come to one of the slowest door."""


def slack_event(data: bytes) -> None:
    payload = parsed_slack(data)
    if payload is None:
        return
    slack.address(payload, TEAM)
    slack.channel_of(payload)
    repeats.subject(payload)
    read = slack.read(payload, "fuzz", WORKSPACE)
    if isinstance(read, Ignored):
        return
    to_matrix.needs(read)
    for known in _KNOWN:
        _sound(to_matrix.decide(read, PORTAL, known))


def matrix_event(data: bytes) -> None:
    try:
        event = parse_matrix(data)
    except ValueError:
        return
    if not isinstance(event, dict):
        return
    if matrix.address(event) is None:
        return
    asked.is_addressed(event, "!slack")
    read = matrix.read(event, "fuzz")
    if isinstance(read, Ignored):
        return
    if isinstance(read, MatrixMessage):
        grammar.parse(asked.words_of(read, "!slack") or asked.words_alone(read) or "")
    to_slack.needs(read)
    for known in _KNOWN:
        _sound(to_slack.decide(read, PORTAL, known))


def _sound(decided: object) -> None:
    if not isinstance(decided, tuple):
        return
    keys = [action.key for action in decided]
    assert len(set(keys)) == len(keys)
    for action in decided:
        content = getattr(action, "content", None)
        if isinstance(content, dict):
            mentioned = content.get("m.mentions")
            assert not (isinstance(mentioned, dict) and mentioned.get("room"))
            only_allowed(str(content.get("formatted_body", "")))


def mrkdwn(data: bytes) -> None:
    _shown_in_matrix(from_slack(_text(data)))


def blocks(data: bytes) -> None:
    given = parsed_slack(data) or {}
    document = from_slack(given.get("text", ""), given.get("blocks", ()), given.get("attachments", ()))
    _shown_in_matrix(document)
    for message in in_slack(document, Names()):
        assert len(message.text) <= 4000
        orjson.dumps(message.blocks)


def matrix_html(data: bytes) -> None:
    text = _text(data)
    document = from_matrix({"body": text, "format": "org.matrix.custom.html", "formatted_body": text})
    pings_nobody(in_slack(document, Names()))
    _shown_in_matrix(document)


def plain(data: bytes) -> None:
    pings_nobody(in_slack(from_matrix({"body": _text(data)}), Names()))


def _shown_in_matrix(document: Any) -> None:
    mentions(document)
    only_allowed(in_matrix(document, Names()).formatted_body or "")


def command(data: bytes) -> None:
    words = _text(data)
    found = grammar.parse(words)
    if isinstance(found, grammar.Mistake):
        pings_nobody(in_slack(replies.mistake(found, "!slack"), Names()))
    grammar.entry_of(words)


def sheet_of_people(data: bytes) -> None:
    names = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
    sheet.read(_text(data), {SlackUserId("U1")}, names)


def address(data: bytes) -> None:
    text = _text(data)
    slack_place(text)
    matrix_place(text)
    parts = text.split("/")
    assert _AVATARS.picture(*(parts + [""] * 3)[:3]) is None


def configuration(data: bytes) -> None:
    loader.parse(_text(data), "config.yaml", Path("/nowhere"), {})


def export(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        path.write_bytes(data)
        with open_export(path) as found:
            orjson.dumps(as_json(make_plan(found, "x", Selection())))


def export_file(data: bytes) -> None:
    """The same bytes as every file of an otherwise good export."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("channels.json", "users.json", "dms.json", "general/2024-05-01.json"):
            archive.writestr(name, data)
    export(packed.getvalue())


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _cases(*files: str, raw: bool = False) -> Callable[[], Iterator[bytes]]:
    """Lend what conversion cases are made of: their texts, or the whole of them as JSON."""

    def seeds() -> Iterator[bytes]:
        for file in files:
            for case in orjson.loads((ROOT / "tests" / "cases" / file).read_bytes()):
                given = next((case[key] for key in ("slack", "matrix", "said", "html", "content") if key in case), case)
                if isinstance(given, str) and raw:
                    yield given.encode()
                elif raw:
                    yield str(given.get("text") or given.get("formatted_body") or given.get("body") or "").encode()
                else:
                    yield orjson.dumps(given if isinstance(given, dict) else {"text": given})

    return seeds


_SLACK_TEXTS = ("slack_mrkdwn.json", "slack_mentions.json", "slack_emoji.json")
_SLACK_SHAPES = ("slack_blocks.json", "slack_attachments.json", "slack_rich_text.json")

DOORS: Sequence[Door] = (
    Door("slack_event", slack_event, weight=40),
    Door("matrix_event", matrix_event, weight=40),
    Door("mrkdwn", mrkdwn, _cases(*_SLACK_TEXTS, raw=True), pumped=mrkdwn, weight=40),
    Door("blocks", blocks, _cases(*_SLACK_SHAPES), weight=40),
    Door("matrix_html", matrix_html, _cases("matrix_html.json", raw=True), pumped=matrix_html, weight=40),
    Door("plain", plain, _cases("matrix_plain.json", raw=True), pumped=plain, weight=40),
    Door("command", command, _cases("commands.json", raw=True), pumped=command, weight=40),
    Door("sheet", sheet_of_people, pumped=sheet_of_people, weight=40),
    Door("address", address, pumped=address, weight=40),
    Door("configuration", configuration, lambda: iter([example().encode()]), (ConfigError,), weight=2),
    Door("export", export, refusals=(BadExport,), weight=10),
    Door("export_file", export_file, refusals=(BadExport,), weight=10),
    Door("homeserver_request", web.homeserver_request, weight=4),
    Door("slack_request", web.slack_request, weight=4),
    Door("public_request", web.public_request, weight=4),
)
