"""Frames as HTML tables: every cell and header escaped, numbers written by their column's unit."""

from collections.abc import Iterable, Mapping

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import formatter
from llmops_lib.views.html import Html
from llmops_lib.views.labels import UNKNOWN_NAME, label


def data_table(
    table: pl.DataFrame, *, caption: str = "", labels: Mapping[str, str] | None = None, empty: str = "None."
) -> Html:
    """A small table as HTML.

    Args:
        table: Rows in the order they are to be read, at most a few hundred.
        caption: What the table shows, or nothing.
        labels: Column headers that differ from the usual ones.
        empty: What is said in place of a table without rows.

    Returns:
        An HTML table in a box that scrolls sideways on narrow pages.
    """
    if table.is_empty():
        return Html(Markup('<p class="note">{}{}</p>').format(f"{caption}: " if caption else "", empty))
    names = {**{column: label(column) for column in table.columns}, **(labels or {})}
    numeric = [f"num-{place}" for place, column in enumerate(table.columns, 1) if formatter(column)[1]]
    rows = zip(*(_written(table[column]) for column in table.columns), strict=True)
    body = _BODY.format(
        classes=" ".join(["dataframe", "data", *numeric]),
        header=_cells(_HEADER, (names[column] for column in table.columns)),
        rows=Markup("").join(_ROW.format(_cells(_CELL, row)) for row in rows),
    )
    head = Markup("<figcaption>{}</figcaption>").format(caption) if caption else Markup("")
    return Html(Markup('<figure class="table">{}<div class="scroll">{}</div></figure>').format(head, body))


_BODY = Markup(
    '<table class="{classes}">\n  <thead>\n    <tr style="text-align: right;">\n{header}'
    "    </tr>\n  </thead>\n  <tbody>\n{rows}  </tbody>\n</table>"
)
_ROW = Markup("    <tr>\n{}    </tr>\n")
_HEADER = Markup("      <th>{}</th>\n")
_CELL = Markup("      <td>{}</td>\n")


def _cells(template: Markup, texts: Iterable[str]) -> Markup:
    return Markup("").join(template.format(text.strip()) for text in texts)


def facts_table(facts: Mapping[str, str], *, caption: str = "") -> Html:
    """Named facts, one per row.

    Args:
        facts: Written values by name.
        caption: What the facts are about.

    Returns:
        A definition list.
    """
    rows = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*fact) for fact in facts.items()
    )
    head = Markup("<figcaption>{}</figcaption>").format(caption) if caption else Markup("")
    return Html(Markup('<figure class="facts">{}<dl>{}</dl></figure>').format(head, rows))


def _written(values: pl.Series) -> list[str]:
    write, is_number = formatter(values.name)
    unknown = None if is_number or values.name.endswith("_at") else UNKNOWN_NAME
    return [
        write(value) if value is not None else write(None) if unknown is None else unknown for value in values
    ]
