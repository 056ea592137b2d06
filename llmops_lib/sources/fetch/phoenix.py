"""Pulls the spans of a Phoenix project.

- Pages come newest first, by cursor, 1,000 spans at most. Phoenix's own client stops at 1,000 spans, or at
  its `limit`, without a word; here pages are read until the server names no further one.
- Spans that the server takes in meanwhile are not on later pages, so it is asked for its count at the end.
- A server without `/spans` has the older `/spans/otlpv1`.

Source: the server's own routes, `/openapi.json` and `/graphql` of arize-phoenix 20.26.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from llmops_lib.errors import FetchError
from llmops_lib.sources.fetch.addresses import checked_server
from llmops_lib.sources.fetch.answers import RowsPage, Shape, decoded, fields_of, on_one_line
from llmops_lib.sources.fetch.connection import Connection
from llmops_lib.sources.fetch.keys import phoenix_auth, phoenix_server
from llmops_lib.sources.fetch.manifest import FetchOutcome
from llmops_lib.sources.fetch.pages import Page, Source
from llmops_lib.sources.fetch.pull import pull
from llmops_lib.sources.fetch.settings import DEFAULTS, FetchSettings, window

_MOST = 1_000
_LACKING = (404, 405)
_COUNT = """query Count($id: ID!, $range: TimeRange) {
  node(id: $id) { ... on Project { recordCount(timeRange: $range) } }
}"""


class _Context(msgspec.Struct):
    trace_id: str | None = None
    span_id: str | None = None


class _Row(msgspec.Struct):
    context: _Context | None = None
    trace_id: str | None = None
    span_id: str | None = None


class _ProjectRow(msgspec.Struct):
    id: str


class _ProjectAnswer(msgspec.Struct):
    data: _ProjectRow


class _Node(msgspec.Struct):
    recordCount: int  # noqa: N815 - the API's own name


class _NodeData(msgspec.Struct):
    node: _Node


class _CountAnswer(msgspec.Struct):
    data: _NodeData


def fetch_phoenix(
    path: str | Path,
    *,
    project: str = "default",
    start: datetime | None = None,
    end: datetime | None = None,
    settings: FetchSettings = DEFAULTS,
) -> FetchOutcome:
    """The spans of a Phoenix project, as a JSON Lines file.

    A pull that was killed or gave up goes on where it was when the same is called again; the file appears
    under its name when all spans are in it. The key PHOENIX_API_KEY is taken from the environment and from
    nowhere else; so is the server (PHOENIX_ENDPOINT, PHOENIX_COLLECTOR_ENDPOINT, PHOENIX_HOST) where the
    settings name none.

    Args:
        path: The file to write; its manifest `<path>.fetch.json` stands beside it.
        project: Name or id of the project.
        start: First moment of the window of start times, with a zone; None leaves it open.
        end: First moment after it; None leaves it open.
        settings: Server, page size, patience.

    Returns:
        The outcome, as in the manifest: rows expected and received, pages, retries.

    Raises:
        FetchError: If there is no such project, the address is refused, the server refuses, or the path
            holds something else.
        IncompleteFetchError: If the server fails for good, pages without end, or counts another number of
            spans than it gives.
    """
    path = Path(path)
    server = checked_server(settings.server or phoenix_server(), allows_plain_http=settings.allows_plain_http)
    asked = window(start, end)
    with Connection(server, phoenix_auth(), settings) as connection:
        spans = _Spans(connection, _project_id(connection, project), asked)
        request = {"source": "phoenix", "server": server, "project": project, "window": asked}
        source = Source("phoenix", request, spans.page, key_of, spans.count, "the project's record count")
        return pull(path, connection, source, settings)


def key_of(row: bytes) -> str | None:
    """What tells a span from others, on either endpoint."""
    found = fields_of(row, _Row)
    if found is None:
        return None
    ids = found.context or found
    return None if ids.span_id is None else f"{ids.trace_id} {ids.span_id}"


def _project_id(connection: Connection, project: str) -> str:
    try:
        answer = connection.get(f"/v1/projects/{quote(project, safe='')}", dict, _decoder(_ProjectAnswer))
    except FetchError as error:
        if error.status != 404:
            raise
        msg = f"{error}. Found no project {project!r}"
        raise FetchError(msg, status=404) from None
    return answer.data.id


class _Spans:
    """The pages of one project in one window."""

    def __init__(self, connection: Connection, project_id: str, asked: Mapping[str, str | None]) -> None:
        self._connection = connection
        self._project_id = project_id
        self._window = asked

    def page(self, cursor: str | None) -> Page:
        """The page at a cursor: the endpoint's name and the server's cursor."""
        if cursor is not None:
            endpoint, _, rest = cursor.partition(" ")
            return self._page(endpoint, rest)
        try:
            return self._page("spans", None)
        except FetchError as error:
            if error.status not in _LACKING:
                raise
            return self._page("spans/otlpv1", None)

    def count(self) -> int | None:
        """Spans in the window as the server counts them; None where it does not."""
        span_range = {"start": self._window["from"], "end": self._window["to"]}
        variables = {"id": self._project_id, "range": span_range if any(span_range.values()) else None}
        payload = {"query": _COUNT, "variables": variables}
        try:
            return self._connection.post(
                "/graphql", lambda: payload, _decoder(_CountAnswer)
            ).data.node.recordCount
        except FetchError:
            return None

    def _page(self, endpoint: str, cursor: str | None) -> Page:
        answer = self._connection.get(
            f"/v1/projects/{quote(self._project_id, safe='')}/{endpoint}",
            lambda: {
                "start_time": self._window["from"],
                "end_time": self._window["to"],
                "limit": str(self._connection.page_size(_MOST)),
                "cursor": cursor,
            },
            _decoder(RowsPage),
        )
        following = f"{endpoint} {answer.next_cursor}" if answer.next_cursor else None
        return Page([on_one_line(bytes(row)) for row in answer.data], following)


def _decoder(shape: type[Shape]) -> Callable[[bytes], Shape]:
    return lambda body: decoded(body, shape)
