"""Only the bridge itself can make an address at which a picture is served."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.avatars import AvatarAddresses, key_from

AVATARS = AvatarAddresses("https://bridge.example.org", key_from("secret"))
MXC = "mxc://example.org:8448/a_B-1"


def parts(address: str) -> tuple[str, str, str]:
    server, media, signature = address.removeprefix("https://bridge.example.org/avatar/").split("/")
    return server, media, signature


def test_an_address_stands_for_the_picture_it_was_made_of() -> None:
    address = AVATARS.of(MXC)
    assert address.startswith("https://bridge.example.org/avatar/example.org:8448/a_B-1/")
    assert AVATARS.picture(*parts(address)) == MXC
    assert AVATARS.of(MXC) == address


def test_a_signature_is_for_one_picture_and_one_secret_only() -> None:
    server, media, signature = parts(AVATARS.of(MXC))
    assert AVATARS.picture(server, "other", signature) is None
    assert AVATARS.picture("evil.org", media, signature) is None
    assert AVATARS.picture(server, media, signature[:-1]) is None
    assert AVATARS.picture(server, media, signature + "=") is None
    assert AVATARS.picture(server, media, "") is None
    assert AVATARS.picture(server, media, "ä\ud800") is None
    assert AvatarAddresses(AVATARS.url, key_from("another")).picture(server, media, signature) is None


@pytest.mark.parametrize(
    "mxc",
    [
        "", "https://example.org/a", "mxc://example.org", "mxc://example.org/", "mxc:///a", "mxc://../a", "mxc://./a",
        "mxc://example.org/../a", "mxc://example.org/a/b", "mxc://example.org/a?b", "mxc://example.org/a\n",
        "mxc://example.org/" + "a" * 300, "mxc://exam ple.org/a", "mxc://example.org/%2e%2e",
    ],
)  # fmt: skip
def test_what_is_no_picture_of_matrix_gets_no_address(mxc: str) -> None:
    assert AVATARS.of(mxc) == ""


def test_not_even_a_right_signature_opens_a_path() -> None:
    assert AVATARS.picture("..", "a", AVATARS._signature("mxc://../a")) is None


def test_the_key_is_shown_nowhere() -> None:
    assert "key" not in repr(AVATARS)
    assert key_from("secret") != key_from("secret2")
    assert b"secret" not in key_from("secret")


def test_an_address_of_ipv6_is_quoted() -> None:
    assert AVATARS.of("mxc://[::1]:8448/a").startswith("https://bridge.example.org/avatar/%5B::1%5D:8448/a/")


@given(st.text(), st.text(), st.text())
def test_any_parts_may_be_asked_about(server: str, media: str, signature: str) -> None:
    assert AVATARS.picture(server, media, signature) is None
    assert AVATARS.of(server) == ""
