"""Changes in spend, worked by hand and by law."""

from datetime import UTC, datetime

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from llmops_lib import price_calls
from llmops_lib.errors import EngineError, MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.explain import explain_change

EFFECTS = ["volume", "mix", "input", "output", "cache", "price", "retry"]
USD_PER_TOKEN = {"large": (0.02, 0.04), "small": (0.01, 0.02)}
READ_SHARE_OF_PRICE = 0.5

LAWFUL = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def call(model="large", tokens=(100, 10), *, read=0, factor=1.0, **columns):
    """One priced call: input and output tokens, cache reads at half the price of input."""
    input_price, output_price = (factor * price for price in USD_PER_TOKEN[model])
    read_usd = read * input_price * READ_SHARE_OF_PRICE
    input_usd, output_usd = (tokens[0] - read) * input_price + read_usd, tokens[1] * output_price
    return {
        "model": model,
        "input_tokens": tokens[0],
        "cache_read_tokens": read,
        "output_tokens": tokens[1],
        "cost_usd": input_usd + output_usd,
        "input_cost_usd": input_usd,
        "cache_read_cost_usd": read_usd,
        "output_cost_usd": output_usd,
        "is_retried": False,
    } | columns


@pytest.fixture
def table(calls):
    """Builds a table of priced calls from rows."""

    def build(rows):
        if not rows:
            return build([call()]).clear()
        columns = {name: [row.get(name) for row in rows] for row in rows for name in row}
        retried = pl.Series("is_retried", columns.pop("is_retried"), pl.Boolean)
        flags = [retried, pl.lit(value=False).alias("is_retry")]
        return calls(**columns).with_columns(flags)

    return build


def effects(change, row=0):
    """The effects that are not zero, to a millionth of a cent."""
    values = change.row(row, named=True)
    rounded = {name: round(values[f"{name}_effect_usd"], 8) for name in EFFECTS}
    return {name: value for name, value in rounded.items() if value}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # 2.40 USD a call; one more of it.
        ([call()], [call(), call()], {"volume": 2.4}),
        # The large model costs 2.40 and the small one 1.20.
        ([call(), call()], [call(), call("small")], {"mix": -1.2}),
        ([call()], [call(tokens=(150, 10))], {"input": 1.0}),
        ([call()], [call(tokens=(100, 35))], {"output": 1.0}),
        # 60 of 100 input tokens at half of 2 cents.
        ([call()], [call(read=60)], {"cache": -0.6}),
        ([call()], [call(factor=1.25)], {"price": 0.6}),
        ([call()], [call(), call(is_retried=True)], {"retry": 2.4}),
        ([call()], [call()], {}),
        # Nothing but output, then the same call with an input.
        ([call(tokens=(0, 10))], [call(tokens=(50, 10))], {"input": 1.0}),
    ],
    ids=["volume", "mix", "input", "output", "cache", "price", "retry", "nothing", "first input"],
)
def test_a_single_cause_gets_the_whole_change(engine, table, before, after, expected):
    """Whoever doubled the calls must not read that prices rose."""
    change = collected(explain_change(engine(table(before)), engine(table(after))))
    assert effects(change) == pytest.approx(expected)


def test_two_causes_at_once_share_what_they_did_together(engine, table):
    """1 call at 1 USD becomes 3 at 2: alone 2 for the calls and 1 for the price, and 2 together, halved."""
    before, after = call(tokens=(50, 0)), call(tokens=(50, 0), factor=2.0)
    change = collected(explain_change(engine(table([before])), engine(table([after] * 3))))
    assert effects(change) == pytest.approx({"volume": 3.0, "price": 2.0})


def test_three_causes_get_the_mean_over_all_orders(engine, table):
    """1 call x 50 tokens x 2 cents becomes 2 x 100 x 4: over the six orders each of the three adds 7/3."""
    before, after = call(tokens=(50, 0)), call(tokens=(100, 0), factor=2.0)
    change = collected(explain_change(engine(table([before])), engine(table([after] * 2))))
    assert effects(change) == pytest.approx(dict.fromkeys(("volume", "input", "price"), 7 / 3), abs=1e-6)


