"""The words of the commands: which there are, what each takes and who may use it; and reading them.

They are those of the command line: `portals pause` is as good as `pause`. What cannot be read is a `Mistake`, which
says what to write instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from portals.commands.command import (
    AskLink,
    Bridge,
    ChangeParked,
    ChangePortal,
    ConfirmLink,
    ConfirmPlumb,
    Connect,
    Consent,
    Console,
    Disconnect,
    Help,
    ImportStatus,
    InstallLink,
    InviteBot,
    InviteMe,
    LinkPerson,
    ListParked,
    ListPortals,
    Plumb,
    Report,
    Status,
    Talk,
    Unlink,
)
from portals.people.links import is_person
from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portals.commands.command import Command, Way

LONGEST = 500
_WAYS: Mapping[str, Way] = {"both": "both", "to_matrix": "to_matrix", "to_slack": "to_slack"}
_QUOTES = "\"'“”„‘’`"
_PLACE = re.compile(r"[#!]?[\w.:/=+-]{1,255}")
_CODE = re.compile(r"[a-z2-7]{4}-?[a-z2-7]{4}")
_ACCOUNT = re.compile(r"@\S{1,254}")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Words that are no command, and what to write; `word` is the command that was meant, where that is clear."""

    reason: str
    word: str = ""


