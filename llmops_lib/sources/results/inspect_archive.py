"""The members of an Inspect `.eval` archive, read one at a time in memory and never extracted.

Archives are compressed with Zstandard since 2026, method 93, which Python's own zipfile knows from 3.14
on; before that, with deflate. Names of members are labels here, never paths.
"""

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from llmops_lib.errors import SourceError
from llmops_lib.sources.refusals import Refused

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError, zipfile

SAMPLES = "samples/"
"""Folder of the members that are samples."""

MEMBER_LIMIT = 200_000
"""Members of the largest archive that is read; a sample is one."""

SIZE_LIMIT = 256 << 20
"""Bytes of the longest member that is read."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_ZSTANDARD)
# The library unpacks a whole piece of Zstandard at once: 4 kB of it cannot exceed 128 MB.
_PIECE = 4_096
_RATIO_LIMIT = 200
_ALLOWANCE = 128 << 20
_BROKEN = (zipfile.BadZipFile, ZstdError, zlib.error, EOFError, OSError, RuntimeError)
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Member:
    """A member of an archive.

    Attributes:
        name: As the archive calls it.
        position: Counted from 1.
    """

    name: str
    position: int


class EvalArchive:
    """An open `.eval` archive.

    Args:
        path: A ZIP file.

    Attributes:
        members: Its members in their order; of those that share a name, the last.

    Raises:
        SourceError: If it is no whole ZIP file or has too many members.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._packed = path.stat().st_size
        self._unpacked = 0
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            msg = f"{path}: is not a whole ZIP archive ({error}); expected an Inspect log. Copy it again."
            raise SourceError(msg) from error
        found = self._archive.infolist()
        if len(found) > MEMBER_LIMIT:
            self._archive.close()
            msg = f"{path}: has {len(found):,} members; expected at most {MEMBER_LIMIT:,}. Split the log."
            raise SourceError(msg)
        # A member that was written twice counts in its last version, as the archive's own index has it.
        last = {info.filename: Member(info.filename, place) for place, info in enumerate(found, start=1)}
        self.members = tuple(last.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def under(self, folder: str) -> Iterator[Member]:
        """The JSON members of a folder."""
        return (one for one in self.members if one.name.startswith(folder) and one.name.endswith(".json"))

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return any(member.name == name for member in self.members)

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            Refused: If this member is damaged, too long, encrypted or of an unknown compression.
            SourceError: If the archive unpacks to far more than its size can explain.
        """
        info = self._archive.getinfo(name)
        if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
            detail = f"compression method {info.compress_type}, or encrypted; expected deflate or Zstandard"
            raise Refused(reason="schema", detail=detail)
        try:
            return self._unpack(info)
        except _BROKEN as error:
            detail = f"damaged member {name[:200]} ({type(error).__name__})"
            raise Refused(reason="json", detail=detail) from error

    def _unpack(self, info: Any) -> bytes:
        content = bytearray()
        with self._archive.open(info) as stream:
            while piece := stream.read(_PIECE):
                content += piece
                self._unpacked += len(piece)
                self._refuse_bomb()
                if len(content) > SIZE_LIMIT:
                    raise Refused(reason="line_too_long", detail=f"member over {SIZE_LIMIT >> 20} MB")
        return bytes(content)

    def _refuse_bomb(self) -> None:
        if self._unpacked > _ALLOWANCE + _RATIO_LIMIT * self._packed:
            msg = (
                f"{self._path}: {self._packed:,} bytes of archive unpack to over {self._unpacked:,}; expected"
                f" up to {_RATIO_LIMIT} times as many. If you trust it, load it converted to JSON."
            )
            raise SourceError(msg)
