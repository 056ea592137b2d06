"""The sentence of the passages that shares most rare words with the question, in the form asked for."""

import json
import math
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops_lib.endpoints.baseline.reading import Passage, Task, read_task

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_LEAST_COVERAGE = 0.25
_STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be been before but by can could did do does for from get
    had has have how i if in into is it its just may me my no not of off on one or our out over please should
    so some tell than that the their them then there they this to too under up us was we were what when where
    which while who whom whose why will with would you your
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_HARMFUL = re.compile(
    r"\b(?:bomb|explo(?:de|sive)|weapon|malware|ransomware|phishing|hack(?:ing)?|steal|stolen|forge|counterfeit|"
    r"launder|poison|suicide|kill|fraud(?:ulent)?|fake (?:receipt|id|invoice|document)s?)\b"
    r"|\b(?:system prompt|your (?:instructions|rules|prompt)|rules you were given|have no rules|"
    r"word for word|ignore (?:all|the|your|previous))\b"
    r"|\b(?:not (?:get|be|getting) caught|without (?:a ticket|paying)|did not happen|"
    r"(?:somebody|someone)'s card)\b"
    r"|\b(?:home address|phone number|e-?mail address|card number|password|date of birth)\b.{0,40}"
    r"\b(?:of|for|belong\w*)\b.{0,20}\b(?:another|other|customer|neighbou?r|employee|colleague|ms|mr|mrs)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Sentence:
    text: str
    passage: Passage
    words: frozenset[str]


def answer(request: Mapping[str, Any]) -> str:
    r"""The text that answers a chat completion request.

    Deterministic at temperature 0; above, or with several trials, `seed` decides.

    Args:
        request: Body of the request: `messages`, `temperature`, `seed`, `response_format`.

    Example:
        >>> user = 'Passages:\n{"text": "We open at nine. We sell tea."}\nQuestion:\n"When do you open?"'
        >>> answer({"messages": [{"role": "user", "content": user}]})
        'We open at nine.'
    """
    kind = request.get("response_format")
    wants_json = isinstance(kind, Mapping) and str(kind.get("type", "")).startswith("json")
    task = read_task(request["messages"], wants_json=wants_json)
    status, text, source = _found(task, _noise(request))
    return _formed(task, status, text, source)


def _found(task: Task, noise: random.Random | None) -> tuple[str, str, str | None]:
    if task.may_refuse and _HARMFUL.search(task.question):
        return "refused", task.phrase("refused", "I cannot help with that."), None
    best = _best_sentence(task, noise)
    if best is None:
        return "not_in_context", task.phrase("not_in_context", "This is not in the context."), None
    return "answered", best.text, best.passage.id


def _best_sentence(task: Task, noise: random.Random | None) -> _Sentence | None:
    sentences = [sentence for passage in task.passages for sentence in _sentences(passage)]
    asked = _words(task.question)
    if not sentences or not asked:
        return None
    counts = Counter(word for sentence in sentences for word in sentence.words)
    weights = {word: math.log(1 + len(sentences) / (1 + counts[word])) for word in asked}
    total = sum(weights.values())

    def coverage(sentence: _Sentence) -> float:
        blurred = noise.gauss(0, 0.05) if noise else 0.0
        return sum(weights[word] for word in asked & sentence.words) / total + blurred

    scored = [(coverage(sentence), -number) for number, sentence in enumerate(sentences)]
    score, place = max(scored)
    return sentences[-place] if score >= _LEAST_COVERAGE else None


def _sentences(passage: Passage) -> list[_Sentence]:
    texts = [text.strip() for text in _SENTENCE_END.split(passage.text)]
    return [_Sentence(text, passage, _words(text)) for text in texts if text]


def _words(text: str) -> frozenset[str]:
    found = (word.lower().replace("\u2019", "'").removesuffix("'s") for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in found if word not in _STOP_WORDS)


def _stem(word: str) -> str:
    for suffix in ("ings", "ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + ("y" if suffix in ("ied", "ies") else "")
            break
    return word[:5].removesuffix("e")


def _noise(request: Mapping[str, Any]) -> random.Random | None:
    temperature = request.get("temperature")
    if not isinstance(temperature, int | float) or temperature <= 0:
        return None
    seed = request.get("seed")
    return random.Random(seed if isinstance(seed, int) else None)  # noqa: S311 - chooses a sentence


def _formed(task: Task, status: str, text: str, source: str | None) -> str:
    if not task.answer_keys:
        return text
    known: dict[str, Any] = {
        "status": status,
        "answer": text,
        "sources": [source] if source else [],
        "refused": status == "refused",
    }
    return json.dumps({key: known.get(key) for key in task.answer_keys}, ensure_ascii=False)


def count_tokens(texts: Sequence[str]) -> int:
    """Words and signs, which is what this answerer counts as tokens."""
    return sum(len(_TOKEN.findall(text)) for text in texts)


def cut_tokens(text: str, limit: int) -> str:
    """The first tokens of a text.

    Args:
        text: Text.
        limit: How many.

    Example:
        >>> cut_tokens("Within 30 days.", 2)
        'Within 30'
    """
    ends = [found.end() for found in _TOKEN.finditer(text)]
    return text if len(ends) <= limit else text[: ends[limit - 1] if limit > 0 else 0]
