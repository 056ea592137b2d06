"""Options that several commands have, so that each means and says the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[str, typer.Argument(help="A trace export (file, folder or pattern) or a span store.")]
NaiveTimezone = Annotated[str, typer.Option(help="Zone of times in the export that name none.")]
Columns = Annotated[str, typer.Option(help="Column mapping (YAML) for a plain table.")]
Prices = Annotated[str, typer.Option(help="Your own price file (YAML or CSV).")]
PriceFile = Annotated[Path | None, typer.Option(help="Your own price file (YAML or CSV).")]
ColumnsFile = Annotated[Path | None, typer.Option(help="Column mapping (YAML) for a plain table.")]
Month = Annotated[
    str, typer.Option(help="Month such as 2026-11; without it, the last whole month with calls.")
]
MonthZone = Annotated[str, typer.Option(help="Zone whose midnights bound the month.")]
RawSecrets = Annotated[
    bool,
    typer.Option(
        "--raw", help="Write keys and passwords as they came; the audit log records that they were kept."
    ),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw", help="Show personal data (keys stay hidden); the audit log records that it was shown."
    ),
]
