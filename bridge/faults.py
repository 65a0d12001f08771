"""A connection that failed, in words: what went wrong, and with whom, and never more of an address than its host.

The texts of the HTTP library name whole addresses, which may hold a secret, and errors by their numbers.
"""

from __future__ import annotations

import errno
import os

import aiohttp

_WORDS = {
    errno.ECONNREFUSED: "nothing listens at {place}",
    errno.EHOSTUNREACH: "there is no way to {place}",
    errno.ENETUNREACH: "there is no way to {place}",
    errno.ETIMEDOUT: "{place} does not answer",
}


def in_words(fault: BaseException) -> str:
    """Return what a failed request or connection met; one of an unknown kind by the name of its kind."""
    match fault:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {fault.host} is not known here"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {fault.host} is not accepted: {_reason(fault.certificate_error)}"
        case aiohttp.ClientConnectorSSLError():
            return f"{_place(fault)} does not speak TLS: {_reason(fault.os_error)}"
        case aiohttp.ClientConnectorError():
            number = fault.os_error.errno
            words = _WORDS.get(number or 0) or (f"{{place}}: {os.strerror(number)}" if number else "no way to {place}")
            return words.format(place=_place(fault))
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer came"
        case TimeoutError():
            return "no answer in time"
    return type(fault).__name__


def _place(fault: aiohttp.ClientConnectorError) -> str:
    host = f"[{fault.host}]" if ":" in fault.host else fault.host
    return f"{host}:{fault.port}"


def _reason(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__)
