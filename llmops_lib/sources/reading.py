"""How far reading has come, in bytes and rows, for whoever watches."""

import contextlib
import io
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

OnRead = Callable[[int, int, int, str], None]
"""Called as reading goes on with bytes read, bytes of all files, rows read, and the file that is read.

Bytes are those of the files as they lie there, compressed ones too. A file that is read in another process,
or as a whole, counts when it has been read.
"""

_BUFFER = 1 << 20
_WATCHED: ContextVar["Reading | None"] = ContextVar("reading that is watched", default=None)


class Reading:
    """Bytes and rows of several files, told as they are read.

    Args:
        on_read: Whom to tell.
        total_bytes: Bytes of all files.
    """

    def __init__(self, on_read: OnRead, total_bytes: int) -> None:
        self._on_read = on_read
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._rows = 0
        self._file = ""
        self._size = 0
        self._position = 0
        self._file_rows = 0

    @contextlib.contextmanager
    def of(self, path: Path, size: int) -> Iterator[None]:
        """Watches the reading of one file by this process.

        Args:
            path: The file.
            size: Its bytes.
        """
        self._file, self._size, self._position, self._file_rows = str(path), size, 0, 0
        self._tell()
        token = _WATCHED.set(self)
        try:
            yield
        finally:
            _WATCHED.reset(token)

    def done(self, path: str, size: int, rows: int) -> None:
        """Counts a file that has been read.

        Args:
            path: The file.
            size: Its bytes.
            rows: Rows in it.
        """
        self._done_bytes += size
        self._rows += rows
        self._file, self._size, self._position, self._file_rows = path, 0, 0, 0
        self._tell()

    def came_to(self, position: int) -> None:
        """Notes how far the file has been read; going back changes nothing."""
        if position > self._position:
            self._position = min(position, self._size)
            self._tell()

    def took(self, rows: int) -> None:
        """Counts rows of the file."""
        self._file_rows += rows

    def _tell(self) -> None:
        rows = self._rows + self._file_rows
        self._on_read(self._done_bytes + self._position, self._total_bytes, rows, self._file)


def opened(path: Path) -> io.BufferedReader:
    """A file to read from, watched where somebody watches.

    Args:
        path: A file.

    Raises:
        OSError: If it cannot be opened.
    """
    reading = _WATCHED.get()
    if reading is None:
        return path.open("rb")
    return io.BufferedReader(_WatchedFile(path, reading), _BUFFER)


def took_rows(count: int) -> None:
    """Tells whoever watches that rows were read."""
    reading = _WATCHED.get()
    if reading is not None:
        reading.took(count)


class _WatchedFile(io.FileIO):
    def __init__(self, path: Path, reading: Reading) -> None:
        super().__init__(path, "rb")
        self._reading = reading

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)
        self._reading.came_to(self.tell())
        return count

    def readall(self) -> bytes:
        content = super().readall()
        self._reading.came_to(self.tell())
        return content
