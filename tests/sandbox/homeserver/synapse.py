"""The real homeserver: Synapse as a child process, on the loopback, with settings for fast tests.

    async with Synapse(directory, registrations=[registration]) as homeserver:
        ada = await homeserver.person("ada")

It federates with nobody unless it is `federating`, limits nobody's rate and keeps everything in `directory`. A
`Template` holds the keys and the empty database that a first start makes; a Synapse that is given one starts in about
half the time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import sys
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiohttp

from tests.sandbox.child import LOOPBACK, Child, free_port, listens
from tests.sandbox.homeserver.person import Person
from tests.sandbox.homeserver.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.sandbox.homeserver.federation import Federating

PYTHON = "CAUSEWAY_SYNAPSE_PYTHON"
"""The environment variable that names the interpreter of another Synapse than this environment's."""
SERVER_NAME = "localhost"
SECRET = "only-for-tests"
REGISTER = "/_synapse/admin/v1/register"
DATABASE = "homeserver.db"
UNLIMITED = {"per_second": 100_000, "burst_count": 100_000}
LIMITED_PARTS = ("message", "registration", "admin_redaction", "joins_per_room", "room_creation", "reports")
LOG_CONFIG = {
    "version": 1,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "root": {"level": "WARNING", "handlers": ["out"]},
    "disable_existing_loggers": False,
}


class Synapse:
    """One Synapse; `stop`, `kill` and `start` may follow each other on the same data and port."""

    def __init__(
        self,
        directory: Path,
        *,
        registrations: Sequence[Mapping[str, Any]] = (),
        template: Path | None = None,
        postgres_url: str | None = None,
        server_name: str = SERVER_NAME,
        experimental: Mapping[str, Any] | None = None,
        port: int | None = None,
        federating: Federating | None = None,
    ) -> None:
        self.directory = directory
        self.server_name = federating.server_name if federating else server_name
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._registrations = registrations
        self._template = template
        self._postgres_url = postgres_url
        self._experimental = dict(experimental or {})
        self._federating = federating
        self._session: aiohttp.ClientSession | None = None
        self._child = Child(
            [
                os.environ.get(PYTHON, sys.executable),
                "-m",
                "synapse.app.homeserver",
                "--config-path",
                directory / "homeserver.json",
            ],
            log=directory / "synapse.log",
            directory=directory,
        )

    async def __aenter__(self) -> Self:
        self._write()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
        await self.stop()

    async def start(self) -> None:
        """Return when it answers; raises ChildFailed with the end of its log when it does not."""
        self._child.start()
        await self._child.until(lambda: listens(self.port))

    async def stop(self) -> None:
        await self._child.stopped()

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._child.kill()

    @property
    def running(self) -> bool:
        return self._child.running

    async def restart(self) -> None:
        """Stop and start: it forgets the transaction ids of application services, as any Synapse does."""
        await self.stop()
        await self.start()

    def log(self, lines: int = 40) -> str:
        return self._child.tail(lines)

    async def register_user(self, name: str, password: str = "secret", *, admin: bool = False) -> str:
        """Make an account with the shared secret and return its access token."""
        http = self.transport
        nonce = await http.request("GET", REGISTER)
        assert isinstance(nonce, dict)
        parts = (nonce["nonce"], name, password, "admin" if admin else "notadmin")
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce["nonce"], "username": name, "password": password, "admin": admin, "mac": mac}
        answer = await http.request("POST", REGISTER, body=body)
        assert isinstance(answer, dict)
        token: str = answer["access_token"]
        return token

    async def person(self, name: str, *, admin: bool = False) -> Person:
        """A new local person, registered and logged in."""
        token = await self.register_user(name, admin=admin)
        return Person(self.transport, f"@{name}:{self.server_name}", token)

    async def login(self, name: str, password: str = "secret") -> Person:
        """A person who is registered already, on a new device."""
        return await Person.login(self.transport, name, password)

    @property
    def transport(self) -> HttpTransport:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return HttpTransport(self._session, self.url)

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._template:
            for name in ("signing.key", DATABASE):
                if (self._template / name).exists() and not (self.directory / name).exists():
                    shutil.copyfile(self._template / name, self.directory / name)
        if not (self.directory / "signing.key").exists():
            (self.directory / "signing.key").write_text(_signing_key())
        for number, registration in enumerate(self._registrations):
            (self.directory / f"registration-{number}.json").write_text(json.dumps(registration))
        (self.directory / "log.json").write_text(json.dumps(LOG_CONFIG))
        # JSON is YAML too, so nothing here needs a YAML writer.
        (self.directory / "homeserver.json").write_text(json.dumps(self._settings(), indent=1))

    def _settings(self) -> dict[str, Any]:
        settings = self._alone()
        if self._federating:
            settings["listeners"].append(self._federating.listener)
            settings |= self._federating.settings()
        return settings

    def _alone(self) -> dict[str, Any]:
        at = self.directory
        return {
            "server_name": self.server_name,
            "public_baseurl": f"{self.url}/",
            "report_stats": False,
            "pid_file": str(at / "pid"),
            "listeners": [
                {
                    "port": self.port,
                    "bind_addresses": [LOOPBACK],
                    "type": "http",
                    "tls": False,
                    "resources": [{"names": ["client"], "compress": False}],
                }
            ],
            "database": self._database(),
            "log_config": str(at / "log.json"),
            "media_store_path": str(at / "media"),
            "signing_key_path": str(at / "signing.key"),
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": SECRET,
            "form_secret": SECRET,
            "bcrypt_rounds": 4,
            "app_service_config_files": [str(at / f"registration-{n}.json") for n in range(len(self._registrations))],
            "experimental_features": self._experimental,
            # Alone in the world, and quick about it.
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "send_federation": False,
            "user_directory": {"enabled": False},
            "presence": {"enabled": False},
            "caches": {"global_factor": 4.0},
            "event_cache_size": "100K",
            "gc_thresholds": [100_000, 50, 50],
            "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), UNLIMITED),
            "rc_joins": dict.fromkeys(("local", "remote"), UNLIMITED),
            "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), UNLIMITED),
            **{f"rc_{part}": UNLIMITED for part in LIMITED_PARTS},
        }

    def _database(self) -> dict[str, Any]:
        if not self._postgres_url:
            return {"name": "sqlite3", "args": {"database": str(self.directory / DATABASE)}}
        url = urlsplit(self._postgres_url)
        address = {"user": url.username, "host": url.hostname, "port": url.port, "dbname": url.path.lstrip("/")}
        return {"name": "psycopg2", "args": {**address, "cp_min": 2, "cp_max": 10}}


def make_template(directory: Path) -> Path:
    """Start a Synapse once in `directory`, so that others can begin with the keys and the empty database it made."""
    homeserver = Synapse(directory)
    homeserver._write()
    homeserver._child.start()
    homeserver._child.wait_until(lambda: listens(homeserver.port))
    homeserver._child.stop()
    return directory


def _signing_key() -> str:
    return f"ed25519 a_test {base64.b64encode(secrets.token_bytes(32)).decode().rstrip('=')}\n"
