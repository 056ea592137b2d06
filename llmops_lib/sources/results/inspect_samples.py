"""Scores of one sample of an Inspect log.

- A sample without scores, because it failed or was never scored, gives a row without a score for each
  scorer that the log names, so that it stays in the denominator.
- `run_id` is the `eval_id`, since one Inspect run may hold several tasks and models with the same sample
  ids; older logs have none, so their run and task together stand for it.
- Long texts stand in `attachments` and are put back, up to a limit.
- Messages, events and the store are a transcript and no score; they are not kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.inspect_usage import usage_columns
from llmops_lib.sources.results.inspect_verdicts import verdicts
from llmops_lib.sources.times import parse_time

_ATTACHMENT = "attachment://"
# An attachment may be named many times; what is put back is bounded so that a log cannot multiply itself.
_ATTACHED_LIMIT = 64 << 20
_KEPT = (
    *("metadata", "uuid", "total_time", "working_time", "limit", "model_usage", "turn_count", "retries"),
    *("choices", "description", "role_usage", "model_fallbacks", "invalidation"),
)


@dataclass(frozen=True)
class LogFacts:
    """What the head of a log tells of all its samples.

    Attributes:
        run: SCORES columns that all rows share.
        metadata: What else the head says of the run.
        scorers: Names of the scorers.
        version: Release of inspect_ai that wrote the log.
    """

    run: dict[str, Any]
    metadata: dict[str, Any]
    scorers: tuple[str, ...]
    version: str | None


def log_facts(head: Mapping[str, Any]) -> LogFacts:
    """The facts of a log.

    Args:
        head: The log without its samples.
    """
    spec = _object(head.get("eval"))
    model = spec.get("model") if isinstance(spec.get("model"), str) else None
    provider, _, name = (model or "").partition("/")
    run = {
        "run_id": spec.get("eval_id") or _older_id(spec),
        "suite": spec.get("task"),
        "model": model,
        "provider": provider_name(provider) if name else None,
    }
    metadata = {name: spec.get(name) for name in ("run_id", "task_id", "created", "tags", "task_args")}
    metadata |= {"status": head.get("status"), "log_version": head.get("version")}
    metadata |= {"log_metadata": spec.get("metadata"), "log_error": _message(head.get("error"))}
    metadata["log_model_usage"] = _object(head.get("stats")).get("model_usage")
    version = _object(spec.get("packages")).get("inspect_ai")
    return LogFacts(run, _present(metadata), _scorers(head, spec), str(version) if version else None)


def sample_scores(sample: Any, log: LogFacts) -> list[dict[str, Any]]:
    """One row per scorer of a sample, or per key of a scorer's value.

    Args:
        sample: A sample, or the summary of one.
        log: Facts of its log.

    Raises:
        Refused: If a value cannot be right.
    """
    if not isinstance(sample, dict):
        raise Refused(reason="not_object")
    if "id" not in sample:
        raise Refused(reason="missing_field", detail="id")
    attached = _Attachments(_object(sample.get("attachments")))
    output = _object(sample.get("output"))
    shared = {
        **log.run,
        "example_id": sample["id"],
        "trial": sample.get("epoch") or 1,
        "input": attached.put_back(sample.get("input")),
        "output": attached.put_back(_answer(output)),
        "expected": attached.put_back(sample.get("target")),
        "started_at": sample.get("started_at"),
        "latency_ms": _latency_ms(sample),
        "error": _message(sample.get("error")),
        **usage_columns(sample, log.run["model"], log.version),
    }
    kept = _kept(sample, output, log, attached)
    return [
        {**shared, **verdict, "metadata": _present({**kept, **own})}
        for verdict, own in _verdicts(sample, log, attached)
    ]


def _kept(
    sample: Mapping[str, Any], output: Mapping[str, Any], log: LogFacts, attached: "_Attachments"
) -> dict[str, Any]:
    kept = {**log.metadata, **{name: sample.get(name) for name in _KEPT}}
    kept |= {"response_model": output.get("model"), "error_retries": sample.get("error_retries")}
    kept["limit"] = _limit(sample.get("limit"))
    return {**kept, "metadata": attached.put_back(kept["metadata"])}


def _verdicts(
    sample: Mapping[str, Any], log: LogFacts, attached: "_Attachments"
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    scores = sample.get("scores")
    if scores is None and "score" in sample:
        scores = {log.scorers[0] if log.scorers else "score": sample["score"]}
    if not scores:
        names = log.scorers or (("(none)",) if sample.get("error") else ())
        if not names:
            detail = "scores; the log was not scored, `inspect score` does so"
            raise Refused(reason="missing_field", detail=detail)
        yield from (({"scorer": name}, {}) for name in names)
        return
    if not isinstance(scores, dict):
        raise Refused(reason="type", detail=f"scores is {type(scores).__name__}, not an object")
    for name, score in scores.items():
        if not isinstance(score, dict):
            raise Refused(
                reason="type", detail=f"score of {name[:100]} is {type(score).__name__}, not an object"
            )
        own = {name: score.get(name) for name in ("answer", "reason", "history")}
        own |= {"score_metadata": score.get("metadata")}
        explanation = attached.put_back(score.get("explanation"))
        for verdict in verdicts(name, score.get("value")):
            yield {**verdict, "explanation": explanation}, attached.put_back(own)


class _Attachments:
    def __init__(self, texts: Mapping[str, Any]) -> None:
        self._texts = texts
        self._left = _ATTACHED_LIMIT

    def put_back(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.put_back(item) for item in value]
        if isinstance(value, dict):
            return {name: self.put_back(item) for name, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        found = self._texts.get(text.removeprefix(_ATTACHMENT)) if text.startswith(_ATTACHMENT) else None
        if not isinstance(found, str) or len(found) > self._left:
            return text
        self._left -= len(found)
        return found


def _limit(limit: Any) -> Any:
    """The limit that ended a sample; logs before 2025-06 write its number whole, later ones with decimals."""
    number = limit.get("limit") if isinstance(limit, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 1 << 53:
        return {**limit, "limit": float(number)}
    return limit


def _older_id(spec: Mapping[str, Any]) -> str | None:
    parts = [spec.get(name) for name in ("run_id", "task_id")]
    return "/".join(part for part in parts if isinstance(part, str)) or None


def _scorers(head: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[str, ...]:
    results = _object(head.get("results"))
    # Logs of version 1 have one scorer.
    for listed in (spec.get("scorers"), results.get("scores"), [results.get("scorer")]):
        found = [_object(one).get("name") for one in listed] if isinstance(listed, list) else []
        names = [name for name in found if isinstance(name, str)]
        if names:
            return tuple(dict.fromkeys(names))
    return ()


def _answer(output: Mapping[str, Any]) -> Any:
    if output.get("completion"):
        return output["completion"]
    choices = output.get("choices")
    first = _object(choices[0]) if isinstance(choices, list) and choices else {}
    return _object(first.get("message")).get("content")


def _latency_ms(sample: Mapping[str, Any]) -> float | None:
    started, ended = parse_time(sample.get("started_at")), parse_time(sample.get("completed_at"))
    if started is not None and ended is not None:
        return (ended - started) / timedelta(milliseconds=1) if ended >= started else None
    seconds = sample.get("total_time")
    return seconds * 1_000 if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


def _message(error: Any) -> Any:
    return error.get("message") if isinstance(error, dict) else error


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
