"""UTF-16 and UTF-32 files, which begin with a byte order mark, as UTF-8; Windows tools save text that way."""

import codecs
import io
import re
from collections.abc import Callable
from typing import BinaryIO

# Those of UTF-32 first: a mark of UTF-16 is the beginning of one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK_BYTES = 1 << 20
# A damaged line of UTF-8 may begin with the two bytes of a mark too. Its next two, read as one character,
# lie from Devanagari on, for one of them is a letter or sign of ASCII. No export begins with such.
_FIRST_BEYOND = 0x900
# A whole line may be in UTF-16, and all that follows in UTF-8. In UTF-16 so many signs of ASCII in a row
# would be half as many Chinese characters, all of them of the third whose bytes are such signs.
_ASCII_RUN = re.compile(rb"[ -~]{40}")
_DAMAGED = "llmops-damaged"


def _as_damaged(error: UnicodeError) -> tuple[str, int]:
    # What stands for no character becomes a byte that is not UTF-8, for which its line is refused.
    return "\udcff", getattr(error, "end", 0)


codecs.register_error(_DAMAGED, _as_damaged)


def in_utf8(stream: io.BufferedReader) -> BinaryIO:
    """A stream of text in UTF-8, where its first bytes say UTF-16 or UTF-32; else the stream itself.

    Bytes that are no characters become bytes that are no UTF-8.

    Args:
        stream: A buffered stream that nothing was read from.
    """
    encoding = _marked_encoding(stream.peek(_CHUNK_BYTES))
    if encoding is None:
        return stream
    read = Transcoded(stream, encoding=encoding, errors=_DAMAGED, encode=_with_damaged_bytes)
    return io.BufferedReader(read, _CHUNK_BYTES)


def _with_damaged_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _marked_encoding(begin: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if begin.startswith(mark):
            text = begin[:8].decode(encoding, "replace")
            is_text = len(text) > 0 and ord(text[0]) < _FIRST_BEYOND and not _ASCII_RUN.search(begin)
            return encoding if is_text else None
    return None


class Transcoded(io.RawIOBase):
    """The text of a stream, decoded and encoded anew as it is read.

    Args:
        stream: Bytes of the text.
        encoding: Their encoding.
        errors: What becomes of bytes that are no characters, by the name of an error handler.
        encode: Makes the bytes that are read.
    """

    def __init__(
        self, stream: BinaryIO, *, encoding: str, errors: str, encode: Callable[[str], bytes]
    ) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._encode = encode
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills a buffer with what comes next, and says how many bytes that was."""
        while not self._ready:
            chunk = self._stream.read(_CHUNK_BYTES)
            text = self._decoder.decode(chunk, final=not chunk)
            if not chunk and not text:
                return 0
            self._ready = self._encode(text)
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        """Closes the stream too."""
        if not self.closed:
            self._stream.close()
        super().close()
