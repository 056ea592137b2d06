"""promptfoo's YAML: the same evaluation as its JSON, with references where an object repeats.

A few lines of references to references stand for more objects than memory holds, so what they stand for
is counted before anything walks through it.
"""

from pathlib import Path
from typing import Any

import orjson
import yaml

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import DOCUMENT_LIMIT, open_decompressed
from llmops_lib.sources.sample import Sample

# Releases before 2025 name no evaluation, and a header of this one column is no table.
_FIRST_LINES = ("evalId:", "results:")
_VALUE_LIMIT = 20_000_000
_DEPTH_LIMIT = 200
# The loader in C is eight times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_yaml(sample: Sample) -> bool:
    """Whether the text begins like an evaluation in YAML; its first line is taken for a header.

    Args:
        sample: The beginning of the file.
    """
    return sample.kind == "csv" and len(sample.columns) == 1 and sample.columns[0].startswith(_FIRST_LINES)


def read_yaml_evaluation(path: Path) -> Any:
    """The one value of a YAML file.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If it cannot be read, is no YAML, or stands for too much.
    """
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        msg = f"{path}: is over {DOCUMENT_LIMIT >> 20} MB of YAML; export it as JSON Lines instead"
        raise SourceError(msg)
    try:
        _refuse_deep(raw)
        value = yaml.load(raw, Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
        if (count := _count(value, {})) <= _VALUE_LIMIT:
            # YAML has dates and keys that are no text; JSON, which the rows are made from, has neither.
            return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        what = type(error).__name__
        msg = f"{path}: is no readable YAML ({what}); export the evaluation as JSON instead"
        raise SourceError(msg) from error
    msg = f"{path}: its references stand for {count:,} values; export the evaluation as JSON instead"
    raise SourceError(msg)


def _refuse_deep(raw: bytes) -> None:
    # Loading descends in C without a limit, and a file of nothing but brackets would end the process.
    depth = 0
    for event in yaml.parse(raw, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_LIMIT:
            msg = f"nested deeper than {_DEPTH_LIMIT} levels"
            raise ValueError(msg)


def _count(value: Any, counts: dict[int, int]) -> int:
    if not isinstance(value, dict | list):
        return 1
    if (known := counts.get(id(value))) is not None:
        return known
    # A reference to what it stands in would be endless.
    counts[id(value)] = _VALUE_LIMIT + 1
    parts = value.values() if isinstance(value, dict) else value
    counts[id(value)] = 1 + sum(_count(part, counts) for part in parts)
    return counts[id(value)]