class _Unreadable(Exception):
    """What follows a command's word is not what it takes; the text says why, where there is more to say."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What follows a command's word."""

    words: tuple[str, ...]
    options: Mapping[str, str]

    def at_most(self, count: int) -> tuple[str, ...]:
        """Return the words, as many as the command can take, with empty ones in the place of those left out."""
        if len(self.words) > count:
            raise _Unreadable
        return (*self.words, *[""] * (count - len(self.words)))

    def exactly(self, count: int) -> tuple[str, ...]:
        """Return the words, as many as the command takes."""
        if len(self.words) != count:
            raise _Unreadable
        return self.words

    def place(self) -> str:
        """Return the channel or room that the command is about."""
        return _place(self.exactly(1)[0])

    def place_if_any(self) -> str:
        """Return the channel or room that the command is about, or nothing."""
        (word,) = self.at_most(1)
        return _place(word) if word else ""

    @property
    def workspace(self) -> str:
        """Return the workspace that is named, or nothing."""
        return self.options.get("workspace", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: its words, what follows them, what it does, what it becomes, and other words for it."""

    words: str
    takes: str
    meaning: str
    kind: type[Command]
    read: Callable[[Rest], Command]
    options: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """Return how it is written."""
        return f"{self.words} {self.takes}".rstrip()


def _place(word: str) -> str:
    if not _PLACE.fullmatch(word):
        raise _Unreadable(f"{_shown(word)} is no channel: write its name, like #general, or its id")
    return word


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise _Unreadable(f"{_shown(word)} is no number")
    return int(word)


def _code(word: str) -> str:
    folded = word.lower()
    if not _CODE.fullmatch(folded):
        raise _Unreadable(f"{_shown(word)} is no code: it has eight signs, like abcd-efgh")
    return folded.replace("-", "")


def _person(word: str) -> str:
    if not is_person(word):
        raise _Unreadable(
            f"{_shown(word)} is no id of a Slack person, such as U0123456789: a profile in Slack shows it under ⋮, "
            "Copy member ID"
        )
    return word


def _help(rest: Rest) -> Command:
    return Help(" ".join(rest.words))


def _status(rest: Rest) -> Command:
    return Status(rest.place_if_any())


def _invite_me(rest: Rest) -> Command:
    return InviteMe(rest.place())


def _invite_bot(rest: Rest) -> Command:
    return InviteBot(rest.place(), rest.workspace)


def _report(rest: Rest) -> Command:
    return Report(rest.place_if_any())


def _confirm_link(rest: Rest) -> Command:
    return ConfirmLink(_code(rest.exactly(1)[0]))


def _confirm_plumb(rest: Rest) -> Command:
    return ConfirmPlumb(_code(rest.exactly(1)[0]))


def _bridge(rest: Rest) -> Command:
    return Bridge(rest.place(), rest.workspace, _way(rest))


def _plumb(rest: Rest) -> Command:
    return Plumb(rest.place(), rest.workspace, _way(rest))


def _way(rest: Rest) -> Way | None:
    given = rest.options.get("direction")
    if given is not None and given not in _WAYS:
        raise _Unreadable(f"{_shown(given)} is no direction: both, to_matrix or to_slack")
    return _WAYS[given] if given is not None else None


def _link(rest: Rest) -> Command:
    user, account = rest.at_most(2)
    _person(user)
    if not account:
        return AskLink(user, rest.workspace)
    if not _ACCOUNT.fullmatch(account):
        raise _Unreadable(f"{_shown(account)} is no Matrix user id, such as @alice:example.org")
    return LinkPerson(user, account, rest.workspace)


def _unlink(rest: Rest) -> Command:
    (user,) = rest.at_most(1)
    return Unlink(_person(user) if user else "", rest.workspace)


def _connect(rest: Rest) -> Command:
    rest.exactly(0)
    return Connect(rest.workspace)


def _install_link(rest: Rest) -> Command:
    rest.exactly(0)
    return InstallLink(rest.workspace)


def _talk(rest: Rest) -> Command:
    if not rest.words:
        raise _Unreadable("it takes whom to talk with")
    people = tuple(word if _ACCOUNT.fullmatch(word) else _person(word) for word in rest.words)
    return Talk(people, rest.workspace)


def _import_status(rest: Rest) -> Command:
    (number,) = rest.at_most(1)
    return ImportStatus(_number(number) if number else None)


def _plain(command: Command) -> Callable[[Rest], Command]:
    def read(rest: Rest) -> Command:
        rest.exactly(0)
        return command

    return read


_WHERE = ("workspace",)
_HOW = ("workspace", "direction")
ENTRIES = (
    Entry("help", "[COMMAND]", "what you may ask here, or what one command takes", Help, _help),
    Entry("status", "[#CHANNEL]", "how a portal does, or the whole bridge", Status, _status),
    Entry("portals", "", "which channels are bridged", ListPortals, _plain(ListPortals()), others=("portals list",)),
    Entry("invite", "#CHANNEL", "be invited to a channel's room", InviteMe, _invite_me, others=("invite me",)),
    Entry(
        "link",
        "U… [@USER:SERVER]",
        "link your account of Slack to yours here; an admin may link others",
        AskLink,
        _link,
        _WHERE,
        others=("people link",),
    ),
    Entry("link confirm", "CODE", "prove by a code that an account of Slack is yours", ConfirmLink, _confirm_link),
    Entry(
        "unlink",
        "[U…]",
        "end your link; an admin may end others'",
        Unlink,
        _unlink,
        _WHERE,
        others=("people unlink",),
    ),
    Entry(
        "connect",
        "",
        "write in Slack as yourself, from your own account there",
        Connect,
        _connect,
        _WHERE,
        others=("login", "people connect"),
    ),
    Entry(
        "disconnect",
        "",
        "write in Slack as yourself no more",
        Disconnect,
        _plain(Disconnect()),
        others=("logout", "people disconnect"),
    ),
    Entry(
        "talk",
        "U… [U… …]",
        "talk directly in Slack with one person or several, from your own account there",
        Talk,
        _talk,
        _WHERE,
        others=("dm",),
    ),
    Entry(
        "consent",
        "",
        "agree that your direct messages cross",
        Consent,
        _plain(Consent(given=True)),
        others=("people consent",),
    ),
    Entry("withdraw", "", "agree no longer that they do", Consent, _plain(Consent(given=False))),
    Entry("bridge", "#CHANNEL", "bridge a channel into a new room", Bridge, _bridge, _HOW, others=("portals add",)),
    Entry(
        "unbridge",
        "[#CHANNEL]",
        "end a portal; nothing is deleted on either side",
        ChangePortal,
        lambda rest: ChangePortal("remove", rest.place_if_any()),
        others=("portals remove",),
    ),
    Entry(
        "pause",
        "[#CHANNEL]",
        "keep everything that comes, relay nothing",
        ChangePortal,
        lambda rest: ChangePortal("pause", rest.place_if_any()),
        others=("portals pause",),
    ),
    Entry(
        "resume",
        "[#CHANNEL]",
        "go on with a paused portal, with all that came meanwhile",
        ChangePortal,
        lambda rest: ChangePortal("resume", rest.place_if_any()),
        others=("portals resume",),
    ),
    Entry("plumb", "#CHANNEL", "join this room, which is there already, to a channel", Plumb, _plumb, _HOW),
    Entry("plumb confirm", "CODE", "do so, as was explained", ConfirmPlumb, _confirm_plumb),
    Entry("invite bot", "#CHANNEL", "have the bot join a public channel in Slack", InviteBot, _invite_bot, _WHERE),
    Entry(
        "install-link",
        "",
        "a link by which the app is installed to a workspace of Slack",
        InstallLink,
        _install_link,
        _WHERE,
        others=("slack install-link",),
    ),
    Entry(
        "parked",
        "",
        "what could not be delivered, and why",
        ListParked,
        _plain(ListParked()),
        others=("parked list",),
    ),
    Entry(
        "parked retry",
        "NUMBER",
        "try to deliver it again, at its old place",
        ChangeParked,
        lambda rest: ChangeParked("retry", _number(rest.exactly(1)[0])),
        others=("retry",),
    ),
    Entry(
        "parked drop",
        "NUMBER",
        "give it up for good",
        ChangeParked,
        lambda rest: ChangeParked("drop", _number(rest.exactly(1)[0])),
        others=("drop",),
    ),
    Entry(
        "import status",
        "[NUMBER]",
        "how far an import is",
        ImportStatus,
        _import_status,
        others=("import",),
    ),
    Entry("report", "[#CHANNEL]", "how to prove that a room shows what Slack had", Report, _report),
    Entry("console", "", "a link by which you sign in to the console", Console, _plain(Console())),
)
_BY_WORDS = {words: entry for entry in ENTRIES for words in (entry.words, *entry.others)}
_MOST_WORDS = 2


def parse(words: str) -> Command | Mistake:
    """Return the command that words are, or what to write instead; nothing at all asks for help."""
    if len(words) > LONGEST:
        return Mistake(f"a command has at most {LONGEST} signs")
    said = words.split()
    if not said:
        return Help()
    entry, following = _found(said)
    if entry is None:
        return Mistake(_unknown(said))
    try:
        return entry.read(_rest(following, entry.options))
    except _Unreadable as unreadable:
        return Mistake(str(unreadable) or "that is not what it takes", entry.words)


def entry_of(words: str) -> Entry | None:
    """Return the command of these words."""
    return _found(words.split())[0]


def _found(said: Sequence[str]) -> tuple[Entry | None, list[str]]:
    for count in range(_MOST_WORDS, 0, -1):
        entry = _BY_WORDS.get(" ".join(said[:count]).lower())
        if entry is not None and len(said) >= count:
            return entry, list(said[count:])
    return None, []


def _rest(said: Sequence[str], options: tuple[str, ...]) -> Rest:
    words: list[str] = []
    given: dict[str, str] = {}
    following = iter(said)
    for word in following:
        if not word.startswith(("--", "—", "–")):
            words.append(word.strip(_QUOTES))
            continue
        name, equals, value = word.lstrip("-—–").partition("=")
        if name not in options:
            raise _Unreadable(f"it does not take {_shown(word)}")
        given[name] = (value if equals else next(following, "")).strip(_QUOTES)
        if not given[name]:
            raise _Unreadable(f"--{name} is followed by nothing")
    return Rest(tuple(words), given)


def _unknown(said: Sequence[str]) -> str:
    tried = [" ".join(said[:count]).lower() for count in (_MOST_WORDS, 1)]
    near = [like for one in tried for like in get_close_matches(one, _BY_WORDS, n=2, cutoff=0.7)]
    near += [words for words in _BY_WORDS if tried[-1] in words.split()]
    meant = " or ".join(f"`{one}`" for one in dict.fromkeys(near[:3]))
    return f"{_shown(said[0])} is no command" + (f": did you mean {meant}?" if meant else "")


def _shown(word: str) -> str:
    return f"“{label_of(word[:60])}”"
