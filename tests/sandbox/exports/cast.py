"""The people and bots of a generated workspace, those that users.json leaves out included.

Besides members of every sort there are strangers whom only the `user_profile` in their messages describes, some of
whom nothing is known but an id, and integrations that speak without being anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json

GHOSTLY_ID = "U00"
CUSTOM_EMOJI = ("party-parrot", "ship_it", "firma-logo", "très-bien", "thank-you", "blob_wave", "500")
_FIRST = (
    "Aino", "Björn", "Carmen", "Dilan", "Élodie", "Faruk", "Grace", "Håkon", "Ilse", "João", "Katarzyna", "Lior",
    "Mariam", "Nguyễn", "Oksana", "Paweł", "Quentin", "Raúl", "Siobhán", "Tomáš", "Ülkü", "Veronika", "Wei", "Xenia",
    "Yusuf", "Zoë", "عمر", "美咲",
)  # fmt: skip
_LAST = (
    "Andersson", "Baptiste", "Córdoba", "Dąbrowski", "El-Sayed", "Fuchs", "Grünwald", "Hernández", "Ivanova", "Jansen",
    "Kovács", "Lindgren", "Mbeki", "Nowak", "O'Brien", "Pereira", "Quispe", "Rossi", "Šimić", "Tanaka", "Uddin",
    "van der Berg", "Wójcik", "Yıldız", "Zhang",
)  # fmt: skip
_TITLES = ("", "", "Engineering", "Design lead", "Kundendienst", "Ops & infrastructure", "Ventas 🇪🇸", "CFO")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def slack_id(random: Random, prefix: str) -> str:
    """An id that looks like Slack's."""
    number, digits = random.getrandbits(46), ""
    for _ in range(9):
        number, rest = divmod(number, 36)
        digits += _DIGITS[rest]
    return f"{prefix}0{digits}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes. `record` is their entry in users.json, `profile` what their messages say of them."""

    id: str
    name: str
    record: Json | None
    profile: Json | None
    bot_id: str = ""
    bot_profile: Json | None = None


