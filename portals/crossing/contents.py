"""What a file is by its first bytes, and whether that may cross: what its sender calls it proves nothing.

An allow-list is strict: what is recognised as another type than it claims must be allowed as that type, and what is not
recognised at all passes only for text that claims to be some. Office documents are archives inside, and archives are
what they look like: there the claim counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.crossing.judge import Withheld
from portals.crossing.patterns import matches, passes
from portals.relay import files

if TYPE_CHECKING:
    from portals.crossing.policy import Policy

HEAD = 8192
"""How many bytes tell what a file is."""
_TEXTS = ("text/*", "application/json", "application/xml", "application/x-yaml", "application/*+json", "*/*+xml")
_ARCHIVES = {
    "application/zip": ("application/vnd.openxmlformats-*", "application/vnd.oasis.*", "*/*+zip"),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-*"),
    "application/msword": ("application/vnd.ms-*",),
}
"""What may stand behind a container that is recognised as such."""
UNKNOWN = "application/octet-stream"


def type_of(head: bytes, claimed: str, recognised: str) -> str:
    """Return the type that a file counts as; `recognised` is what its first bytes say, nothing where they say none."""
    claimed = claimed.partition(";")[0].strip().lower()
    if recognised:
        is_inside = any(matches(one, claimed) for one in _ARCHIVES.get(recognised, ()))
        return claimed if is_inside or _same(claimed, recognised) else recognised
    is_text = b"\0" not in head and _decodes(head)
    if not is_text:
        return UNKNOWN
    return claimed if any(matches(one, claimed) for one in _TEXTS) else "text/plain"


def of_content(head: bytes, size: int, claimed: str, recognised: str, policy: Policy) -> Withheld | None:
    """Return why a file may not cross by what it holds, or None; `size` in bytes."""
    if policy.looks_into_files and not passes(type_of(head, claimed, recognised), policy.file_types):
        return Withheld("file_types", "what the file holds is of a type that may not cross here")
    if policy.max_file_size is not None and size > policy.max_file_size:
        limit = files.size(policy.max_file_size)
        return Withheld("file_size", f"the file is larger than the {limit} that may cross here")
    return None


def _same(one: str, other: str) -> bool:
    return one.replace("/x-", "/") == other.replace("/x-", "/")


def _decodes(head: bytes) -> bool:
    """Tell whether bytes are UTF-8, be it cut off in the middle of a sign."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) >= HEAD and error.start >= len(head) - 3
    return True
