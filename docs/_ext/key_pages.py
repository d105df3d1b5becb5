"""A page of keys for each configuration: type, default and meaning, from its dataclasses."""

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

from docstring_parser import parse
from sphinx.application import Sphinx
from sphinx.config import Config
from written import write_page

from difftem.cli.help_text import _as_yaml, _without_none
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.scene_config import ParticleConfig
from difftem.simulation.settings import in_words
from difftem.simulation.simulate_config import SimulateConfig
from difftem.workflows.generate.config import GenerateConfig

SIMULATE = """For `difftem simulate run.yaml` and `difftem.simulate(config="run.yaml")`. On the
command line a key follows two hyphens (`--microscope.defocus_um 2`); in Python its last word is
enough where no other key has it (`defocus_um=2.0`). `difftem simulate
--print_config` writes all."""
GENERATE = """For `difftem generate scene.yaml` and `difftem.generate(folder, config="scene.yaml")`.
A key that `simulate` has, too, means the same."""
NANOPARTICLES = """What stands below `nanoparticles:` in a file of `difftem generate`: Pt on CeO₂ at
atomic resolution ([guide](../../guides/nanoparticles.md))."""
PAGES = {
    "simulate": ("Keys of simulate", SIMULATE, {"": SimulateConfig}),
    "generate": (
        "Keys of generate",
        GENERATE,
        {"": GenerateConfig, "particles: an item of the list": ParticleConfig},
    ),
    "nanoparticles": (
        "Keys of nanoparticles",
        NANOPARTICLES,
        {"nanoparticles": NanoparticleSetConfig},
    ),
}
HEAD = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]


def meanings(kind: type[Any]) -> dict[str, str]:
    """Read what the docstrings of a dataclass and of those it extends say of each field."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each is not object and each.__doc__:
            for parameter in parse(each.__doc__).params:
                for name in parameter.arg_name.split(", "):
                    found[name] = " ".join((parameter.description or "").split())
    return found


def default_of(field: dataclasses.Field[Any]) -> str:
    """Write a default as YAML has it."""
    if field.default is dataclasses.MISSING:
        return "" if field.default_factory is dataclasses.MISSING else "below"
    return "" if field.default is None else f"`{_as_yaml(field.default)}`"


def tables(kind: type[Any], key: str, level: int) -> Iterator[str]:
    """Write a section of keys and those below it."""
    said, hints = meanings(kind), typing.get_type_hints(kind)
    rows, below = [], []
    for field in dataclasses.fields(kind):
        hint = _without_none(hints[field.name])
        if dataclasses.is_dataclass(hint):
            below.append((hint, field.name))
            continue
        what = said.get(field.name, "").replace("|", r"\|").replace("*", r"\*").replace("<", r"\<")
        default = "" if "Default:" in what else default_of(field)
        rows.append(f"| `{field.name}` | {in_words(hint)} | {default} | {what} |")
    if rows:
        yield f"{'#' * level} {f'`{key}`' if key else 'Of the whole run'}\n"
        yield f"{kind.__doc__.split(chr(10))[0]}\n"
        yield "\n".join(
            ["| key | takes | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
        )
    for hint, name in below:
        yield from tables(hint, f"{key}.{name}" if key and ":" not in key else name, level)


def write_pages(app: Sphinx, config: Config) -> None:
    """Write a page a configuration."""
    text = "# Keys of configurations\n\nA key means the same wherever it is.\n\n"
    names = "\n".join(PAGES)
    write_page("reference/keys/index.md", f"{text}```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n")
    for name, (title, words, kinds) in PAGES.items():
        body = "\n".join(line for key, kind in kinds.items() for line in tables(kind, key, 2))
        write_page(f"reference/keys/{name}.md", f"# {title}\n\n{words}\n\n{body}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the pages are looked for."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
