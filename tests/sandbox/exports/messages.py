"""One message of a person or an integration, with everything that Slack writes around its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.exports.attached import app_blocks, report, unfurl
from tests.sandbox.exports.cast import CUSTOM_EMOJI
from tests.sandbox.exports.talk import rich_text, text_of

if TYPE_CHECKING:
    from random import Random

    from tests.sandbox.exports.attached import Files
    from tests.sandbox.exports.cast import Cast, Person
    from tests.sandbox.exports.talk import Phrase
    from tests.sandbox.slack.state import Json

_EMOJI = ("+1", "tada", "eyes", "heart", "joy", "white_check_mark", "flag-de", "thinking_face", "thumbsup_all")
_TONED = ("clap", "+1", "wave", "raised_hands", "pray")


@dataclass(frozen=True, slots=True)
class Speech:
    """What a workspace's messages are made of."""

    cast: Cast
    phrases: tuple[Phrase, ...]
    files: Files

    def by_person(self, random: Random, speaker: Person, ts: str) -> Json:
        """A message of a person, or of a bot that has a user."""
        record: Json = {"type": "message", "text": "", "user": speaker.id, "ts": ts}
        if speaker.bot_profile is not None:
            record |= {"bot_id": speaker.bot_id, "team": self.cast.team, "bot_profile": speaker.bot_profile}
        elif random.random() < 0.95:
            record |= {"client_msg_id": _uuid(random), "team": self.cast.team}
        if speaker.profile is not None and (speaker.record is None or random.random() < 0.7):
            team = speaker.profile["team"]
            record |= {"user_team": team, "source_team": team, "user_profile": speaker.profile}
        self._fill(random, record, speaker)
        if random.random() < 0.14:
            record["reactions"] = self._reactions(random)
        if random.random() < 0.06:
            seconds = int(ts.partition(".")[0]) + random.randrange(2, 4000)
            record["edited"] = {"user": speaker.bot_id or speaker.id, "ts": f"{seconds}.000000"}
        return record

    def by_integration(self, random: Random, ts: str) -> Json:
        """A bot_message: nobody's, but of a bot_id, with a name or a profile or neither."""
        integration = random.choice(self.cast.integrations)
        record: Json = {"type": "message", "subtype": "bot_message", "text": "", "ts": ts, "bot_id": integration.bot_id}
        for key, value in (
            ("username", integration.username),
            ("icons", integration.icons),
            ("bot_profile", integration.profile),
            ("app_id", integration.app_id),
        ):
            if value is not None:
                record[key] = value
        chance, number = random.random(), random.randrange(10_000)
        if chance < 0.45:
            record["attachments"] = [report(random, number)]
        elif chance < 0.55:
            record["blocks"] = app_blocks(random, number)
        else:
            record["text"] = f"Deploy {number} of <https://firma.example/{number}|shop> *finished* :ship_it:"
        if random.random() < 0.05:
            record["reactions"] = self._reactions(random)
        return record

    def _fill(self, random: Random, record: Json, speaker: Person) -> None:
        chance = random.random()
        if chance < 0.06:
            at = int(record["ts"].partition(".")[0])
            count = 1 if random.random() < 0.8 else random.randrange(2, 6)
            record["files"] = [self.files.make(random, speaker.id, at) for _ in range(count)]
            record |= {"upload": False, "display_as_bot": False}
            if chance < 0.03:
                return
        elif chance < 0.07:
            record["attachments"] = [report(random, random.randrange(10_000))]
            return
        elif chance < 0.075:
            record["blocks"] = app_blocks(random, random.randrange(10_000))
            return
        pieces = [random.choice(self.phrases)]
        if random.random() < 0.4:
            pieces.append(random.choice(self.phrases))
        record["text"] = text_of(pieces)
        if random.random() < 0.85:
            record["blocks"] = [rich_text(pieces, f"{random.getrandbits(24):x}")]
        if "<http" in record["text"] and random.random() < 0.5:
            url = "http" + record["text"].partition("<http")[2].partition(">")[0].partition("|")[0]
            record["attachments"] = [unfurl(random, url.replace("&amp;", "&"))]

    def _reactions(self, random: Random) -> list[Json]:
        names: dict[str, None] = {}
        for _ in range(1 if random.random() < 0.6 else random.randrange(2, 5)):
            chance = random.random()
            if chance < 0.16:
                names[f"{random.choice(_TONED)}::skin-tone-{random.randrange(2, 7)}"] = None
            elif chance < 0.26:
                names[random.choice(CUSTOM_EMOJI)] = None
            else:
                names[random.choice(_EMOJI)] = None
        reactions = []
        for name in names:
            people = {random.choice(self.cast.members).id: None for _ in range(1 + int(random.expovariate(0.7)))}
            if random.random() < 0.02:
                people[random.choice(self.cast.unknown).id] = None
            reactions.append({"name": name, "users": list(people), "count": len(people)})
        return reactions


def count_thread(record: Json, replies: list[tuple[str, str]]) -> None:
    """Writes into a root what Slack tells of its replies, which now and then is too little."""
    told = replies
    if len(replies) > 1 and replies[0][0][-1] in "05":
        told = replies[:-1]
    people = list(dict.fromkeys(user for _, user in replies))
    record |= {"thread_ts": record["ts"], "reply_count": len(told), "reply_users_count": len(people)}
    record |= {"latest_reply": replies[-1][0], "reply_users": people, "is_locked": False, "subscribed": False}
    record["replies"] = [{"user": user, "ts": ts} for ts, user in told]


def place_reply(record: Json, root: Json) -> None:
    """Hangs a message into a thread; now and then it was sent to the channel too."""
    record["thread_ts"] = root["ts"]
    if "user" in root:
        record["parent_user_id"] = root["user"]
    if "bot_profile" not in record and record["ts"][-2] == "7" and record["ts"][-1] in "01234":
        nested = {key: value for key, value in root.items() if key not in ("replies", "root")}
        record |= {"subtype": "thread_broadcast", "root": nested}


def _uuid(random: Random) -> str:
    word = f"{random.getrandbits(128):032x}"
    return f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:]}"
