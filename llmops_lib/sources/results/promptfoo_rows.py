"""One promptfoo result as rows of SCORES: the score of the whole test, then one row per assertion."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmops_lib.sources.results.promptfoo_names import model_columns, prompt_columns, provider_id

WHOLE_TEST = "score"
"""Scorer of the row that holds promptfoo's verdict on the whole test."""

_ERRORED = 2
_SET = "assert-set"
# Assertions whose value is an answer to compare with.
_REFERENCES = frozenset(
    (
        "equals",
        "similar",
        "factuality",
        "levenshtein",
        "rouge-n",
        "bleu",
        "gleu",
        "meteor",
    )
)
_IN_COLUMNS = frozenset(
    (
        "cost",
        "latencyMs",
        "prompt",
        "promptId",
        "promptIdx",
        "testIdx",
        "score",
        "success",
        "gradingResult",
        "namedScores",
        "provider",
        "error",
        "response",
        "testCase",
    )
)


def result_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a result, without `run_id`, `example_id` and `trial`.

    Args:
        result: One item of `results.results`, of any version.
    """
    call = _call(result)
    grading = _mapping(result.get("gradingResult"))
    error = _error(result)
    whole = {
        **call,
        "scorer": WHOLE_TEST,
        # promptfoo writes 0 for a test that it could not run.
        "score": None if error else result.get("score"),
        "passed": None if error else result.get("success"),
        "explanation": None if error else grading.get("reason"),
        "error": error,
        "metadata": _metadata(result),
    }
    components = [{**call, **row} for row in _component_rows(result, grading)]
    named = {str(row["scorer"]) for row in components}
    others = [
        {**call, "scorer": name, "score": score}
        for name, score in _mapping(result.get("namedScores")).items()
        if name not in named and name
    ]
    return [whole, *components, *others]


def _call(result: Mapping[str, Any]) -> dict[str, Any]:
    response = _mapping(result.get("response"))
    prompt = _mapping(result.get("prompt"))
    # Counts and costs of 0 stand beside every result for which the provider stated none.
    beside = {} if _error(result) else result
    return {
        **model_columns(provider_id(result.get("provider"))),
        **prompt_columns(prompt.get("label"), result.get("promptId", prompt.get("id"))),
        **_token_columns(response.get("tokenUsage") or _counted(beside.get("tokenUsage"))),
        "latency_ms": result.get("latencyMs"),
        "cost_usd": response.get("cost", beside.get("cost") or None),
        "input": prompt.get("raw"),
        "output": response.get("output"),
    }


def _counted(usage: Any) -> Any:
    counts = _mapping(usage)
    return usage if any(counts.get(name) for name in ("total", "prompt", "completion")) else None


def _token_columns(usage: Any) -> dict[str, Any]:
    counts = _mapping(usage)
    details = _mapping(counts.get("completionDetails"))
    cached = sum(
        count
        for name in ("cacheReadInputTokens", "cacheCreationInputTokens")
        if isinstance(count := details.get(name), int)
    )
    prompt = counts.get("prompt")
    # More cached than sent proves that the cached tokens come on top, as Anthropic counts them.
    if isinstance(prompt, int) and cached > prompt:
        prompt += cached
    return {"input_tokens": prompt, "output_tokens": counts.get("completion")}


def _error(result: Mapping[str, Any]) -> Any:
    reason = result.get("failureReason")
    if reason == _ERRORED or (reason is None and result.get("error") and not result.get("gradingResult")):
        return result.get("error") or _mapping(result.get("response")).get("error") or "error"
    return None


def _set_names(result: Mapping[str, Any], grading: Mapping[str, Any]) -> Iterator[str]:
    """Names of the assert-sets in their order: what an assert-set found does not say which one it is."""
    names = [one.get("metric") or _SET for one in _asserted(result) if one.get("type") == _SET]
    found = sum(1 for component in _objects(grading.get("componentResults")) if _is_set(component))
    return iter(names if len(names) == found else [_SET] * found)


def _asserted(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _objects(_mapping(result.get("testCase")).get("assert"))


def _is_set(component: Mapping[str, Any]) -> bool:
    return not component.get("assertion") and bool(component.get("componentResults"))


def _assertions(
    result: Mapping[str, Any], components: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Each component with its assertion: the verdict of a script may leave out which one it is on."""
    asserted = _asserted(result)
    is_aligned = len(asserted) == len(components) and not any(map(_is_set, components))
    for component, stated in zip(components, asserted if is_aligned else [{}] * len(components), strict=True):
        yield component, _mapping(component.get("assertion")) or stated


def _component_rows(result: Mapping[str, Any], grading: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    set_names = _set_names(result, grading)
    # What an assert-set or a script returned stands inside its component and again after it.
    for component, assertion in _assertions(result, _objects(grading.get("componentResults"))):
        kind = next(set_names) if _is_set(component) else assertion.get("type")
        rest: dict[str, Any] = {"assertion": assertion} if assertion else {}
        if component.get("tokensUsed"):
            rest["tokensUsed"] = component["tokensUsed"]
        yield {
            "scorer": assertion.get("metric") or _only_name(component) or kind or "assertion",
            "score": component.get("score"),
            "passed": component.get("pass"),
            "explanation": component.get("reason"),
            "expected": assertion.get("value") if str(kind) in _REFERENCES else None,
            "metadata": rest or None,
        }


def _only_name(component: Mapping[str, Any]) -> str | None:
    names = [*_mapping(component.get("namedScores") or component.get("named_scores"))]
    return names[0] if len(names) == 1 else None


def _metadata(result: Mapping[str, Any]) -> dict[str, Any]:
    test = _mapping(result.get("testCase"))
    response = _mapping(result.get("response"))
    grading = _mapping(result.get("gradingResult"))
    rest = {
        **{name: value for name, value in result.items() if name not in _IN_COLUMNS},
        "provider": result.get("provider"),
        "test": {name: value for name, value in test.items() if name not in ("vars", "assert")},
        "response": {
            name: value for name, value in response.items() if name not in ("output", "raw", "cost")
        },
        "tokensUsed": grading.get("tokensUsed"),
    }
    return {name: value for name, value in rest.items() if value not in (None, {}, [], "")}


def signature_of(result: Mapping[str, Any]) -> str:
    """What makes two tests the same one: their variables, assertions and description.

    Args:
        result: One item of `results.results`.
    """
    test = _mapping(result.get("testCase"))
    parts = [result.get("vars") or test.get("vars"), test.get("assert"), test.get("description")]
    # The standard library writes whole numbers of any size, which a test may well be about.
    written = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
