"""What a zip archive says of itself, before anything in it is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.limits import refuse_growth

MOST_MEMBERS = 100_000


def refuse_large_archive(path: Path) -> None:
    """Raise InputError if the members of a zip archive unpack to far more than it stores.

    A reader unpacks no more of a member than the archive says, so what it says can be believed.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise InputError(
            f"{path} is an archive of {len(members):,} members, and {MOST_MEMBERS:,} are read at most"
        )
    refuse_growth(path, sum(member.file_size for member in members), "its members unpack to")