def test_groups_that_are_new_or_gone_are_volume_and_nothing_else(engine, table):
    """There are no tokens or prices to compare a new tenant with."""
    before = [call(tenant="old"), call(tenant="kept")]
    after = [call("small", tenant="new"), call(tenant="kept"), call(tenant="kept", tokens=(200, 10))]
    change = collected(explain_change(engine(table(before)), engine(table(after)), by="tenant"))
    assert change["tenant"].to_list() == ["kept", "old", "new"]
    assert change["state"].to_list() == ["in both", "gone", "new"]
    assert effects(change, 1) == pytest.approx({"volume": -2.4})
    assert effects(change, 2) == pytest.approx({"volume": 1.2})


def test_an_unknown_group_is_a_group(engine, table):
    """A null tenant before and after is the same remainder."""
    change = collected(
        explain_change(
            engine(table([call(tenant=None)])), engine(table([call(tenant=None)] * 2)), by="tenant"
        )
    )
    assert change.select("tenant", "state", "call_count_after").rows() == [(None, "in both", 2)]


def test_unpriced_calls_are_counted_beside_the_sums(engine, table):
    """A model that got a price is no new spend."""
    unpriced = call() | dict.fromkeys(("cost_usd", "input_cost_usd", "output_cost_usd"))
    change = collected(explain_change(engine(table([unpriced] * 2)), engine(table([call(), unpriced]))))
    row = change.row(0, named=True)
    assert (row["unpriced_count_before"], row["unpriced_count_after"]) == (2, 1)
    assert (row["call_count_before"], row["call_count_after"]) == (2, 2)
    assert (row["spend_usd_before"], row["spend_usd_change"], row["state"]) == (None, 2.4, "unpriced before")


def test_a_group_without_any_known_cost_has_no_known_change(engine, table):
    """Unknown spend that stays unknown did not change by zero."""
    unpriced = call() | dict.fromkeys(("cost_usd", "input_cost_usd", "output_cost_usd"))
    change = collected(explain_change(engine(table([unpriced])), engine(table([unpriced] * 2))))
    columns = ["state", "spend_usd_after", "spend_usd_change", "volume_effect_usd"]
    assert change.select(columns).rows() == [("unpriced", None, None, None)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [([], [call()], ("new", 2.4)), ([call()], [], ("gone", -2.4)), ([], [], ("no calls", 0.0))],
)
def test_a_period_without_calls_is_said_to_have_none(engine, table, before, after, told):
    """The first month of a service has no month before."""
    change = collected(explain_change(engine(table(before)), engine(table(after))))
    assert change.select("state", "spend_usd_change").rows() == [told]
    assert change["volume_effect_usd"].to_list() == [told[1]]


def test_a_cost_without_parts_is_a_price_per_call(engine, table):
    """A gateway may state a cost and nothing it is made of."""
    bare = dict.fromkeys(("input_cost_usd", "cache_read_cost_usd", "output_cost_usd"))
    before, after = call() | bare | {"cost_usd": 1.0}, call() | bare | {"cost_usd": 1.5}
    change = collected(explain_change(engine(table([before])), engine(table([after]))))
    assert effects(change) == {"price": 0.5}


def test_a_cut_of_the_list_price_is_price(table):
    """The list price of o3 fell from 10 and 40 to 2 and 8 USD per million on 10 June 2025."""
    row = call() | {"model": "o3", "provider": "openai", "input_tokens": 1_000_000, "output_tokens": 100_000}
    row |= {"request_model": "o3", "cache_read_tokens": 0}
    sides = [row | {"started_at": datetime(2025, month, 1, tzinfo=UTC)} for month in (5, 7)]
    change = explain_change(*(price_calls(table([side])) for side in sides))
    assert effects(change) == pytest.approx({"price": -11.2})


def test_mix_is_what_its_columns_tell_apart(engine, table):
    """A shift from short to long features is longer calls to whoever does not know the feature."""
    before = [call(feature="short"), call(feature="long", tokens=(300, 10))]
    after = [call(feature="long", tokens=(300, 10))] * 2
    sides = engine(table(before)), engine(table(after))
    assert effects(collected(explain_change(*sides))) == pytest.approx({"mix": 4.0})
    assert effects(collected(explain_change(*sides, mix="model"))) == pytest.approx({"input": 4.0})


def test_prices_are_asked_for(engine, table):
    """The parts of the cost come from price_calls."""
    priced = table([call()])
    with pytest.raises(MissingColumnError, match=r"input_cost_usd.*price_calls"):
        explain_change(engine(priced.drop("input_cost_usd")), engine(priced))


