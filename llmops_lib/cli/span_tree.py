"""The spans of a trace as a tree in the terminal."""

from typing import Any

import polars as pl
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from llmops_lib.cli.screen import plain
from llmops_lib.views.formats import counted, usd
from llmops_lib.views.span_tree import span_failure, span_figures

_DEEPEST = 8
"""Spans below this depth are written under each other with their depth: a terminal is not wide enough."""

_MOST_SPANS = 2_000
_LINKS = {"orphan": "parent missing", "cycle": "its own ancestor"}


def print_tree(tree: pl.DataFrame) -> None:
    """Writes a trace to standard output.

    Args:
        tree: What `span_tree` returns, masked by `with_excerpts`.
    """
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.print(_tree(tree))
    if tree.height > _MOST_SPANS:
        rest = tree.slice(_MOST_SPANS)
        failed = int(rest["is_error"].sum()) if "is_error" in rest.columns else 0
        told = f", {failed:,} of them failed: --failed shows those" if failed else ""
        console.print(f"... and {rest.height:,} more spans{told}")


def _tree(tree: pl.DataFrame) -> Tree:
    root = Tree(_heading(tree), guide_style="dim")
    branches: list[Tree] = [root]
    for span in tree.head(_MOST_SPANS).iter_rows(named=True):
        depth = min(span["depth"], _DEEPEST)
        del branches[depth + 1 :]
        branches.append(branches[depth].add(_line(span)))
    return root


def _heading(tree: pl.DataFrame) -> Text:
    cost = tree["cost_usd"] if "cost_usd" in tree.columns else pl.Series([None], dtype=pl.Float64)
    spent = usd(float(cost.sum())) if cost.is_not_null().any() else "cost unknown"
    failed = int(tree["is_error"].sum())
    figures = [counted(tree.height, "span"), spent, *([f"{failed:,} failed"] if failed else [])]
    return Text.assemble(("trace ", "dim"), plain(tree["trace_id"][0]), ("  " + ", ".join(figures), "dim"))


def _line(span: dict[str, Any]) -> Text:
    line = Text(overflow="fold")
    if span["depth"] > _DEEPEST:
        line.append(f"depth {span['depth']} ", "dim")
    line.append(_said(span.get("name") or span.get("operation") or "(no name)"), "bold")
    for figure in span_figures(span):
        line.append(f"  {_said(figure)}", "cyan")
    if span.get("is_error"):
        line.append(f"  {_said(span_failure(span))}", "red")
    if span["link"] in _LINKS:
        line.append(f"  ({_LINKS[span['link']]})", "yellow")
    for name in ("error_excerpt", "input_excerpt", "output_excerpt"):
        if span.get(name):
            line.append(f"\n{name.removesuffix('_excerpt')}: {_said(span[name])}", "dim")
    return line


def _said(text: str) -> str:
    return plain(" ".join(text.split()))
