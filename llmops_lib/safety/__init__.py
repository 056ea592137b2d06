"""Keeps personal data and secrets out of what is shown and sent."""

from llmops_lib.safety.excerpts import (
    last_asked,
    last_message,
    masked,
    with_excerpts,
    with_input_text,
    with_masked_texts,
)
from llmops_lib.safety.masking import mask_column, mask_text
from llmops_lib.safety.sensitive import find_sensitive

__all__ = [
    "find_sensitive",
    "last_asked",
    "last_message",
    "mask_column",
    "mask_text",
    "masked",
    "with_excerpts",
    "with_input_text",
    "with_masked_texts",
]
