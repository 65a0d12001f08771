"""`causeway preview`: what one message would become on the other side, without a bridge, a connection or a config."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from portals.ids import ChannelId, MatrixUserId, RoomId, SlackUserId
    from portals.preview import Known, Preview

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what both directions take; click applies options from the last to the first."""
    for option in (
        click.option(
            "--json", "as_json", is_flag=True, help="Print JSON: what this command does in any case, like the others."
        ),
        click.option("--user-map", type=_file, help="A JSON object of Slack user id and Matrix user id: who is whom."),
        click.option(
            "--room-map",
            type=_file,
            help="A JSON object of Slack channel id and Matrix room id or alias: where channels and links lead.",
        ),
        click.option(
            "--people", type=_file, help="Slack's users.json of an export, or an answer of users.list: names of people."
        ),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)),
    ):
        command = option(command)
    return command


@click.group(
    epilog="""\b
    Examples:
      causeway preview to-matrix message.json
      causeway preview to-slack event.json --room-map rooms.json""",
    short_help="Show what a message would become on the other side.",
)
def preview() -> None:
    """Show what a message would become on the other side: no bridge, connection or configuration is needed."""


@preview.command(
    "to-matrix",
    epilog="""\b
    Examples:
      causeway preview to-matrix message.json
      causeway preview to-matrix --people users.json general/2024-05-01.json
      echo '{"user": "U1", "ts": "1.000100", "text": "*hi*"}' | causeway preview to-matrix -""",
    short_help="Show the Matrix events that Slack messages would become.",
)
@_options
def to_matrix(file: Path, people: Path | None, room_map: Path | None, user_map: Path | None, as_json: bool) -> None:
    """Show the Matrix events that the Slack messages in FILE (- for standard input) would become.

    FILE holds a message, an event, a whole delivery (event_callback), or a list of them. Printed is a JSON list of
    {"type", "content"}; what shows nothing has a note on standard error. An edit, reply, reaction or deletion finds a
    message that stands before it in the list, which is the event $previewN: N counts what is printed. A file's address
    is mxc://preview/ and Slack's file id.
    """
    from portals.preview import preview_to_matrix

    _print(preview_to_matrix(_given(file), _known(people, room_map, user_map)))


@preview.command(
    "to-slack",
    epilog="""\b
    Examples:
      causeway preview to-slack event.json
      causeway preview to-slack --user-map users.json --room-map rooms.json event.json
      echo '{"msgtype": "m.text", "body": "hi"}' | causeway preview to-slack -""",
    short_help="Show the calls to Slack that Matrix events would become.",
)
@_options
def to_slack(file: Path, people: Path | None, room_map: Path | None, user_map: Path | None, as_json: bool) -> None:
    """Show the calls to Slack that the Matrix events in FILE (- for standard input) would become.

    FILE holds an event, the content of a message alone, or a list of them. Printed is a JSON list of {"method",
    "args"}; what shows nothing has a note on standard error. An edit, reply, reaction or redaction finds an event that
    stands before it in the list by its event_id ($previewN for the N-th, where it has none); its message in Slack has
    the ts N.000000, where N counts what is printed. A file shows as the last call of its upload.
    """
    from portals.preview import preview_to_slack

    _print(preview_to_slack(_given(file), _known(people, room_map, user_map)))


def _print(seen: Preview) -> None:
    for note in seen.notes:
        click.echo(note, err=True)
    print_json(seen.shown)


# --- the files


def _given(file: Path) -> list[object]:
    found = _read(file)
    return found if isinstance(found, list) else [found]


def _read(file: Path) -> object:
    """Return the JSON of a file; whatever it is not, is told with its place."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        found: object = json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise click.ClickException(f"{name} is no JSON: {error.msg} at {where}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{name} is no JSON: it is no UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{name} cannot be read: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror or error}") from None
    return found


def _known(people: Path | None, room_map: Path | None, user_map: Path | None) -> Known:
    from portals.preview import Known

    rooms: dict[ChannelId, RoomId] = _pairs(room_map, "!#", "a room id or alias") if room_map else {}
    users: dict[SlackUserId, MatrixUserId] = _pairs(user_map, "@", "a Matrix user id") if user_map else {}
    return Known(_people(people) if people else {}, rooms, users)


def _pairs(file: Path, sigils: str, what: str) -> dict[Any, Any]:  # Any: ids of the kinds that the caller names
    """Return the pairs of a map, whichever side stands first in each."""
    from portals.ids import is_slack_id

    found = _read(file)
    if not isinstance(found, dict):
        raise click.ClickException(f"{file} is no JSON object of Slack ids and Matrix ids")
    pairs = {}
    for left, right in found.items():
        slack, matrix = (right, left) if left[:1] in tuple(sigils) else (left, right)
        if not (isinstance(slack, str) and is_slack_id(slack)):
            raise click.ClickException(f"{file}: {json.dumps(slack)[:80]} is no Slack id")
        if not (isinstance(matrix, str) and matrix[:1] in tuple(sigils)):
            raise click.ClickException(f"{file}: {json.dumps(matrix)[:80]}, beside {slack}, is not {what}")
        pairs[slack] = matrix
    return pairs


def _people(file: Path) -> dict[SlackUserId, Any]:
    """Return the people of an export's users.json, or of an answer of users.list."""
    from bridge.work.profiles import people_of
    from portals.preview import TEAM, ghost_names

    found = _read(file)
    users = found.get("members") if isinstance(found, dict) else found
    if not isinstance(users, list):
        raise click.ClickException(f'{file} is neither a list of users nor an answer of users.list with "members"')
    return {person.user: person for person in people_of(users, ghost_names(), TEAM)}
