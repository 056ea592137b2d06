"""Answers by content, so that a run that was stopped goes on without paying twice.

One file per answer, under the hash of what was asked. Only answers are kept, never failures. The folder
holds answers in plain text, but for those with keys: keep it where the traces are kept.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from llmops_lib.chat import ChatAnswer, ChatRequest, ChatResult
from llmops_lib.errors import EndpointError
from llmops_lib.safety.sensitive import find_sensitive
from llmops_lib.whole_files import write_whole


@dataclass(frozen=True)
class Kept:
    """An answer and the facts of the call that it was the answer to.

    Attributes:
        answer: The answer.
        started_at: Start of the call, UTC.
        latency_ms: Its duration.
        attempt_count: Requests that it took.
        trace_id: Of its span.
        span_id: Of its span.
    """

    answer: ChatAnswer
    started_at: datetime
    latency_ms: float
    attempt_count: int
    trace_id: str
    span_id: str

    @classmethod
    def of(cls, result: ChatResult, answer: ChatAnswer) -> "Kept":
        """What is kept of a call.

        Args:
            result: The call.
            answer: Its answer.
        """
        facts = {name: getattr(result, name) for name in _FACTS}
        return cls(answer, **facts)

    def result(self, request: ChatRequest) -> ChatResult:
        """The call as the result of the same request."""
        facts = {name: getattr(self, name) for name in _FACTS}
        return ChatResult(
            request, self.answer, error=None, error_type=None, cost_usd=None, is_cached=True, **facts
        )


_FACTS = ("started_at", "latency_ms", "attempt_count", "trace_id", "span_id")


class AnswerCache:
    """A folder of answers.

    Args:
        folder: Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{folder}: cannot be made as a folder of answers: {error.strerror}; give another one"
            raise EndpointError(msg) from error
        self._folder = folder

    def get(self, content_hash: str) -> Kept | None:
        """The answer to what was asked, or None; a damaged file counts as none."""
        try:
            return msgspec.json.decode(self._path(content_hash).read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError):
            return None

    def put(self, content_hash: str, kept: Kept) -> None:
        """Keeps an answer, in one step, unless it holds a key or a password.

        Raises:
            EndpointError: If the folder cannot be written.
        """
        path, content = self._path(content_hash), msgspec.json.encode(asdict(kept))
        if find_sensitive(content.decode(), mode="off"):
            return
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, lambda beside: beside.write_bytes(content))
        except OSError as error:
            msg = f"{self._folder}: cannot be written: {error.strerror}; make room, then run the same again"
            raise EndpointError(msg) from error

    def _path(self, content_hash: str) -> Path:
        return self._folder / content_hash[:2] / f"{content_hash[2:]}.json"
