"""Precision, recall and throughput of the filters on the labelled corpora beside the project.

Usage: python benchmarks/safety.py [FOLDER_OF_CORPORA]
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from llmops_lib.refusals import refuses
from llmops_lib.safety import find_sensitive
from llmops_lib.safety.filters import check
from llmops_lib.safety.injection import injection_flags
from llmops_lib.safety.sensitive import Mode
from llmops_lib.safety.word_lists import banned_flags, toxicity_flags
from llmops_lib.stats.proportions import wilson

CORPORA = Path(__file__).resolve().parents[1].parent / "shared" / "corpora"
KINDS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "US_SSN": "SSN",
} | {kind: kind for kind in ("EMAIL", "PHONE", "CARD", "IBAN", "IP", "SSN")}

Flags = Callable[[str], Iterable[Any]]


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Rows of a corpus."""
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


def share(hits: int, count: int) -> str:
    """A share with its 95% interval and count."""
    if not count:
        return "none"
    interval = wilson(hits, count)
    return f"{hits / count:.3f} [{interval.lower:.3f}, {interval.upper:.3f}] n {count}"


def personal(folder: Path, name: str, mode: Mode) -> None:
    """Precision and recall of personal data, by overlap of places of one kind."""
    counts: Counter[str] = Counter()
    for row in rows(folder, name):
        wanted = [(start, end, KINDS[kind]) for start, end, kind in row["spans"] if kind in KINDS]
        places = find_sensitive(row["text"], mode=mode, has_secrets=False)
        found = [(place.start, place.end, place.kind) for place in places]
        counts["wanted"] += len(wanted)
        counts["met"] += sum(any(overlap(one, other) for other in found) for one in wanted)
        counts["found"] += len(found)
        counts["right"] += sum(any(overlap(one, other) for other in wanted) for one in found)
    print(
        f"PII {mode:<6} {name:<14} P {share(counts['right'], counts['found'])}"
        f"   R {share(counts['met'], counts['wanted'])}"
    )


def overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Whether two places are of one kind and share a character."""
    return one[2] == other[2] and one[0] < other[1] and other[0] < one[1]


def flagged(name: str, texts: list[str], flags: Flags) -> None:
    """Share of texts with a flag."""
    hits = sum(any(True for _ in flags(text)) for text in texts)
    print(f"{name:<58} {share(hits, len(texts))}")


def secrets(text: str) -> list[Any]:
    """Secrets of a text."""
    return [place for place in find_sensitive(text) if place.kind == "SECRET"]


def throughput(name: str, documents: list[str], search: Flags) -> None:
    """Characters a second, the best of five."""
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for document in documents:
            list(search(document))
        best = min(best, time.process_time() - started)
    print(f"{name:<30} {sum(map(len, documents)) / best / 1e3:8,.0f} kchar/s")


def main() -> None:
    """Prints the figures of docs/safety.md."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPORA
    modes: tuple[Mode, ...] = ("gate", "report")
    for mode in modes:
        for name in ("pii_labelled", "pii_traces"):
            personal(folder, name, mode)
    keys = [
        (row["label"], row["wrap"].replace("{}", "".join(row["parts"])))
        for row in rows(folder, "secrets_labelled")
    ]
    flagged("secrets, recall", [text for label, text in keys if label], secrets)
    flagged("secrets, false alarms", [text for label, text in keys if not label], secrets)
    others = [(row["label"], "".join(row["parts"])) for row in rows(folder, "secrets_detect_secrets_tests")]
    flagged("secrets of another project's tests, recall", [text for label, text in others if label], secrets)
    texts = {
        name: [row["text"] for row in rows(folder, name)]
        for name in (
            "prompt_injection", "benign_lookalikes", "xstest_prompts", "pii_traces", "pii_labelled",
            "redteam_harmful_requests", "toxic_prompts", "toxic_wordlist",
        )
    }  # fmt: skip
    prompts = {
        kind: [row["text"] for row in rows(folder, "xstest_prompts") if row["label"] == kind]
        for kind in ("safe", "unsafe")
    }
    ordinary = texts["xstest_prompts"] + texts["pii_traces"] + texts["pii_labelled"]
    flagged("injection, recall", texts["prompt_injection"], injection_flags)
    flagged("injection, false alarms on ordinary texts", ordinary, injection_flags)
    flagged("injection, false alarms on look-alikes", texts["benign_lookalikes"], injection_flags)
    flagged("banned, recall on harmful requests", texts["redteam_harmful_requests"], banned_flags)
    flagged("banned, recall on unsafe prompts", prompts["unsafe"], banned_flags)
    flagged("banned, false alarms on safe prompts", prompts["safe"], banned_flags)
    flagged("toxicity tripwire, recall on beginnings of toxic texts", texts["toxic_prompts"], toxicity_flags)
    flagged("toxicity tripwire, share of another list of words", texts["toxic_wordlist"], toxicity_flags)
    flagged("toxicity tripwire, false alarms on ordinary texts", ordinary, toxicity_flags)
    judged = rows(folder, "refusals_labelled")
    for label in ("refuse", "partial", "comply"):
        answers = [row["completion"] for row in judged if row["label"] == label]
        flagged(f"refusal, share of answers labelled {label}", answers, lambda text: [1] * refuses(text))
    joined = "\n".join(texts["pii_traces"] + texts["pii_labelled"])
    documents = [joined[at : at + 2_000] for at in range(0, len(joined), 2_000)]
    throughput("PII and secrets, report", documents, find_sensitive)
    throughput("PII and secrets, gate", documents, lambda text: find_sensitive(text, mode="gate"))
    throughput("check, everything", documents, check)


if __name__ == "__main__":
    main()
