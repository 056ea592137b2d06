"""Whether a plain value fits a type annotation written as text."""

import ast
from typing import Any

# PEP 484: an int is acceptable where a float is asked for; a flag is not a number.
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


def fits(value: Any, annotation: str) -> bool:
    """Whether a value has the type that an annotation names; an unknown or empty annotation fits all.

    Args:
        value: Text, number, flag, None, or a list or dict of these.
        annotation: Such as `str`, `float`, `int | None`, `list[str]`, `dict[str, str]`.

    Example:
        >>> fits(3, "float"), fits(True, "int"), fits(["a", 2], "list[str]"), fits(None, "str | None")
        (True, False, False, True)
    """
    return not annotation or _fits(value, ast.parse(annotation, mode="eval").body)


def _fits(value: Any, node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _fits(value, left) or _fits(value, right)
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id=name):
            return type(value) in _TYPES.get(name, (type(value),))
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return type(value) is list and all(_fits(each, item) for each in value)
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, item])):
            return type(value) is dict and all(_fits(each, item) for each in value.values())
    return True
