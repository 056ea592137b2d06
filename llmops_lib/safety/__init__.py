"""Keeps personal data and secrets out of what is shown."""

from llmops_lib.safety.excerpts import masked, with_excerpts, with_masked_texts
from llmops_lib.safety.masking import find_sensitive, mask_column, mask_text

__all__ = ["find_sensitive", "mask_column", "mask_text", "masked", "with_excerpts", "with_masked_texts"]
