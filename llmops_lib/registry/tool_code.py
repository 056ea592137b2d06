"""Finds the pydantic models in a file of tools. This is the one place where code of tools runs."""

import importlib.util
import inspect
from pathlib import Path

from pydantic import BaseModel

from llmops_lib.errors import ToolError


def tool_models(file: str | Path) -> list[type[BaseModel]]:
    """The pydantic models that a Python file defines at its top, in the order of the file.

    The file is run: give it code of your own that you have reviewed. Loading a prompt or its tools never
    comes here.

    Args:
        file: Python file.

    Raises:
        ToolError: If it is no Python file, does not run, or defines no model.
    """
    path = Path(file)
    spec = importlib.util.spec_from_file_location(f"llmops_tools_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        msg = f"{path}: expected a Python file with one pydantic model per tool"
        raise ToolError(msg)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        msg = f"{path}: does not run: {type(error).__name__}: {error}"
        raise ToolError(msg) from error
    models = [
        found
        for name, found in vars(module).items()
        if inspect.isclass(found)
        and issubclass(found, BaseModel)
        and found.__module__ == module.__name__
        and not name.startswith("_")
    ]
    if not models:
        msg = f"{path}: defines no pydantic model; expected one per tool, its fields the arguments"
        raise ToolError(msg)
    return models
