"""What an answer that was not a success means."""

from __future__ import annotations

import ssl

import aiohttp
import orjson
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bridge.errors import BridgeError, Fatal, Later, Refused, Unsure
from bridge.matrix.failures import Answer, read_answer, refusal, silence

SOMEWHERE = ConnectionKey("hs.test", 443, True, True, None, None, None)


def test_a_rate_limit_is_waited_for_as_long_as_the_homeserver_says() -> None:
    answer = read_answer(429, {}, b'{"errcode": "M_LIMIT_EXCEEDED", "error": "slow down", "retry_after_ms": 2500}')
    failure = refusal(answer, repeatable=False)
    assert isinstance(failure, Later)
    assert failure.retry_after == 2.5


def test_a_rate_limit_of_a_proxy_is_waited_for_by_its_header() -> None:
    failure = refusal(read_answer(429, {"Retry-After": "7"}, b"<html>"), repeatable=False)
    assert isinstance(failure, Later)
    assert failure.retry_after == 7.0


@pytest.mark.parametrize("waiting", [b"true", b"-1", b'"soon"', b"null"])
def test_a_senseless_waiting_time_is_ignored(waiting: bytes) -> None:
    answer = read_answer(429, {"Retry-After": "Fri, 31 Dec 1999"}, b'{"retry_after_ms": ' + waiting + b"}")
    assert answer.retry_after is None


@pytest.mark.parametrize(
    ("status", "errcode", "kind", "repeatable_kind"),
    [
        (502, "", Unsure, Later),
        (503, "", Unsure, Later),
        (504, "", Unsure, Later),
        (500, "M_UNKNOWN", Unsure, Later),
        (502, "M_UNKNOWN", Unsure, Later),
        (503, "M_UNKNOWN", Later, Later),
        (504, "M_NOT_YET_UPLOADED", Later, Later),
        (408, "", Unsure, Later),
        (301, "", Later, Later),
        (404, "", Later, Later),
        (404, "M_NOT_FOUND", Refused, Refused),
        (403, "M_FORBIDDEN", Refused, Refused),
        (403, "", Refused, Refused),
        (400, "M_BAD_JSON", Refused, Refused),
        (413, "", Refused, Refused),
        (401, "M_UNKNOWN_TOKEN", Fatal, Fatal),
        (401, "M_MISSING_TOKEN", Fatal, Fatal),
        (502, "M_CONNECTION_FAILED", Refused, Refused),
    ],
)
def test_every_answer_says_whose_turn_it_is(
    status: int, errcode: str, kind: type[BridgeError], repeatable_kind: type[BridgeError]
) -> None:
    assert type(refusal(Answer(status, errcode, "words"), repeatable=False)) is kind
    assert type(refusal(Answer(status, errcode, "words"), repeatable=True)) is repeatable_kind


def test_a_body_limit_of_a_proxy_reads_as_too_large_with_a_remedy() -> None:
    failure = refusal(read_answer(413, {}, b"<html>413 Request Entity Too Large</html>"), repeatable=False)
    assert isinstance(failure, Refused)
    assert failure.code == "M_TOO_LARGE"
    assert "max_upload_size" in failure.remedy


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"errcode": 5, "error": {}}', b"<html>"])
def test_any_body_is_an_answer(body: bytes) -> None:
    assert read_answer(400, {}, body) == Answer(400, "", "", None)


def test_a_long_explanation_is_cut() -> None:
    answer = read_answer(400, {}, orjson.dumps({"errcode": "M_UNKNOWN", "error": "x" * 100_000}))
    assert len(answer.error) == 300


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectorError(SOMEWHERE, OSError(111, "refused")),
        aiohttp.ClientConnectorCertificateError(SOMEWHERE, ssl.SSLCertVerificationError("self-signed")),
        aiohttp.ConnectionTimeoutError("no connection"),
    ],
)
def test_what_never_left_is_repeated_later(error: Exception) -> None:
    assert type(silence(error, repeatable=False)) is Later


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "reset by peer"),
        aiohttp.ClientPayloadError("cut"),
        aiohttp.SocketTimeoutError("silence"),
        TimeoutError(),
    ],
)
def test_what_may_have_arrived_is_unsure_unless_it_may_be_repeated(error: Exception) -> None:
    assert type(silence(error, repeatable=False)) is Unsure
    assert type(silence(error, repeatable=True)) is Later
