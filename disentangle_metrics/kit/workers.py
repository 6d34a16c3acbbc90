"""Worker processes that end when the process that they work for does, however it ends."""

from __future__ import annotations

import functools
import os
import threading
import time

LOOK = 0.5  # seconds between two looks


@functools.cache
def end_with(parent: int) -> None:
    """End this process soon after `parent` ends. Nothing if it is not its child, as on another machine."""
    if os.getppid() != parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