@dataclass(frozen=True, slots=True)
class Integration:
    """An app that posts as bot_message, without a user."""

    bot_id: str
    username: str | None
    icons: Json | None
    profile: Json | None
    app_id: str | None


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody. `members` stand in users.json; `strangers` and `unknown` do not."""

    team: str
    members: tuple[Person, ...]
    bots: tuple[Person, ...]
    strangers: tuple[Person, ...]
    unknown: tuple[Person, ...]
    integrations: tuple[Integration, ...]

    def users(self) -> list[Json]:
        """What users.json holds."""
        return [person.record for person in (*self.members, *self.bots) if person.record is not None]


def cast_of(seed: int, people: int, leavers: int = 0, emails: bool = True, team: str = "") -> Cast:
    """A workspace's people. So many of those who were active are deactivated besides, as time goes by."""
    random = Random(f"{seed}/cast")
    team = team or slack_id(random, "T")
    members = [_member(random, team, number, emails) for number in range(people)]
    for number in range(leavers):
        _deactivate(members[-1 - number])
    bots = tuple(_bot(random, team, name) for name in ("Standup Bot", "giphy", "Wörkflow"))
    strangers = tuple(_stranger(random) for _ in range(max(2, people // 30)))
    unknown = tuple(Person(slack_id(random, "U"), "", None, None) for _ in range(max(1, people // 60)))
    return Cast(team, tuple(members), bots, strangers, unknown, _integrations(random, team))


def _member(random: Random, team: str, number: int, emails: bool) -> Person:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    handle = f"{first}.{last}".lower().replace(" ", "").replace("'", "")
    name = handle if number % 7 else f"{handle}{number}"
    shown = random.choice((first, f"{first} {last}", "", f"{first} :palm_tree:", handle))
    user_id = slack_id(random, "W" if number % 40 == 39 else "U")
    profile: Json = {
        "title": random.choice(_TITLES),
        "phone": "",
        "skype": "",
        "real_name": f"{first} {last}",
        "real_name_normalized": f"{first} {last}",
        "display_name": shown,
        "display_name_normalized": shown,
        "fields": None,
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": f"g{random.getrandbits(48):012x}",
        "first_name": first,
        "last_name": last,
        "team": team,
    }
    for size in (24, 32, 48, 72, 192, 512):
        profile[f"image_{size}"] = f"https://avatars.example/{user_id}_{size}.png"
    if emails and number % 9 != 8:
        profile["email"] = f"{name}@firma.example" if name.isascii() else f"user{number}@firma.example"
    record: Json = {"id": user_id, "team_id": team, "name": name, "deleted": False, "color": "9f69e7"}
    record |= {"real_name": f"{first} {last}", "tz": "Europe/Vienna", "tz_label": "Central European Time"}
    record |= {"tz_offset": 3600, "profile": profile, "is_admin": number == 0, "is_owner": number == 0}
    record |= {"is_primary_owner": number == 0, "is_restricted": number % 25 in (11, 12)}
    record |= {
        "is_ultra_restricted": number % 25 == 12,
        "is_bot": False,
        "is_app_user": False,
        "updated": 1_600_000_000,
    }
    person = Person(user_id, name, record, _short(profile, name, record))
    if number % 10 == 6:
        _deactivate(person)
    return person


def _deactivate(person: Person) -> None:
    if person.record is not None:
        person.record["deleted"] = True
        person.record["profile"].pop("email", None)
        for key in ("tz", "tz_label", "tz_offset", "color", "real_name"):
            person.record.pop(key, None)


def _short(profile: Json, name: str, record: Json) -> Json:
    keys = ("avatar_hash", "image_72", "first_name", "real_name", "display_name", "team")
    short: Json = {key: profile[key] for key in keys}
    short |= {"name": name, "is_restricted": record["is_restricted"]}
    return short | {"is_ultra_restricted": record["is_ultra_restricted"]}


def _stranger(random: Random) -> Person:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    user_id, team = slack_id(random, "U"), slack_id(random, "T")
    profile: Json = {"avatar_hash": f"{random.getrandbits(48):012x}", "first_name": first}
    profile |= {"image_72": f"https://avatars.example/{user_id}_72.png", "real_name": f"{first} {last}"}
    profile |= {"display_name": first, "team": team, "name": first.lower(), "is_restricted": False}
    return Person(user_id, first.lower(), None, profile | {"is_ultra_restricted": False})


def _bot(random: Random, team: str, name: str) -> Person:
    user_id, bot_id, app_id = slack_id(random, "U"), slack_id(random, "B"), slack_id(random, "A")
    icons = {f"image_{size}": f"https://avatars.example/{bot_id}_{size}.png" for size in (36, 48, 72)}
    shown: Json = {"id": bot_id, "deleted": False, "name": name, "updated": 1_600_000_000, "app_id": app_id}
    shown |= {"icons": icons, "team_id": team}
    profile: Json = {"real_name": name, "real_name_normalized": name, "display_name": "", "team": team}
    profile |= {"api_app_id": app_id, "bot_id": bot_id, "always_active": True, **icons}
    handle = name.lower().replace(" ", "_")
    record: Json = {"id": user_id, "team_id": team, "name": handle, "deleted": False, "real_name": name}
    record |= {"profile": profile, "is_bot": True, "is_app_user": False, "updated": 1_600_000_000}
    return Person(user_id, handle, record, None, bot_id, shown)


def _integrations(random: Random, team: str) -> tuple[Integration, ...]:
    def make(username: str | None, icons: Json | None, named: str = "", app: bool = True) -> Integration:
        bot_id, app_id = slack_id(random, "B"), slack_id(random, "A")
        profile: Json = {"id": bot_id, "deleted": False, "name": named, "app_id": app_id, "team_id": team}
        return Integration(bot_id, username, icons, profile if named else None, app_id if app else None)

    pictures = {f"image_{size}": f"https://avatars.example/feed_{size}.png" for size in (36, 48, 72)}
    return (
        make("github", {"image_36": pictures["image_36"], "image_72": pictures["image_72"]}),
        make("Überwachung", {"emoji": ":rotating_light:", "image_64": "https://avatars.example/1f6a8.png"}, app=False),
        make(None, None, "Deploys"),
        make("", None, "Formulare"),
        make(None, None),
        make("News <em>&amp;</em> more", pictures, app=False),
    )
