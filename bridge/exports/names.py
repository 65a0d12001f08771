"""Names of files in an archive: decoded, and safe, or refused with the reason.

A path is relative, has `/` between its parts, and leads nowhere but down. Nothing of an archive is ever written to a
disk under such a name, yet a name that tries to climb out was made by somebody who means harm, and is told.
"""

from __future__ import annotations

import re
import unicodedata

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\.json", re.ASCII)
_ALMOST_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_LEFT_BEHIND = frozenset(
    {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".Trashes", ".Spotlight-V100", ".fseventsd"}
)


def decoded(name: bytes) -> str:
    """Return a name in a zip: UTF-8 whether or not the zip says so, since Slack's do not, else code page 437."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def refusal(path: str) -> str:
    """Return why a name may not be used as a path, empty where it may."""
    if "\0" in path:
        return "a name with a NUL character: it is not read"
    if path.startswith(("/", "\\")) or _DRIVE.match(path):
        return "an absolute path: it is not read"
    if ".." in parts(path):
        return "a path that leads out of the archive: it is not read"
    return ""


def parts(path: str) -> list[str]:
    """Return the parts of a path; Windows programs write backslashes, which occur in no name of Slack's."""
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def joined(folder: str, name: str) -> str:
    """Return the path of a file in a folder; the top folder is the empty path."""
    return f"{folder}/{name}" if folder else name


def is_left_behind(name: str) -> bool:
    """Tell whether a desktop left this file or folder there without being asked."""
    return name in _LEFT_BEHIND or name.startswith("._")


def day_number(name: str) -> int:
    """Return the date in the name of a day file as `yyyymmdd`, 0 for every other name."""
    found = _DAY.fullmatch(name)
    return int(found[1] + found[2] + found[3]) if found else 0


def day_name(number: int) -> str:
    """Return the name of the day file with this date."""
    digits = f"{number:08d}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}.json"


def is_almost_a_day(name: str) -> bool:
    """Tell whether a name that is none of a day file was one before somebody's program changed it."""
    return _ALMOST_DAY.match(name) is not None and not day_number(name)


def spellings(name: str) -> set[str]:
    """Return what a folder's name may have been before an unpacking program changed it, normalised for comparison."""
    found = {unicodedata.normalize("NFC", name)}
    for wrong in ("cp437", "cp1252"):
        try:
            found.add(unicodedata.normalize("NFC", name.encode(wrong).decode("utf-8")))
        except UnicodeError:
            continue
    return found


def shown(name: str) -> str:
    """Return a name that can be printed, whatever its bytes on the disk were."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
