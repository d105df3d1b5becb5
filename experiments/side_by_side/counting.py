"""Lines, names and settings of a script."""

import ast
import io
import tokenize
from typing import NamedTuple

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.ClassDef)


class Count(NamedTuple):
    """How long a script is and what one has to know to write it."""

    lines: int  # of code: no blank lines, comments, docstrings
    names: int  # imported, called or looked up, of any package
    settings: int  # names of keyword arguments


def count(source: str) -> Count:
    """Count what is in a script."""
    return Count(len(code_lines(source)), len(names(source)), len(settings(source)))


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return lines


def names(source: str) -> set[str]:
    """Distinct names of packages, functions, classes, methods and attributes.

    Python's own functions and what the script itself names do not count, nor do keyword arguments
    (`settings`).

    Parameters
    ----------
    source : str
        Python.

    Returns
    -------
    set of str
        A module by its whole path, anything else by its last name.
    """
    tree = ast.parse(source)
    found: set[str] = set()
    paths: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            paths |= {part for alias in node.names for part in alias.name.split(".")[1:]}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    attributes = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return found | (set(attributes) - paths)


def settings(source: str) -> set[str]:
    """Distinct names of keyword arguments."""
    keywords = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword))
    return {keyword.arg for keyword in keywords if keyword.arg is not None}
