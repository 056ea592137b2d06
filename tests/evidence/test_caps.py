"""How many rows tools return at most."""

import pytest

from llmops_lib.evidence.caps import CAPS, caps_met
from llmops_lib.sources.detect import READERS


def test_every_cap_is_of_a_format_that_is_read():
    """A misspelt format would never be met."""
    known = {reader.source_format for reader in READERS}
    assert {name for cap in CAPS for name in cap.formats} <= known
    assert {cap.unit for cap in CAPS} == {"rows", "traces"}


@pytest.mark.parametrize("cap", CAPS, ids=lambda cap: f"{cap.source}, {cap.limit}")
def test_a_cap_is_met_exactly_or_not_at_all(cap):
    """One row fewer is the end of the data, and one more shows that nothing stopped there."""
    source_format = (cap.formats or ("table",))[0]
    for number, is_met in ((cap.limit - 1, False), (cap.limit, True), (cap.limit + 1, False)):
        assert (cap in caps_met([(source_format, cap.unit, number)])) is is_met


def test_a_cap_of_one_tool_says_nothing_of_another():
    """A collector writes as many spans as there are."""
    assert caps_met([("otlp", "rows", 1_000)]) == []
