"""YAML that a person wrote: keys once, no text that grows without an end."""

from collections.abc import Hashable
from typing import Any

import yaml

MAX_CHARACTERS = 10_000_000
MAX_NODES = 1_000_000  # with every alias counted as what it stands for
MAX_DEPTH = 50


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Loader that stops where text is nested too deep, not only after all of it was read."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Count levels on the way down."""
        if self.depth > MAX_DEPTH:
            raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def parse_yaml(text: str) -> Any:
    """Read YAML into plain values.

    Parameters
    ----------
    text : str
        YAML of one document.

    Returns
    -------
    Any
        Mappings, lists, numbers, texts.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML.
    ValueError
        If a key is there twice, an alias holds itself, aliases stand for more than a million
        values, or a number or date cannot be.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text)} characters, at most {MAX_CHARACTERS} are read")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _expanded(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def parse_option(key: str, text: str) -> Any:
    """Read the value of an option, which is its text where that is no YAML.

    Parameters
    ----------
    key : str
        Of the option, for the message.
    text : str
        As typed.

    Returns
    -------
    Any
        Plain value.

    Raises
    ------
    ValueError
        As `parse_yaml`, naming the key.
    """
    try:
        return parse_yaml(text)
    except yaml.YAMLError:
        return text
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _expanded(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count the values that a node stands for; the sizes of those before are known."""
    known = sizes.get(id(node))
    line = node.start_mark.line + 1
    if known == 0:
        raise ValueError(f"line {line}: an alias holds itself")
    if known is not None:
        return known
    sizes[id(node)] = 0  # begun
    children = []
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        children = [each for pair in node.value for each in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    size = 1 + sum(_expanded(each, sizes) for each in children)
    if size > MAX_NODES:
        raise ValueError(f"line {line}: aliases stand for more than {MAX_NODES} values")
    sizes[id(node)] = size
    return size


def _check_keys(node: yaml.MappingNode) -> None:
    """Refuse a key that a mapping has twice: only the last would count."""
    seen: set[Hashable] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value != "<<":
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ValueError(f"line {line}: the key {key.value!r} is there twice")
            seen.add(key.value)
