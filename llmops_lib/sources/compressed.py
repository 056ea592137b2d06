"""Exports as plain bytes: unpacked by magic bytes, and never more output than the input can explain."""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from llmops_lib.errors import SourceError, SourceNotFoundError
from llmops_lib.sources.encodings import in_utf8
from llmops_lib.sources.reading import opened

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_UNPACKED: tuple[tuple[bytes, Callable[[BinaryIO], io.BufferedIOBase]], ...] = (
    (b"\x1f\x8b", lambda packed: gzip.GzipFile(fileobj=packed)),
    (b"\x28\xb5\x2f\xfd", zstd.ZstdFile),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
_BUFFER = 1 << 20
# Repetitive JSON compresses 20 to 100 times, a bomb 1,000 times and more. The allowance lets short
# files, and files that begin with a long repetition, pass; the ratio is checked while reading.
_RATIO_LIMIT = 200
_ALLOWANCE = 128 << 20
_BROKEN = (EOFError, zlib.error, zstd.ZstdError, lzma.LZMAError, OSError)


def open_decompressed(path: Path) -> BinaryIO:
    """The bytes of a file, unwrapped if its first bytes say gzip, zstd, bzip2 or xz; its name says nothing.

    Text in UTF-16 or UTF-32 that begins with a byte order mark comes as UTF-8.

    Args:
        path: A file.

    Returns:
        A buffered stream. Reading from it raises SourceError where the compressed data are broken
        or unpack to over 200 times what was read.

    Raises:
        SourceNotFoundError: If there is no such file.
        SourceError: If it cannot be opened.
    """
    try:
        packed = opened(path)
    except FileNotFoundError as error:
        msg = f"{path}: there is no such file"
        raise SourceNotFoundError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be opened: {error.strerror}; expected a readable file"
        raise SourceError(msg) from error
    begin = packed.read(6)
    packed.seek(0)
    for magic, unpacked in _UNPACKED:
        if begin.startswith(magic):
            return in_utf8(_bounded(unpacked(packed), packed, path))
    return in_utf8(packed)


def _bounded(unpacked: io.BufferedIOBase, packed: BinaryIO, path: Path) -> io.BufferedReader:
    return io.BufferedReader(_BoundedReader(unpacked, packed, path), _BUFFER)


class _BoundedReader(io.RawIOBase):
    def __init__(self, unpacked: io.BufferedIOBase, packed: BinaryIO, path: Path) -> None:
        super().__init__()
        self._unpacked = unpacked
        self._packed = packed
        self._path = path
        self._produced = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            chunk = self._unpacked.read1(len(buffer))
        except _BROKEN as error:
            msg = (
                f"{self._path}: the compressed data break off or are damaged after {self._produced:,} bytes "
                f"of content ({error}); expected a whole file. Export or copy it again."
            )
            raise SourceError(msg) from error
        self._produced += len(chunk)
        self._refuse_bomb()
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def _refuse_bomb(self) -> None:
        consumed = self._packed.tell()
        if self._produced > _ALLOWANCE + _RATIO_LIMIT * consumed:
            msg = (
                f"{self._path}: {consumed:,} compressed bytes unpacked to over {self._produced:,}; expected "
                f"at most {_RATIO_LIMIT} times as many. If you trust the file, decompress it and load that."
            )
            raise SourceError(msg)

    def close(self) -> None:
        if not self.closed:
            self._unpacked.close()
            self._packed.close()
        super().close()
