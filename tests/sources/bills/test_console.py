"""The tables that the consoles of OpenAI and Anthropic download."""

import pytest

from llmops_lib import load_bill
from llmops_lib.errors import SourceError, UnknownFormatError

TIMES = "start_time,end_time,start_time_iso,end_time_iso"
MONDAY = "1762732800,1762819200,2025-11-10T00:00:00+00:00,2025-11-11T00:00:00+00:00"
TUESDAY = "1762819200,1762905600,2025-11-11T00:00:00+00:00,2025-11-12T00:00:00+00:00"
TOKENS = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count"
)
COSTS = "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,cost_type"


@pytest.fixture
def table(tmp_path):
    """Writes a table and gives its path."""

    def write(*lines, name="table.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
        return path

    return write


def test_usage_of_openai_is_that_of_its_api(table):
    """Who has no key of an administrator has the table; counts in it have fractions, flags are words."""
    header = f"{TIMES},num_model_requests,model,batch,input_tokens,output_tokens,input_cached_tokens"
    day = f"{MONDAY},3.0,gpt-4o-2024-08-06,True,500.0,70.0,120.0"
    bill = load_bill(table(header, day, f"{TUESDAY},,,,,,"))
    found = bill.filter(billed_on=bill["billed_on"][0])
    assert dict(found.select("line", "quantity").iter_rows()) == {
        "uncached_input": 380.0,
        "cache_read": 120.0,
        "output": 70.0,
        "requests": 3.0,
    }
    assert found.select("model", "is_batch", "product").unique().row(0) == (
        "gpt-4o-2024-08-06",
        True,
        "completions",
    )
    assert bill.filter(line="empty").select("product", "quantity").row(0) == ("completions", 0.0)


def test_costs_of_openai_are_those_of_its_api(table):
    """The line item holds the model here too, and a day that cost nothing is covered."""
    header = f"{TIMES},amount_value,amount_currency,line_item,project_id"
    line = f'{MONDAY},0.25,usd,"gpt-4o-2024-08-06, cached input",proj_1'
    bill = load_bill(table(header, line, f"{TUESDAY},,,,"))
    assert bill.select("line", "model", "project_id", "cost_usd").rows() == [
        ("cache_read", "gpt-4o-2024-08-06", "proj_1", 0.25),
        ("empty", None, None, None),
    ]


def test_usage_of_anthropic_keeps_the_four_counts_apart(table):
    """Each has a price of its own."""
    bill = load_bill(
        table(TOKENS, "2025-11-10,claude-sonnet-4-20250514,key,Default,batch,≤ 200k,5,6,7,8,9,2")
    )
    assert bill.select("line", "quantity").rows() == [
        ("uncached_input", 5.0),
        ("cache_read", 8.0),
        ("cache_write", 6.0),
        ("cache_write_1h", 7.0),
        ("output", 9.0),
        ("other", 2.0),
    ]
    assert bill.select("model", "is_batch").unique().row(0) == ("claude-sonnet-4-20250514", True)


def test_costs_of_anthropic_are_dollars_of_no_model_id(table):
    """The API writes cents and ids; the table writes dollars, and a name that no trace has."""
    bill = load_bill(
        table(
            COSTS,
            "2025-11-10,Claude Opus 4.6,Default,key,message,≤ 200k,input_cache_write_5m,1.50,token",
            "2025-11-10,,Default,key,message,,,0.25,web_search",
        )
    )
    assert bill.select("line", "model", "line_item", "cost_usd").rows() == [
        ("total", None, "Claude Opus 4.6, input_cache_write_5m", 1.5),
        ("other", None, "web_search", 0.25),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "10 November,Claude Opus 4.6,Default,key,message,,output,1.50,token",
        "2025-11-10,Claude Opus 4.6,Default,key,message,,output,much,token",
        "2025-11-10,Claude Opus 4.6,Default,key,message,,output,,token",
        "2025-11-10,Claude Opus 4.6",
    ],
)
def test_a_table_is_taken_whole_or_not_at_all(table, line):
    """What is left out would pass for never billed."""
    good = "2025-11-10,Claude Opus 4.6,Default,key,message,,output,1.50,token"
    with pytest.raises(SourceError, match=r"row 2: .* download it again"):
        load_bill(table(COSTS, good, line))


def test_another_table_is_no_bill(table):
    """A folder of exports holds tables of requests too; the error says which tables are bills."""
    with pytest.raises(UnknownFormatError, match="usage_date_utc"):
        load_bill(table("at,asked", "2025-11-10,5"))
    bill = table(COSTS, "2025-11-10,Claude Opus 4.6,Default,key,message,,output,1.50,token", name="bill.csv")
    assert load_bill(bill.parent)["cost_usd"].to_list() == [1.5]
