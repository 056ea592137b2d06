"""What calls already sent, held to the policy: which endpoint got which class of data."""

import ipaddress
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls.rows import known_rows
from llmops_lib.frames import collected_in_parts
from llmops_lib.safety.call_checks import check_calls
from llmops_lib.safety.filters import FilterPolicy
from llmops_lib.safety.policy import EndpointRule, Policy

_SENT = {"input": "user", "system_instructions": "system"}
_WHERE = ("endpoint", "rule", "purpose")
_PLACE = ("host", "port", "provider", "endpoint", "rule")
_KEY = ("trace_id", "span_id")
_PROVEN = FilterPolicy(personal="report", injection=False, toxicity=False, banned_categories=False)


def sent_data(spans: Any, policy: Policy) -> pl.DataFrame:
    """What model calls sent where, and whether the policy lets it go there.

    An endpoint is the address that a call names (`server.address`), else its provider. Where neither is known
    nothing can be said, and nothing is: `is_violation` is null. The purpose is that of the attribute
    `llmops.purpose`, else `production`. Data is looked for as in reports, with proof.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `is_model_call`, `provider`, `attributes`,
            `input`, `output`, `system_instructions`.
        policy: What may go where.

    Returns:
        Violations first, then by calls downwards: `endpoint`, `rule`, `purpose`, `field` (`system` or
        `user`), `kind` (a class of data; `FIELD` where the field itself may not go there, `ANY` where
        nothing may), `action` (of the policy),
        `is_violation`, `call_count`, `finding_count`, and a call to look at, `trace_id` and `span_id`.

    Raises:
        MissingColumnError: If a column is missing.
    """
    columns = [*_KEY, "is_model_call", "provider", "attributes", "input", "output", "system_instructions"]
    rows = known_rows(spans, columns).filter(nw.col("is_model_call")).to_native()
    nothing = pl.DataFrame(schema=dict.fromkeys((*_KEY, *_WHERE, "field", "kind"), pl.String))
    told = [_told(part, policy) for part in collected_in_parts(rows)]
    counted = (
        pl.concat([nothing, *told])
        .group_by(*_WHERE, "field", "kind", maintain_order=True)
        .agg(
            call_count=pl.struct(_KEY).n_unique().cast(pl.Int64),
            finding_count=pl.len().cast(pl.Int64),
            trace_id=pl.col("trace_id").first(),
            span_id=pl.col("span_id").first(),
        )
    )
    return _judged(counted, policy)


def _told(part: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """What some calls held and sent where, one row each, without texts."""
    calls = _with_endpoint(part, policy)
    found = check_calls(calls.with_columns(output=pl.lit(None, pl.String)), _PROVEN, fields=list(_SENT))
    told = (
        found.select(*_KEY, "field", "kind")
        .join(calls.select(*_KEY, *_WHERE), on=list(_KEY))
        .with_columns(pl.col("field").replace_strict(_SENT))
    )
    refused = calls.select(*_KEY, *_WHERE, field=pl.lit("user"), kind=pl.lit("ANY"))
    return pl.concat([told.select(*_KEY, *_WHERE, "field", "kind"), refused, _parts(calls)])


def _with_endpoint(calls: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    attributes = pl.col("attributes")
    named = calls.with_columns(
        host=attributes.str.json_path_match("$['server.address']"),
        port=attributes.str.json_path_match("$['server.port']"),
        purpose=attributes.str.json_path_match("$['llmops.purpose']").fill_null("production"),
    )
    places = named.select("host", "port", "provider").unique()
    known = [
        (host, port, provider, *_place(host, port, provider, policy))
        for host, port, provider in places.iter_rows()  # as many as there are endpoints
    ]
    table = pl.DataFrame(known, schema=dict.fromkeys(_PLACE, pl.String), orient="row")
    return named.join(table, on=["host", "port", "provider"], nulls_equal=True, maintain_order="left")


def _place(
    host: str | None, port: str | None, provider: str | None, policy: Policy
) -> tuple[str | None, str | None]:
    rule: EndpointRule | None = None
    if host:
        number = int(port) if port and port.isdigit() else 443
        rule = policy.rule_of_host(host, number, is_loopback=_is_loopback(host))
    if rule is None and provider:
        rule = policy.rule_of_provider(provider)
    return host or provider, rule.name if rule else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(calls: pl.DataFrame) -> pl.DataFrame:
    """Fields that were sent, as findings of the kind FIELD."""
    return pl.concat(
        calls.filter(pl.col(column).is_not_null()).select(
            *_KEY, *_WHERE, field=pl.lit(name), kind=pl.lit("FIELD")
        )
        for column, name in _SENT.items()
    )


def _judged(counted: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    rules = {rule.name: rule for rule in policy.endpoints}
    rows = []
    # One row per endpoint, purpose, field and class: a few dozen.
    for row in counted.iter_rows(named=True):
        rule = rules.get(row["rule"] or "")
        action, is_violation = _verdict(row, rule, policy)
        is_data = row["kind"] not in ("ANY", "FIELD")
        if is_data or is_violation or (row["kind"] == "ANY" and is_violation is None):
            rows.append({**row, "action": action, "is_violation": is_violation})
    schema: dict[str, Any] = {**counted.schema, "action": pl.String, "is_violation": pl.Boolean}
    order = [*_WHERE, "field", "kind", "action", "is_violation", "call_count", "finding_count", *_KEY]
    return (
        pl.DataFrame(rows, schema=schema)
        .select(order)
        .sort(
            "is_violation", "call_count", *_WHERE, "field", "kind",
            descending=[True, True, *[False] * 5], nulls_last=True,
        )
    )  # fmt: skip


def _verdict(
    row: dict[str, Any], rule: EndpointRule | None, policy: Policy
) -> tuple[str | None, bool | None]:
    if row["endpoint"] is None:
        return None, None
    if policy.refusal(rule, row["purpose"]) is not None or rule is None:
        # Said once for the whole call, then for what it held.
        return "block", row["kind"] != "FIELD"
    permission = policy.permission(rule, row["purpose"])
    if permission is None or row["kind"] == "ANY":
        return "allow", False
    if row["kind"] == "FIELD":
        is_allowed = row["field"] in permission.fields
        return ("allow" if is_allowed else "block"), not is_allowed
    action = permission.action(row["kind"])
    return action, action != "allow"
