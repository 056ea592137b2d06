"""Where dataframe engines differ: what they lack, and how pandas writes an unknown number."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeAlias, TypeVar

import narwhals as nw

from llmops_lib.errors import EngineError, LlmopsError, SchemaError

Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"

_Parameters = ParamSpec("_Parameters")
_Table = TypeVar("_Table")


def portable(measure: Callable[_Parameters, _Table]) -> Callable[_Parameters, _Table]:
    """The measure, which names itself and the engine where an engine lacks an expression it uses.

    Args:
        measure: Function whose first argument is a table.

    Returns:
        The same function, raising EngineError in place of what Narwhals raises.
    """

    @functools.wraps(measure)
    def checked(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Table:
        try:
            return measure(*args, **kwargs)
        except LlmopsError:
            raise
        # Narwhals says in any of these ways that an engine cannot do something; a method that it
        # has not implemented there is a RuntimeError.
        except (RuntimeError, ValueError, nw.exceptions.NarwhalsError) as error:
            engine = type(args[0]) if args else type(next(iter(kwargs.values()), None))
            msg = (
                f"{measure.__name__} cannot run on a {engine.__module__}.{engine.__qualname__}: {error} "
                "Convert the table to polars, pandas or DuckDB first."
            )
            raise EngineError(msg) from error

    return checked


def with_pandas_dtypes(frame: Frame, dtypes: Mapping[str, str]) -> Frame:
    """A pandas frame whose columns have these dtypes, NaN being null in those that can hold null.

    Args:
        frame: A frame of pandas or an engine that follows it.
        dtypes: pandas dtypes by column.

    Raises:
        SchemaError: If a column does not fit.
    """
    try:
        cast: Frame = nw.from_native(frame.to_native().astype(dict(dtypes)))
    except (TypeError, ValueError) as error:
        msg = f"a pandas column does not fit its declared dtype, expected {dict(dtypes)}: {error}"
        raise SchemaError(msg) from error
    return cast
