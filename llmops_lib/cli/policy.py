"""`llmops policy`: what may be sent where, and what already was."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_unread
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, Source
from llmops_lib.cli.screen import say, say_json, write_new
from llmops_lib.cli.tables import say_rows

app = group("Show and check what may be sent where, kept as reviewed data.")

File = Annotated[
    Path | None, typer.Option("--policy", help="Policy file; else policy.yaml here, else the packaged one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]

_SHOWN = ("is_violation", "endpoint", "purpose", "field", "kind", "action", "call_count", "finding_count")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")] = Path("policy.yaml"),
) -> None:
    """Write the packaged policy to a file, to start one's own from.

    Exit codes: 0 written, 2 no file could be written.

    Example: llmops policy init policy.yaml
    """
    from llmops_lib.safety.policy import PACKAGED  # noqa: PLC0415 - keeps `llmops --help` fast

    write_new(path, PACKAGED.read_text(encoding="utf-8"))
    say(f"{path}: change it, have it reviewed, and every client of an endpoint in this folder keeps to it")


@app.command()
def show(file: File = None, as_json: AsJson = False) -> None:
    """Show which policy is in force and what it lets go where.

    Exit codes: 0 shown, 2 no policy, or one that cannot be read.

    Example: llmops policy show
    """
    from llmops_lib import load_policy  # noqa: PLC0415 - as above
    from llmops_lib.safety.policy import PACKAGED, policy_file  # noqa: PLC0415 - as above

    found, path = load_policy(file), policy_file(file)
    name = "the packaged policy" if path == PACKAGED else str(path)
    rows = [
        {
            "rule": rule.name,
            "region": rule.region,
            "retention_days": rule.retention_days,
            "purpose": purpose,
            **{action: _classes(permission, action) for action in ("allow", "redact", "block")},
            "fields": " ".join(permission.fields),
        }
        for rule in found.endpoints
        for purpose, permission in rule.purposes.items()
    ]
    limits = {"regions": found.regions, "longest_retention_days": found.longest_retention_days}
    if as_json:
        say_json({"policy": name, "personal": found.filters.personal, **limits, "rules": rows})
        return
    say(
        f"{name}: personal data is looked for in mode {found.filters.personal}; what no rule names is refused"
    )
    for limit, value in limits.items():
        say(f"{limit}: {value if value is not None else 'not limited'}")
    say_rows(rows, ["rule", "region", "retention_days", "purpose", "allow", "redact", "block"])


@app.command()
def check(
    source: Source,
    file: File = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    as_json: AsJson = False,
) -> None:
    """List what calls sent where, by class of data, and fail where the policy does not let it go there.

    Exit codes: 0 nothing went where it should not have, 1 something did, 2 bad usage or input.

    Example: llmops policy check traces --policy policy.yaml
    """
    from llmops_lib import load_policy, open_source, sent_data  # noqa: PLC0415 - as above

    opened = open_source(source, timezone=naive_timezone or None, columns=columns)
    say_unread(opened)
    found = sent_data(opened.spans, load_policy(file))
    violated = int(found["is_violation"].sum() or 0)
    if as_json:
        say_json({"violations": violated, "rows": found.to_dicts()})
    else:
        say_rows(found.to_dicts(), _SHOWN)
        say(f"{violated} of {found.height} rows are against the policy; a blank one names no endpoint")
        for row in found.filter("is_violation").head(5).iter_rows(named=True):
            say(f"  {row['kind']} to {row['endpoint']}: trace {row['trace_id']} span {row['span_id']}")
    if violated:
        raise typer.Exit(1)


def _classes(permission: Any, action: str) -> str:
    from llmops_lib.secrets.findings import PERSONAL_KINDS  # noqa: PLC0415 - as above

    kinds = (*PERSONAL_KINDS, "SECRET", "MEDIA")
    return " ".join(kind for kind in kinds if permission.action(kind) == action)
