"""A real MLflow server that tests kill, stop and start again, and a line to it that breaks."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Literal

START_SECONDS = 90
DROPPED = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")

Fault = Literal["", "unsent", "unanswered", "500", "401", "nonsense"]
"""What happens to a call: nothing, it never arrives, its answer never does, or it is refused."""


class RealServer:
    """``mlflow server`` in processes of its own, on a database that is there already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Any port, for the server is away at first, and a known one might be taken meanwhile.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Returns once it answers."""
        command = [
            sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1",
            "--port", str(self.port),
            "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}",
            "--artifacts-destination", str(self.folder / "artifacts"),
        ]  # fmt: skip
        environment = {
            **os.environ,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONWARNINGS": "ignore",
        }
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError((self.folder / "server.log").read_text()[-2000:])
            time.sleep(0.2)

    def signal(self, number: signal.Signals) -> None:
        """Send it to all of the server's processes."""
        if self.process is not None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """As a crash or a power cut would."""
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


class Line:
    """A proxy before the server; ``fault(number)`` says what happens to the call of that number."""

    def __init__(self, port: int) -> None:
        self.calls: list[str] = []
        self.fault: Callable[[int], Fault] = lambda _: ""
        line, lock = self, Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_call(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                fault: Fault = ""
                if self.path != "/health":
                    with lock:
                        line.calls.append(f"{self.command} {self.path.partition('?')[0]}")
                        fault = line.fault(len(line.calls))
                if fault in ("", "unanswered"):
                    status, headers, answer = self.forward(body)
                else:
                    status = int(fault) if fault.isdecimal() else 200
                    headers, answer = [], b"<html>nothing of the kind</html>"
                self.close_connection = True
                if fault in ("unsent", "unanswered"):
                    return
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(answer)

            def forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
                server = HTTPConnection("127.0.0.1", port, timeout=60)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in DROPPED}
                server.request(self.command, self.path, body, kept)
                answer = server.getresponse()
                content = answer.read()
                headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in DROPPED]
                server.close()
                return answer.status, headers, content

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one_call  # noqa: N815  # http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def begin(self, fault: Callable[[int], Fault]) -> None:
        """Count anew, and break as ``fault`` says."""
        self.calls, self.fault = [], fault

    def close(self) -> None:
        """Hang up."""
        self.server.shutdown()
        self.server.server_close()
