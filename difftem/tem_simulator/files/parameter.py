"""What one parameter of an input file may be: a number, a switch, a choice, a text or a file."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

_SWITCH = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One row of the table of parameters.

    Attributes
    ----------
    name : str
        As it stands in the file.
    kind : str
        What its value is; ``input`` and ``output`` are file names.
    unit : str
        Unit in the file, for messages.
    above : float or None
        What the value must exceed.
    least, most : float or None
        Limits that the value may reach.
    choices : mapping
        What may be written, and what each choice means.
    aliases : tuple of str
        Other names of the parameter.
    """

    name: str
    kind: Literal["number", "whole", "switch", "choice", "text", "input", "output"]
    unit: str = ""
    above: float | None = None
    least: float | None = None
    most: float | None = None
    choices: Mapping[str, str] | None = None
    aliases: tuple[str, ...] = ()

    def parse(self, text: str, folder: Path) -> Any:
        """Value of a text; file names are joined to `folder`.

        Raises
        ------
        ValueError
            One line: the parameter, what is allowed and the text.
        """
        if self.kind in ("input", "output"):
            if not text.strip():
                raise ValueError(f"{self.name} must be a file name, got {text!r}")
            return folder / text
        if self.kind == "text":
            return text
        if self.kind in ("switch", "choice"):
            meanings: Mapping[str, Any] = _SWITCH if self.choices is None else self.choices
            if text.lower() not in meanings:
                names = ("yes", "no") if self.choices is None else sorted(self.choices.values())
                allowed = " or ".join(dict.fromkeys(names))
                raise ValueError(f"{self.name} must be {allowed}, got {text!r}")
            return meanings[text.lower()]
        number = _number(text)
        if not (
            math.isfinite(number)
            and (self.kind == "number" or number == int(number))
            and (self.above is None or number > self.above)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
        ):
            raise ValueError(f"{self.name} must be {self.allowed()}, got {text!r}")
        return float(number) if self.kind == "number" else int(number)

    def allowed(self) -> str:
        """Say which numbers are allowed, as "a number from 0.01 to 1"."""
        words = ["a whole number" if self.kind == "whole" else "a number"]
        if self.above is not None:
            words.append(f"above {self.above:g}")
        if self.least is not None:
            words.append(f"from {self.least:g}")
        if self.most is not None:
            words.append(f"to {self.most:g}" if self.least is not None else f"up to {self.most:g}")
        return " ".join([*words, self.unit]).strip()

    def format(self, value: Any, folder: Path) -> str:
        """Text that `parse` reads back as `value` in a file in `folder`."""
        if self.kind == "switch":
            return "yes" if value else "no"
        if self.kind == "number":
            return repr(float(value)).removesuffix(".0")
        if self.kind in ("input", "output"):
            path = Path(value).resolve()
            if path.is_relative_to(folder.resolve()):
                path = path.relative_to(folder.resolve())
            value = path.as_posix()
        text = str(value)
        return f'"{text}"' if not text or any(map(str.isspace, text)) else text


def number(
    name: str,
    unit: str = "",
    default: Any = MISSING,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Field of a component that is a number."""
    row = Parameter(name, "number", unit, above, least, most, aliases=aliases)
    return _field(row, default)


def whole(
    name: str,
    unit: str = "",
    default: Any = MISSING,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Field of a component that is a whole number."""
    return _field(Parameter(name, "whole", unit, None, least, most), default)


def switch(name: str, default: Any = MISSING) -> Any:
    """Field of a component that is yes or no."""
    return _field(Parameter(name, "switch"), default)


def choice(name: str, choices: tuple[str, ...], default: Any = MISSING, **synonyms: str) -> Any:
    """Field of a component that is one of `choices`; `synonyms` are other ways to write them."""
    meanings = {choice: choice for choice in choices} | synonyms
    return _field(Parameter(name, "choice", choices=meanings), default)


def text(name: str, default: Any = MISSING) -> Any:
    """Field of a component that is a name."""
    return _field(Parameter(name, "text"), default)


def input_file(name: str) -> Any:
    """Field of a component that is the path of a file to read, or None."""
    return _field(Parameter(name, "input"), None)


def output_file(name: str, *, required: bool = False) -> Any:
    """Field of a component that is the path of a file to write, or None unless `required`."""
    return _field(Parameter(name, "output"), MISSING if required else None)


def parameters(component: Any) -> dict[str, Parameter]:
    """Rows of the table for a component or its class, by name of the field."""
    return {f.name: f.metadata["parameter"] for f in fields(component) if "parameter" in f.metadata}


def required_fields(component: Any) -> list[str]:
    """Names of the fields that have no default."""
    return [f.name for f in fields(component) if f.default is MISSING]


def _number(text: str) -> int | float:
    """Value of a text, exact where it is whole; NaN where it is no number."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return math.nan


def _field(row: Parameter, default: Any) -> Any:
    """Dataclass field that carries its row of the table."""
    made: Field[Any] = field(default=default, metadata={"parameter": row})
    return made
