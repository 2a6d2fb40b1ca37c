"""Where pages listen: free ports, and the links to them."""

import errno
import socket
from collections.abc import Sequence

from flutter_pipeline.errors import ConfigError

LOCALHOST = "127.0.0.1"
PORTS_TRIED = 50


def free_port(wanted: int, but: Sequence[int] = (), host: str = LOCALHOST) -> int:
    """``wanted`` where it is free on ``host``, else the next free one.

    Ports in ``but`` count as taken. Raises ConfigError after 50, or where ``host`` is not here.
    """
    for port in range(wanted, wanted + PORTS_TRIED):
        if port not in but and _is_free(host, port):
            return port
    last = wanted + PORTS_TRIED - 1
    raise ConfigError(f"ports {wanted} to {last} are all taken; name another with --port")


def _is_free(host: str, port: int) -> bool:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # A port whose last server has just ended is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise ConfigError(
            f"nothing can listen on {host}, port {port} ({error.strerror}); name an address of "
            "this machine with --host, and a port above 1023"
        ) from None
    return True


def is_local(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    return host in (LOCALHOST, "localhost", "::1")


def url_of(host: str, port: int) -> str:
    """How this machine reaches what listens on ``host``."""
    here = LOCALHOST if host in ("0.0.0.0", "::") else host
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"
