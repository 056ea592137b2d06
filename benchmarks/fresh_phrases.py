"""Precision and recall of the lists of phrases on texts that were written without looking at them.

Usage: python benchmarks/fresh_phrases.py [first|second]
"""

import json
import sys
from pathlib import Path

from safety import share

from llmops_lib.safety.injection import injection_flags
from llmops_lib.safety.word_lists import banned_flags, toxicity_flags

TEXTS = Path(__file__).with_name("fresh_phrases.jsonl")
FLAGS = {"injection": injection_flags, "banned": banned_flags, "toxic": toxicity_flags}


def main() -> None:
    """Prints recall and precision of each filter, by half."""
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    for half in sys.argv[1:] or ("first", "second"):
        texts = [(row["label"], row["text"]) for row in rows if row["half"] == half]
        for name, flags in FLAGS.items():
            flagged = [label for label, text in texts if any(True for _ in flags(text))]
            wanted = sum(label == name for label, _ in texts)
            hits = sum(label == name for label in flagged)
            benign = sum(label == "benign" for label, _ in texts)
            alarms = sum(label == "benign" for label in flagged)
            print(
                f"{half:<7} {name:<10} recall {share(hits, wanted)}   precision {share(hits, len(flagged))}"
            )
            print(f"{'':<18} false alarms on look-alikes {share(alarms, benign)}")


if __name__ == "__main__":
    main()
