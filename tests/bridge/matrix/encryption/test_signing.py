"""Signed JSON: our signatures are good, and nothing else passes for one."""

from __future__ import annotations

from typing import Any

import pytest
import vodozemac

from bridge.matrix.encryption.signing import CrossSigning, canonical, from_base64, is_signed, public, with_signature

USER = "@bot:hs.test"


def test_objects_are_signed_in_the_one_order_without_what_is_not_signed() -> None:
    found = canonical({"b": 1, "a": {"d": "ü", "c": [True, None]}, "signatures": {}, "unsigned": {}})
    assert found == '{"a":{"c":[true,null],"d":"ü"},"b":1}'.encode()


def test_a_device_that_its_owner_vouches_for_is_known_as_such() -> None:
    account = vodozemac.Account()
    key = account.ed25519_key.to_base64()
    keys = with_signature({"device_id": "D"}, USER, "D", lambda data: account.sign(data).to_base64())
    signing = CrossSigning.read(CrossSigning.made().written())
    vouched = signing.signed(keys, USER)
    upload = signing.upload(USER)
    master, own = public(signing.master), public(signing.self_signing)
    assert upload["master_key"]["keys"] == {f"ed25519:{master}": master}
    assert is_signed(upload["self_signing_key"], USER, master, master)
    assert is_signed(vouched, USER, own, own)
    assert is_signed(vouched, USER, "D", key)
    assert not is_signed({**vouched, "device_id": "E"}, USER, own, own)
    assert not is_signed(keys, USER, own, own)
    assert not is_signed(vouched, "@eve:hs.test", own, own)


@pytest.mark.parametrize("signatures", [None, 3, {USER: 3}, {USER: {"ed25519:D": 3}}, {USER: {"ed25519:D": "%"}}])
def test_what_is_no_signature_is_none(signatures: Any) -> None:
    key = vodozemac.Account().ed25519_key.to_base64()
    assert not is_signed({"signatures": signatures}, USER, "D", key)


def test_base64_is_read_with_and_without_padding_and_in_both_alphabets() -> None:
    assert from_base64("_-8") == from_base64("/+8=") == b"\xff\xef"
    with pytest.raises(ValueError, match=r"."):
        from_base64("é")
