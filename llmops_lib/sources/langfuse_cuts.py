"""The fastest way through Langfuse JSON Lines: observations of one structure, none of which is parsed.

What needs a closer look, an unusual field or a structure that few observations have, is left to
`langfuse_groups`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from llmops_lib.sources.json_cells import PLAIN, rewritten
from llmops_lib.sources.json_rendering import Cells, NestedError
from llmops_lib.sources.json_skeletons import token_of
from llmops_lib.sources.json_tokens import Tokens, masked, tokens_of
from llmops_lib.sources.langfuse_fields import OBJECTS, unwrapped
from llmops_lib.sources.langfuse_forms import WORDS, Form, form_of
from llmops_lib.sources.langfuse_groups import CONTENTS, KEPT, TIMES, Group
from llmops_lib.sources.langfuse_plans import Plan, plan_of
from llmops_lib.sources.langfuse_usage import COST_FIELDS, COUNT_FIELDS
from llmops_lib.sources.line_blocks import Block, LinesOf
from llmops_lib.sources.message_columns import Contents

_USAGE = dict.fromkeys((*COUNT_FIELDS, *COST_FIELDS, "status_message"))
_PLAIN_FIELDS = ("id", "trace_id", "parent_observation_id", "name", "environment", *TIMES)
_TAGS = ("tags", "trace_tags")
_ROLE = "^[a-z]+$"
_KNOWN = 10_000


class PlainLines:
    """Takes ordinary observations out of blocks of lines.

    Args:
        fewest: Observations of one form below which they are left.
    """

    def __init__(self, *, fewest: int) -> None:
        self._fewest = fewest
        self._forms: dict[str | None, Form | None] = {}

    def groups(self, block: Block) -> Iterator[Group]:
        """Observations that became cells, by their form; all other lines of the block are left."""
        if len(self._forms) > _KNOWN:
            self._forms.clear()
        tokens = tokens_of(masked(block.texts(), WORDS, has_controls=block.has_controls))
        found = tokens.structures.to_frame("structure").with_row_index("row")
        found = found.group_by("structure", maintain_order=True).agg("row")
        for structure, rows in zip(found["structure"], found["row"], strict=True):
            if rows.len() < self._fewest:
                continue
            if structure not in self._forms:
                self._forms[structure] = form_of(structure)
            form = self._forms[structure]
            if form is not None:
                yield from self._of_form(form, _columns(form, tokens, rows), rows, block)

    def _of_form(self, form: Form, columns: pl.DataFrame, rows: pl.Series, block: Block) -> Iterator[Group]:
        differ = [pl.col(str(one)) != pl.col(str(other)) for one, other in form.pairs]
        decided = [str(token) for token in form.deciding]
        numbered = columns.with_row_index("row").filter(pl.all_horizontal(pl.lit(value=True), *differ))
        parts = numbered.partition_by(decided) if decided else [numbered]
        for part in parts:
            if part.height < max(self._fewest, 1):
                continue
            group = _group(form, Cells(part, has_escapes=block.has_escapes))
            if group is not None:
                places = rows.gather(part["row"]).to_numpy()
                group.numbers = (block.number + places).tolist()
                group.offsets = block.offsets(places).tolist()
                group.raws = LinesOf(block, places)
                yield group


def _columns(form: Form, tokens: Tokens, rows: pl.Series) -> pl.DataFrame:
    places = [*range(1, 2 * len(form.between) - 2, 2)]
    places += [2 * place for place, token in enumerate(form.between) if "0" in token]
    numbers = rows.to_numpy()
    return pl.DataFrame([tokens.at(numbers, place).alias(str(place)) for place in places])


def _group(form: Form, cells: Cells) -> Group | None:
    """Observations of one plan as cells, or None where there is anything in them to look at closely."""
    names = tuple(map(cells.name, form.skeleton))
    skeleton = dict(zip(names, form.skeleton.values(), strict=True))
    metadata = {} if skeleton.get("metadata") is None else skeleton["metadata"]
    inside = tuple(map(cells.name, metadata)) if isinstance(metadata, dict) else None
    decide = [skeleton.get("type"), skeleton.get("level")]
    is_plain = inside is not None and not any(isinstance(leaf, dict | list) for leaf in decide)
    if not is_plain or len(set(names)) < len(names) or len(set(inside or ())) < len(inside or ()):
        return None
    kind, level = (cells.values(leaf)[0] for leaf in decide)
    plan = plan_of(names, kind, level, inside)
    if plan is None:
        return None
    group = Group(plan)
    found = dict(zip(plan.names, skeleton.values(), strict=True))
    properties = dict(zip(plan.properties, metadata.values(), strict=True))
    try:
        _fill(group, found, properties, cells)
    except NestedError:
        return None
    return group


def _fill(group: Group, found: Mapping[str, Any], properties: Mapping[str, Any], cells: Cells) -> None:
    if found.get("tool_calls") or any(isinstance(found.get(name), str) for name in OBJECTS):
        raise NestedError
    for name in KEPT:
        if name in found:
            group.cells[name] = _kept(name, found[name], cells)
    for name in CONTENTS:
        if name in found:
            group.cells[name] = _content(found[name], cells)
    for name, column in group.plan.properties.items():
        if column is not None:
            group.cells[f"metadata.{column}"] = cells.values(properties[name])
        elif name == "ls_provider":
            group.cells["metadata.provider"] = cells.values(properties[name])
    usage = {name: _usage(found[name], cells) for name in _USAGE if name in found}
    notes = group.usage_notes(usage, cells.height)
    group.cells["attributes"] = _attributes(group.plan, found, properties, notes, cells)


def _kept(name: str, leaf: Any, cells: Cells) -> Any:
    if name in _TAGS:
        return _tags(leaf, cells)
    if name not in _PLAIN_FIELDS or not isinstance(leaf, str):
        return cells.values(leaf)
    # Written anew, because a token keeps the texts of its whole block in memory.
    return cells.texts(leaf).to_frame("text").select(pl.concat_str("text", pl.lit(""))).to_series()


def _tags(leaf: Any, cells: Cells) -> list[Any]:
    if not isinstance(leaf, list):
        return cells.values(leaf)
    if not leaf or not all(isinstance(tag, str) for tag in leaf):
        raise NestedError
    return list(map(list, zip(*map(cells.values, leaf), strict=True)))


def _usage(leaf: Any, cells: Cells) -> Sequence[Any]:
    return cells.objects(leaf) if isinstance(leaf, dict) else cells.values(leaf)


def _content(leaf: Any, cells: Cells) -> pl.Series | Contents:
    """Content as orjson writes it, out of its layers of JSON text, or as its column holds it."""
    if isinstance(leaf, str):
        texts = cells.texts(leaf)
        is_open = ~texts.str.contains(PLAIN)
        written = cells.rendered(leaf)
        if not is_open.any():
            return Contents(written)
        return rewritten(written, texts, is_open, lambda text: orjson.dumps(unwrapped(text)).decode())
    messages = leaf if isinstance(leaf, list) else [leaf]
    if messages and all(map(_is_plain_message, messages)):
        roles = [str(token_of(message["role"])) for message in messages]
        if cells.columns.select(pl.all_horizontal(pl.col(roles).str.contains(_ROLE)).all()).item():
            return Contents(cells.rendered([_converted(message) for message in messages]))
    return cells.rendered(leaf)


def _is_plain_message(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and tuple(message) == ("role", "content")
        and all(isinstance(held, str) for held in message.values())
    )


def _converted(message: Mapping[str, str]) -> dict[str, Any]:
    return {"role": message["role"], "parts": [{"type": b'"text"', "content": message["content"]}]}


def _attributes(
    plan: Plan,
    found: Mapping[str, Any],
    properties: Mapping[str, Any],
    notes: Mapping[str, Sequence[Any]],
    cells: Cells,
) -> pl.Series:
    free = [name for name, column in plan.properties.items() if column is None]
    parts = [_attribute(f"metadata.{name}", properties[name], cells, is_kept_empty=True) for name in free]
    for name, attribute in plan.attributes.items():
        leaf = found[name]
        if name in OBJECTS and isinstance(leaf, list) and any(isinstance(item, dict) for item in leaf):
            raise NestedError
        parts.append(_attribute(attribute, leaf, cells, is_kept_empty=False))
    given = [*(part for part in parts if part is not None), *map(_note, notes, notes.values())]
    joined = pl.concat_str(*given, separator=",", ignore_nulls=True) if given else pl.lit("")
    texts = cells.columns.select(pl.first(), text=pl.concat_str(pl.lit("{"), joined, pl.lit("}")))
    return texts["text"]


def _attribute(name: str, leaf: Any, cells: Cells, *, is_kept_empty: bool) -> pl.Expr | None:
    if leaf is None or (isinstance(leaf, dict | list) and not leaf and not is_kept_empty):
        return None
    text = pl.concat_str(pl.lit(f"{orjson.dumps(name).decode()}:"), cells.written(leaf))
    return pl.when(pl.col(str(token_of(leaf))) != "").then(text) if isinstance(leaf, str) else text


def _note(name: str, values: Sequence[Any]) -> pl.Expr:
    if set(map(type, values)) == {int}:
        written = pl.Series(values, dtype=pl.Int64).cast(pl.String)
    else:
        texts = [None if value in (None, "") else orjson.dumps(value) for value in values]
        written = pl.Series(texts, dtype=pl.Binary).cast(pl.String)
    return pl.concat_str(pl.lit(f"{orjson.dumps(name).decode()}:"), pl.lit(written))
