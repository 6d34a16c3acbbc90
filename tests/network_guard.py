"""An audit hook that lets no test, and no command that imports it, reach another machine."""

from __future__ import annotations

import os
import sys
from typing import Any

LOCAL = ("127.", "::1", "localhost", "0.0.0.0", "::")
SWITCHED_OFF = "NETWORK_GUARD_OFF"


class NetworkUsed(BaseException):
    """Something asked the network, without anybody asking for it."""


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise if an event is a look-up or a connection beyond this machine."""
    if event == "socket.getaddrinfo" or event == "socket.gethostbyname":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = (
            arguments[1][0] if isinstance(arguments[1], tuple) else None
        )  # a path is a socket of this machine
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not str(host).startswith(LOCAL) and not os.environ.get(SWITCHED_OFF):
        print(f"network used: {event} {host}", file=sys.__stderr__, flush=True)
        raise NetworkUsed(f"{event} {host}")


def install() -> None:
    """From now on, and until the process ends."""
    sys.addaudithook(guard)
