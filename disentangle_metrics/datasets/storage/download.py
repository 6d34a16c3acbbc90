"""A download that goes on where an earlier one was cut, in the form that pooch calls."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from disentangle_metrics.kit.progress import LateProgress

TIMEOUT = 30.0  # seconds without a byte, after which the server is given up
ATTEMPTS = 5  # at going on after a cut, as long as each brings more bytes
AT_ONCE = 1 << 16  # bytes


class ResumedDownload:
    """Downloads to the file `part`, and goes on with what is in it; pooch then checks the whole.

    Parameters
    ----------
    part : Path
        Where the bytes are kept if the connection is cut. It becomes the output when it is complete.
    bar : LateProgress
        Is told about every byte.

    Attributes
    ----------
    resumed : bool
        Whether bytes of an earlier download are in the output.
    """

    def __init__(self, part: Path, bar: LateProgress) -> None:
        self.part, self.bar = part, bar
        self.resumed = False

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        with self.part.open("ab") as file:
            alone, complete = only_writer(file, self.part), False
            try:
                if not alone:  # another process is at it: download apart
                    with open(output_file, "wb") as own:
                        self._append(url, own)
                    return
                self.resumed = file.tell() > 0
                self._persist(url, file)
                complete = True
            finally:
                if alone and not complete and file.tell() == 0:
                    self.part.unlink(missing_ok=True)
        os.replace(self.part, output_file)

    def _persist(self, url: str, file: IO[bytes]) -> None:
        """Append until the file is complete; go on after a cut as long as bytes come."""
        from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout

        for attempt in range(ATTEMPTS):
            before = file.tell()
            try:
                self._append(url, file)
                return
            except (ChunkedEncodingError, ConnectionError, Timeout):
                if attempt + 1 == ATTEMPTS or file.tell() <= before:
                    raise

    def _append(self, url: str, file: IO[bytes]) -> None:
        """Append what the server has beyond the file's end; all of it if the server cannot begin there."""
        import requests

        done = file.tell()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            extent = response.headers.get("Content-Range", "")
            if done and response.status_code == 416 and extent == f"bytes */{done}":
                return  # it was complete
            if response.status_code != 416:
                response.raise_for_status()
            goes_on = response.status_code == 206 and extent.startswith(f"bytes {done}-")
            if done and not goes_on:  # the server cannot begin there, or has less than that
                file.truncate(0)
                file.seek(0)
                self.resumed = False
                if response.status_code != 200:
                    self._append(url, file)
                    return
                done = 0
            length = response.headers.get("Content-Length")
            self.bar.reset()
            self.bar.total = done + int(length or 0)
            self.bar.update(done)
            for block in response.iter_content(AT_ONCE):
                file.write(block)
                self.bar.update(len(block))
            file.flush()
            if length is not None and file.tell() != done + int(length):
                raise requests.exceptions.ConnectionError(
                    f"{file.tell():,} of {done + int(length):,} bytes came"
                )


def only_writer(file: IO[bytes], path: Path) -> bool:
    """Lock the open file for this process; False if another has it, or has moved it from its `path`."""
    with suppress(ImportError):  # Windows: there two downloads at a time are refused by the checksum
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError:
            return False
    return True
