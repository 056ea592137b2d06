"""Pulls the observations of a Langfuse project.

- The current API (`/api/public/v2/observations`) pages by cursor, 1,000 rows at most, and gives input,
  output and the fields of the trace only when asked. It shortens metadata to 200 characters unless the
  keys are named, so a page that holds a value of that length is asked for once more with them.
- A server that lacks it answers 404 or 501; there the older API (`/api/public/observations`, pages of 100)
  is read, and then the traces, since only they hold session, user, tags and release. The older API
  announces how many rows there are; for the current one the metrics API counts them.
- The window is always sent: without one, a large project times out.

Source: https://langfuse.com/docs/api-and-data-platform and the server's own routes under
https://github.com/langfuse/langfuse/tree/main/web/src/pages/api/public
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from llmops_lib.errors import FetchError
from llmops_lib.sources.fetch.addresses import checked_server
from llmops_lib.sources.fetch.answers import RowsPage, decoded, fields_of, on_one_line
from llmops_lib.sources.fetch.connection import Connection
from llmops_lib.sources.fetch.keys import langfuse_auth, langfuse_server
from llmops_lib.sources.fetch.manifest import FetchOutcome
from llmops_lib.sources.fetch.pages import Page, Source
from llmops_lib.sources.fetch.partial import kept_window
from llmops_lib.sources.fetch.pull import pull
from llmops_lib.sources.fetch.settings import DEFAULTS, FetchSettings, now_text, window

_CURRENT = "/api/public/v2/observations"
_METRICS = "/api/public/v2/metrics"
_OLDER = {"observations": "/api/public/observations", "traces": "/api/public/traces"}
_FIELDS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
_CURRENT_MOST, _OLDER_MOST = 1_000, 100
_LACKING = (404, 405, 501)
_SHORTENED = 200
_KEYS_LIMIT = 4_000
# A trace may have begun before the window that one of its observations started in.
_TRACE_LEAD = timedelta(days=1)


class _Row(msgspec.Struct):
    id: str | None = None
    traceId: str | None = None  # noqa: N815 - the API's own name
    projectId: str | None = None  # noqa: N815 - as above
    metadata: Any = None


def fetch_langfuse(
    path: str | Path, *, start: datetime, end: datetime | None = None, settings: FetchSettings = DEFAULTS
) -> FetchOutcome:
    """The observations of a Langfuse project that started in a window, as a JSON Lines file.

    A pull that was killed or gave up goes on where it was when the same is called again; the file appears
    under its name when all rows are in it. The keys LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are taken
    from the environment and from nowhere else; so is the server (LANGFUSE_BASE_URL, LANGFUSE_HOST) where
    the settings name none.

    Args:
        path: The file to write; its manifest `<path>.fetch.json` stands beside it.
        start: First moment of the window, with a zone.
        end: First moment after it; None means now. Rows still on their way are then missed and counted.
        settings: Server, page size, patience.

    Returns:
        The outcome, as in the manifest: rows expected and received, pages, retries.

    Raises:
        FetchError: If a key is missing, the address is refused, the server refuses, or the path holds
            something else.
        IncompleteFetchError: If the server fails for good, pages without end, or announces another number of
            rows than it gives.
    """
    path = Path(path)
    server = checked_server(
        settings.server or langfuse_server(), allows_plain_http=settings.allows_plain_http
    )
    asked = window(start, end)
    asked |= {"to": asked["to"] or kept_window(path).get("to") or now_text()}
    with Connection(server, langfuse_auth(), settings) as connection:
        project = _Project(connection, asked)
        request = {"source": "langfuse", "server": server, "window": asked}
        source = Source("langfuse", request, project.page, key_of, project.count, "the metrics API")
        return pull(path, connection, source, settings)


def key_of(row: bytes) -> str | None:
    """What tells a row from others; a trace and an observation may share an id."""
    found = fields_of(row, _Row)
    if found is None or found.id is None:
        return None
    return f"{'trace' if found.traceId is None else 'observation'} {found.id}"


class _Project:
    """The pages of one project in one window; the project is the one that the keys belong to."""

    def __init__(self, connection: Connection, asked: Mapping[str, str | None]) -> None:
        self._connection = connection
        self._window = asked
        self._long_keys: set[str] = set()

    def page(self, cursor: str | None) -> Page:
        """The page at a cursor: `v2 <cursor>`, or `v1 <kind> <page> <rows per page>`."""
        if cursor is None:
            try:
                return self._current(None)
            except FetchError as error:
                if error.status not in _LACKING:
                    raise
                return self._older("observations", 1, _OLDER_MOST)
        api, _, rest = cursor.partition(" ")
        if api == "v2":
            return self._current(rest)
        kind, number, size = rest.split(" ")
        return self._older(kind, int(number), int(size))

    def count(self) -> int | None:
        """Observations in the window as the metrics API counts them; None where it does not."""
        until = datetime.fromisoformat(str(self._window["to"])) - timedelta(milliseconds=1)
        query = {
            "view": "observations",
            "metrics": [{"measure": "count", "aggregation": "count"}],
            "dimensions": [],
            "filters": [],
            "fromTimestamp": self._window["from"],
            # Its end is inclusive, that of observations is not.
            "toTimestamp": until.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        try:
            answer = self._connection.get(_METRICS, lambda: {"query": json.dumps(query)}, _decode_rows)
        except FetchError:
            return None
        counts = [fields_of(row, _Count) for row in answer.data]
        return int(counts[0].count_count) if len(counts) == 1 and counts[0] is not None else None

    def _current(self, cursor: str | None) -> Page:
        answer = self._asked_current(cursor)
        rows = [fields_of(row, _Row) for row in answer.data]
        unseen = _long_keys(rows) - self._long_keys
        if unseen:
            self._long_keys |= unseen
            answer = self._asked_current(cursor)
            rows = [fields_of(row, _Row) for row in answer.data]
        following = answer.meta.cursor if answer.meta else None
        total = answer.meta.totalItems if answer.meta else None
        return Page(
            [on_one_line(bytes(row)) for row in answer.data],
            f"v2 {following}" if following else None,
            {} if total is None else {"observations": total},
            _project_of(rows),
            sum(len(_shortened(row)) for row in rows) - self._expanded(rows),
        )

    def _asked_current(self, cursor: str | None) -> RowsPage:
        return self._connection.get(
            _CURRENT,
            lambda: {
                "fromStartTime": self._window["from"],
                "toStartTime": self._window["to"],
                "fields": _FIELDS,
                "expandMetadata": self._expandable(),
                "limit": str(self._connection.page_size(_CURRENT_MOST)),
                "cursor": cursor,
            },
            _decode_rows,
        )

    def _expandable(self) -> str | None:
        named = ",".join(sorted(key for key in self._long_keys if "," not in key))
        return named[:_KEYS_LIMIT].rpartition(",")[0] if len(named) > _KEYS_LIMIT else named or None

    def _expanded(self, rows: list[_Row | None]) -> int:
        whole = set((self._expandable() or "").split(","))
        return sum(key in whole for row in rows for key in _shortened(row))

    def _older(self, kind: str, number: int, size: int) -> Page:
        asked = {"size": size, "number": number}

        def query() -> dict[str, str | None]:
            # A page that was too heavy is asked for in smaller ones that begin at or before it.
            smaller = min(size, self._connection.page_size(_OLDER_MOST))
            asked.update(size=smaller, number=(number - 1) * size // smaller + 1)
            return self._older_window(kind) | {"page": str(asked["number"]), "limit": str(asked["size"])}

        answer = self._connection.get(_OLDER[kind], query, _decode_rows)
        total = answer.meta.totalItems if answer.meta else None
        given = (answer.meta.limit if answer.meta else None) or asked["size"]
        is_more = bool(answer.data) and (
            total is None or asked["number"] * given < total or len(answer.data) >= given
        )
        following = f"v1 {kind} {asked['number'] + 1} {given}" if is_more else None
        if following is None and kind == "observations":
            following = f"v1 traces 1 {_OLDER_MOST}"
        return Page(
            [on_one_line(bytes(row)) for row in answer.data],
            following,
            {} if total is None else {kind: total},
            _project_of([fields_of(row, _Row) for row in answer.data]),
        )

    def _older_window(self, kind: str) -> dict[str, str | None]:
        if kind == "observations":
            return {"fromStartTime": self._window["from"], "toStartTime": self._window["to"]}
        lead = datetime.fromisoformat(str(self._window["from"])) - _TRACE_LEAD
        return window(lead, None) | {
            "from": None,
            "to": None,
            "fromTimestamp": window(lead, None)["from"],
            "toTimestamp": self._window["to"],
            "fields": "core,io",
        }


class _Count(msgspec.Struct):
    count_count: int | float | str


def _decode_rows(body: bytes) -> RowsPage:
    return decoded(body, RowsPage)


def _project_of(rows: list[_Row | None]) -> str | None:
    return next((row.projectId for row in rows if row is not None and row.projectId), None)


def _shortened(row: _Row | None) -> list[str]:
    metadata = row.metadata if row is not None and isinstance(row.metadata, dict) else {}
    return [key for key, value in metadata.items() if isinstance(value, str) and len(value) == _SHORTENED]


def _long_keys(rows: list[_Row | None]) -> set[str]:
    return {key for row in rows for key in _shortened(row)}
