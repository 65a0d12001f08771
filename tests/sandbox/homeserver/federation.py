"""Homeservers that federate over the loopback: each has an address of its own there, and a certificate that both trust.

    authority = Authority(directory)
    ours, theirs = (Federating(authority, host) for host in ("127.0.0.2", "127.0.0.3"))
    Synapse(…, server_name=ours.server_name, settings=ours.settings())

Nothing is verified less than between strangers: only the authority is of our making, and private addresses are allowed.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from pathlib import Path

_PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(_name(issuer), _name(subject), key, x509.random_serial_number())
    return builder.not_valid_before(now - day).not_valid_after(now + day)


class Authority:
    """Signs certificates for addresses; its own is the file `certificate`."""

    def __init__(self, directory: Path, name: str = "Authority of the tests") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key()
        draft = _draft(name, name, public).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = directory / "authority.pem"
        self.certificate.write_bytes(draft.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def issue(self, host: str) -> tuple[Path, Path]:
        """Return the files of a certificate for an address, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        certificate = _draft(host, self._name, key.public_key()).add_extension(names, critical=False)
        paths = self._directory / f"{host}.pem", self._directory / f"{host}.key"
        paths[0].write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        paths[1].write_bytes(key.private_bytes(_PEM, form, plain))
        return paths


@dataclass(frozen=True)
class Federating:
    """One homeserver among others; its name is where they reach it."""

    authority: Authority
    host: str
    port: int = field(default_factory=free_port)

    @property
    def server_name(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def listener(self) -> dict[str, Any]:
        """Where other homeservers are heard."""
        return {
            "port": self.port,
            "bind_addresses": [self.host],
            "type": "http",
            "tls": True,
            "resources": [{"names": ["federation"], "compress": False}],
        }

    def settings(self) -> dict[str, Any]:
        """What Synapse needs to federate; `listener` comes beside its own."""
        certificate, key = self.authority.issue(self.host)
        return {
            "tls_certificate_path": str(certificate),
            "tls_private_key_path": str(key),
            "federation_custom_ca_list": [str(self.authority.certificate)],
            "federation_domain_whitelist": None,
            "send_federation": True,
            "ip_range_blacklist": [],
        }
