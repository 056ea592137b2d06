"""Rows that wait for others: in memory while they are few, and beyond that in files of a temporary folder.

A trace is spread over lines and files in any order, so rows cannot be worked out as they are read. What
waits is written as Arrow files, compressed with lz4, which cost little to write and of which one column,
or the rows of one key, can be read back alone.
"""

import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from llmops_lib.sources.waiting import FOLDER, HELD_TIMES, NoRoomError

HELD_BYTES = 32 << 20
"""Bytes of rows that wait in memory before they go to a file."""

_numbers = itertools.count()


class Pieces:
    """Frames of one schema, which go to files where `waiting` is in force and they take more than it allows.

    In files they lie under whole-numbered keys, so that those of one key can be read alone.

    Args:
        schema: Of every frame.
        key: Key of each row, by which frames are parted on their way to a file; null puts none apart.

    Attributes:
        height: Rows given.
    """

    def __init__(self, schema: pl.Schema, *, key: pl.Expr | None = None) -> None:
        self._schema = schema
        self._key = key
        self._folder, self._times = FOLDER.get(), HELD_TIMES.get()
        self._kept: list[pl.DataFrame] = []
        self._kept_bytes = 0
        self._filed: dict[int, list[_Filed]] = defaultdict(list)
        self.height = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Takes a frame in the schema."""
        if frame.is_empty():
            return
        self._kept.append(frame)
        self.height += frame.height
        self._kept_bytes += int(frame.estimated_size())
        if self._folder is not None and self._kept_bytes >= HELD_BYTES * self._times:
            self.file()

    def absorb(self, other: "Pieces") -> None:
        """Takes all that another one holds, with the files it lies in.

        Args:
            other: Of the same schema and key.
        """
        for key, filed in other._filed.items():  # noqa: SLF001 - its own class
            self._filed[key] += filed
            self.height += sum(piece.height for piece in filed)
        for frame in other._kept:  # noqa: SLF001 - as above
            self.add(frame)

    def file(self) -> None:
        """Brings what waits in memory to a file, as other processes need it."""
        if not self._kept or self._folder is None:
            return
        path = self._folder / f"{os.getpid()}-{next(_numbers)}.arrow"
        frame = pl.concat(self._kept)
        share = self._kept_bytes / frame.height
        self._kept, self._kept_bytes = [], 0
        key = pl.lit(0) if self._key is None else self._key
        keyed = frame.with_columns(key.cast(pl.Int64).alias("_key")).sort("_key", maintain_order=True)
        runs = keyed["_key"].rle().struct.unnest().select("value", "len").rows()
        _write(path, keyed.drop("_key"), [height for _, height in runs])
        for number, (name, height) in enumerate(runs):
            self._filed[name].append(_Filed(path, number, height, int(share * height)))

    def sizes(self) -> dict[int, int]:
        """Bytes under each key, about; what waits in memory is under no key yet, and counts as key 0."""
        kept = {0: self._kept_bytes} if self._kept else {}
        return kept | {key: sum(piece.size for piece in filed) for key, filed in self._filed.items()}

    @property
    def is_filed(self) -> bool:
        """Whether any of it lies in a file."""
        return bool(self._filed)

    def frames(
        self, keys: Iterable[int] | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """The frames one after the other, in no order where there are keys.

        Args:
            keys: Only what is under these; what waits in memory is under none, and comes always.
            columns: Only these.
        """
        by_path: dict[Path, list[int]] = defaultdict(list)
        for key in list(self._filed) if keys is None else keys:
            for piece in self._filed.get(key, ()):
                by_path[piece.path].append(piece.number)
        for path, numbers in by_path.items():
            yield _read(path, sorted(numbers), self._schema, columns)
        for frame in self._kept:
            yield frame if columns is None else frame.select(columns)

    def whole(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The frames as one.

        Args:
            columns: As `frames` takes them.
        """
        empty = pl.DataFrame(schema=self._schema)
        frames = self.frames(columns=columns)
        return pl.concat([empty if columns is None else empty.select(columns), *frames])

    def share(self, share: "Share", dealt: pl.Expr) -> pl.DataFrame:
        """The frames of a share as one.

        Args:
            share: One of `shares_of`.
            dealt: A whole number of each row, by which those of one key are dealt where they are too many.
        """
        frames = self.frames(share.keys)
        if share.count > 1:
            frames = (frame.filter(dealt % share.count == share.number) for frame in frames)
        return pl.concat([pl.DataFrame(schema=self._schema), *frames])

    def mapped(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Pieces":
        """The same rows, each frame changed.

        Args:
            change: Returns rows in the same schema.
        """
        found = Pieces(self._schema, key=self._key)
        for frame in self.frames():
            found.add(change(frame))
        return found


@dataclass(frozen=True)
class _Filed:
    """A frame in a file: which of its batches, its rows and the bytes it takes in memory."""

    path: Path
    number: int
    height: int
    size: int


@dataclass(frozen=True)
class Share:
    """Rows to be read back together.

    Attributes:
        keys: Those under these keys.
        number: Which part of them, from 0.
        count: Into how many parts they are dealt; more than one where a single key has too many.
    """

    keys: tuple[int, ...]
    number: int = 0
    count: int = 1


def shares_of(pieces: Sequence[Pieces], limit: int) -> Iterator[Share]:
    """All rows of pieces in shares of about so many bytes, and less than twice as many if dealing helps.

    Where some of the pieces lie in files, all are brought there, so that the keys can be told apart; what
    waits in memory is one share.

    Args:
        pieces: Of which each puts the same rows under the same key.
        limit: Bytes.
    """
    sizes: Counter[int] = Counter()
    is_filed = any(some.is_filed for some in pieces)
    for some in pieces:
        if is_filed:
            some.file()
        sizes.update(some.sizes())
    for keys in _key_groups(sizes, limit):
        # Dealing means reading them once for each part, so that less than twice too much stays whole.
        count = max(1, sum(sizes[key] for key in keys) // limit) if is_filed else 1
        yield from (Share(keys, number, count) for number in range(count))


def _key_groups(sizes: Mapping[int, int], limit: int) -> Iterator[tuple[int, ...]]:
    """Keys in groups that take no more than so many bytes, or one key that takes more."""
    keys: list[int] = []
    size = 0
    for key in sorted(sizes):
        if keys and size + sizes[key] > limit:
            yield tuple(keys)
            keys, size = [], 0
        keys.append(key)
        size += sizes[key]
    yield tuple(keys)


def _write(path: Path, frame: pl.DataFrame, heights: list[int]) -> None:
    """Writes rows in batches of these heights."""
    # Texts go as offsets and not as views: a view would take the texts of all other batches along.
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    start = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema, options=options) as into:
            for height in heights:
                (batch,) = table.slice(start, height).to_batches()
                into.write_batch(batch)
                start += height
    except OSError as error:
        raise NoRoomError(str(error)) from error


def _read(path: Path, numbers: list[int], schema: pl.Schema, columns: Sequence[str] | None) -> pl.DataFrame:
    """Batches of a file as one frame."""
    wanted = None if columns is None else sorted(schema.names().index(name) for name in columns)
    try:
        with pa.OSFile(str(path), "rb") as file:
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=wanted))
            table = pa.Table.from_batches([reader.get_batch(number) for number in numbers])
    except OSError as error:
        raise NoRoomError(str(error)) from error
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame if columns is None else frame.select(columns)
