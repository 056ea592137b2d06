"""What a pull needs to know of a server: its pages, and how many rows it counts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page of a source.

    Attributes:
        rows: Rows as JSON text on one line each.
        next_cursor: Where the next page begins; None behind the last one.
        announced: Rows that the page announces, by kind.
        project: Id of the project, where the rows tell it.
        truncated_metadata_count: Values that came shortened.
    """

    rows: list[bytes]
    next_cursor: str | None
    announced: dict[str, int] = field(default_factory=dict)
    project: str | None = None
    truncated_metadata_count: int = 0


@dataclass(frozen=True)
class Source:
    """What is pulled, and how its pages are asked for.

    Attributes:
        name: `langfuse` or `phoenix`.
        request: What tells this pull from others: source, server, project and window.
        page: The page at a cursor.
        key_of: What tells a row from others; None where a row has no id.
        count: Rows that the server counts in the window, where pages announce none.
        counted_by: What that count is called in the manifest.
    """

    name: str
    request: dict[str, Any]
    page: Callable[[str | None], Page]
    key_of: Callable[[bytes], str | None]
    count: Callable[[], int | None]
    counted_by: str
