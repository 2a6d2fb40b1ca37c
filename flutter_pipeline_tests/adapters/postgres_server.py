"""A real PostgreSQL server for tests that need one: its own folder, port and password."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

from flutter_pipeline.adapters.listening import free_port

PLACES = (Path("/usr/lib/postgresql"), Path("/usr/local"))
PASSWORD = "0wl-h/oots@n1ght"
"""With signs that an address has to write as %XX."""
PATIENCE_SECONDS = 60
UNDER = ["setpriv", "--pdeathsig=INT"]
"""The kernel stops the server when its parent dies, however that comes about."""
if os.geteuid() == 0:
    UNDER += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""The tests switch no machine off."""


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs, of the newest release."""
    found = [program.parent for place in PLACES for program in place.glob("**/bin/initdb")]
    releases = {folder: int(folder.parent.name) for folder in found if folder.parent.name.isdigit()}
    return max(found, key=lambda folder: releases.get(folder, 0), default=None)


PROGRAMS = _programs()

needs_postgres = pytest.mark.skipif(
    PROGRAMS is None, reason="PostgreSQL is not installed (Debian's package postgresql)"
)


@dataclass
class Server:
    """A server in its folder, at work or stopped."""

    folder: Path
    programs: Path
    port: int
    process: subprocess.Popen | None = field(default=None)

    @property
    def url(self) -> str:
        """The address of its database, with the password."""
        return f"postgresql://owl:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", *QUICK]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port)]
        for setting in settings:
            command += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*UNDER, *command], stdout=log, stderr=log)
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        end = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(ready, check=False).returncode != 0:
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, and whatever is connected to it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=PATIENCE_SECONDS)
            self.process = None

    def ask(self, question: str) -> list[tuple]:
        """The rows that answer a query."""
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(question)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def schemas(self, use: str) -> list[str]:
        """The schemas that ``use``, dagster or mlflow, has tables in."""
        found = self.ask("SELECT DISTINCT schemaname FROM pg_tables ORDER BY schemaname")
        return [name for (name,) in found if name.startswith(f"{use}_")]

    def dump(self) -> str:
        """All that it holds."""
        command = [self.programs / "pg_dump", self.url]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server with an empty database, which ends with the block."""
    assert PROGRAMS is not None
    # Not in pytest's folder, which its owner alone may enter: PostgreSQL refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="flutter_postgres_"))
    server = Server(folder, PROGRAMS, free_port(40000 + os.getpid() % 1000 * 10))
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
        command = [PROGRAMS / "initdb", "-D", folder / "data", "-U", "owl", "--pwfile", secret]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*UNDER, *command], check=True, capture_output=True)
        secret.unlink()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
