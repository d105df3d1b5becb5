"""How `--help` explains an option: what it is, what it takes, its default."""

import types
import typing
from argparse import Action
from typing import Any, Literal

from jsonargparse import DefaultHelpFormatter

from difftem.simulation.settings import in_words

_LONGEST_DEFAULT = 60  # characters
_SECTION = "Path to a configuration file."  # jsonargparse's words for a YAML file of a section
_PRINT = (
    "Print the complete configuration as YAML, other options applied, and exit; =skip_default "
    "leaves out what is at its default."
)


class ParagraphFormatter(DefaultHelpFormatter):
    """Keep a description's paragraphs apart, and indented ones as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        parts = text.split("\n\n")
        return "\n\n".join(p if p.startswith(" ") else fill(p, width, indent) for p in parts)


class FieldFormatter(ParagraphFormatter):
    """Say in words what values a field takes, and its default unless its text does."""

    def _format_action_invocation(self, action: Action) -> str:
        text: str = super()._format_action_invocation(action)
        return text.replace(",null}", "}")  # of a switch whose default is chosen

    def _get_help_string(self, action: Action) -> str:
        """Text of an option, before argparse fills in what is marked by %."""
        name = next(iter(action.option_strings), "")
        if name == "--print_config":
            return _PRINT
        if name.endswith(".help"):
            return f"List the fields of an item of {name.removeprefix('--').removesuffix('.help')}."
        text = action.help or ""
        if name == "--overwrite":  # a switch has no default to name
            return text
        if text == _SECTION:
            return "YAML file with the fields of this section, listed below."
        hint = getattr(action, "_typehint", None)
        if hint is None:
            plain: str = super()._get_help_string(action)
            return plain
        facts = [] if typing.get_origin(hint) is Literal else [in_words(_without_none(hint))]
        default = _as_yaml(action.default)
        said = "Default:" in text or action.default is None
        if not said and len(default) <= _LONGEST_DEFAULT:
            facts.append(f"default: {default}")
        return f"{text} ({'; '.join(facts)})".replace("%", "%%") if facts else text


def _without_none(hint: Any) -> Any:
    """Type of a field that may be left out, without that."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    kept = [each for each in typing.get_args(hint) if each is not type(None)]
    return kept[0] if len(kept) == 1 else typing.Union[tuple(kept)]  # noqa: UP007  # of a tuple, which | cannot join


def _as_yaml(value: Any) -> str:
    """Write a default as a configuration has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_as_yaml, value))}]"
    return str(value)