def test_tables_of_two_engines_are_refused(table):
    """Which of them the answer should be of is for the caller to say."""
    with pytest.raises(EngineError, match=r"pandas.*polars.*one kind"):
        explain_change(table([call()]), table([call()]).to_pandas())


ROW = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["large", "small", None]),
        "feature": st.sampled_from(["chat", "search", None]),
        "tenant": st.sampled_from(["acme", "globex", None]),
        "input_tokens": st.integers(0, 10**6),
        "cache_share": st.floats(0, 1),
        "write_share": st.floats(0, 1),
        "output_tokens": st.integers(0, 10**5) | st.none(),
        "prices": st.lists(st.floats(0, 1e-3, allow_subnormal=False), min_size=4, max_size=4),
        "fee": st.sampled_from([0.0, 0.01]),
        "kind": st.sampled_from(["priced", "priced", "priced", "bare", "unpriced"]),
        "is_retried": st.sampled_from([False, False, True, None]),
    }
)
ROWS = st.lists(ROW, max_size=25)
BY = st.sampled_from([(), "tenant", "model", ["tenant", "feature"]])


def drawn(row):
    """A row as `price_calls` would leave it: parts that add up, bare costs, or none."""
    read = int(row["input_tokens"] * row["cache_share"])
    write = int((row["input_tokens"] - read) * row["write_share"])
    output = row["output_tokens"] or 0
    counts = (row["input_tokens"] - read - write, read, write, output)
    lines = [count * price for count, price in zip(counts, row["prices"], strict=True)]
    has_cost, has_parts = row["kind"] != "unpriced", row["kind"] == "priced"
    return {
        **{name: row[name] for name in ("model", "feature", "tenant", "is_retried")},
        **{name: row[name] for name in ("input_tokens", "output_tokens")},
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cost_usd": sum(lines) + row["fee"] if has_cost else None,
        "input_cost_usd": sum(lines[:3]) if has_parts else None,
        "cache_read_cost_usd": lines[1] if has_parts else None,
        "cache_write_cost_usd": lines[2] if has_parts else None,
        "output_cost_usd": lines[3] if has_parts else None,
    }


def known_spend(rows):
    """Sum of the costs that are known."""
    return sum(row["cost_usd"] for row in rows if row["cost_usd"] is not None)


@given(before=ROWS, after=ROWS, by=BY)
@LAWFUL
def test_effects_add_up_to_the_change_and_rows_to_the_total(table, before, after, by):
    """To the cent, and far below it, whatever is null, new, gone or free."""
    sides = [[drawn(row) for row in rows] for rows in (before, after)]
    change = explain_change(*map(table, sides), by=by)
    scale = 1e-9 * (1 + sum(map(known_spend, sides)))
    known = change.drop_nulls("spend_usd_change")
    parts = known.select(pl.sum_horizontal(f"{name}_effect_usd" for name in EFFECTS))["volume_effect_usd"]
    assert parts.to_list() == pytest.approx(known["spend_usd_change"].to_list(), abs=scale)
    assert change["spend_usd_change"].sum() == pytest.approx(
        known_spend(sides[1]) - known_spend(sides[0]), abs=scale
    )
    assert scale < 0.005


@given(rows=ROWS, by=BY)
@LAWFUL
def test_a_period_against_itself_has_no_effects(table, rows, by):
    """Zero, not almost zero: a rounding error in a report is a question to somebody."""
    side = table([drawn(row) for row in rows])
    change = explain_change(side, side, by=by)
    known = change.filter(pl.col("state") != "unpriced")
    assert all(known[f"{name}_effect_usd"].to_list() == [0.0] * known.height for name in EFFECTS)


@given(before=ROWS, after=ROWS, by=BY)
@LAWFUL
def test_exchanged_periods_have_opposite_effects(table, before, after, by):
    """A path forward and back ends where it began."""
    sides = [table([drawn(row) for row in rows]) for rows in (before, after)]
    keys = [by] if isinstance(by, str) else list(by)
    there = explain_change(*sides, by=by).sort(keys or ["state"])
    back = explain_change(*reversed(sides), by=by).sort(keys or ["state"])
    for name in EFFECTS:
        opposite = (-back[f"{name}_effect_usd"]).fill_null(0)
        assert there[f"{name}_effect_usd"].fill_null(0).to_list() == pytest.approx(
            opposite.to_list(), abs=1e-8
        )
