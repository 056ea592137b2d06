"""Names for examples whose source gives them none."""

import hashlib
from typing import Any

from llmops_lib.sources.json_text import json_text


def content_example_id(*parts: Any) -> str:
    """An id for an example, made of what was asked, so that two runs agree on it in any order.

    The position in the file would pair different examples as soon as one run is filtered or shuffled.

    Args:
        parts: What makes the example: question, reference, ...; None where one is absent.

    Example:
        >>> content_example_id("Capital of France?", None)
        'sha256:05c38d29fecc3caf'
    """
    text = json_text([None if part is None else json_text(part) for part in parts])
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
