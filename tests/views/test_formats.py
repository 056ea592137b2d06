"""Numbers as readers see them."""

import pytest

from llmops_lib.views.formats import change, compact, duration, formatter, share, usd


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "$0.00"),
        (0.1, "$0.10"),
        (0.0999, "$0.10"),
        (0.00123, "$0.0012"),
        (-12.345, "-$12.35"),
        (1_234_567.891, "$1,234,567.89"),
    ],
)
def test_money_is_never_a_false_zero(value, written):
    """A call of a tenth of a cent that reads $0.00 looks free."""
    assert usd(value) == written


@pytest.mark.parametrize(("value", "written"), [(999, "999"), (999.9, "1k"), (999_700, "1M"), (0, "0")])
def test_compact_counts_carry_over_at_the_unit(value, written):
    """1,000k is written 1M."""
    assert compact(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.4, "0.4 ms"), (999, "999 ms"), (1000, "1.00 s"), (61_234, "61.2 s")]
)
def test_durations_change_unit(value, written):
    """Milliseconds are for machines once there are many of them."""
    assert duration(value).replace("\N{NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0%"), (1e-6, "<0.01%"), (0.005, "0.50%"), (0.5, "50.0%")]
)
def test_a_small_share_is_not_zero(value, written):
    """One quarantined line in a million is not none."""
    assert share(value) == written


@pytest.mark.parametrize(("value", "written"), [(-1, "-100%"), (0.0001, "±0%"), (9.99, "+999%"), (10, "×11")])
def test_large_changes_are_factors(value, written):
    """+2,100% is harder to read than ×22."""
    assert change(value) == written


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("spend_usd", "$1,500.00"),
        ("latency_p95_ms", "1.50\N{NO-BREAK SPACE}s"),
        ("input_tokens", "1.5k"),
        ("spend_usd_change_share", "×1501"),
        ("spend_usd_before", "$1,500.00"),
        ("call_count_after", "1,500"),
        ("calls_per_hour", "1,500"),
        ("tenant", "1500"),
    ],
)
def test_the_unit_in_a_column_name_decides_how_it_is_written(column, written):
    """A table cannot show milliseconds as dollars."""
    assert formatter(column)[0](1500) == written
