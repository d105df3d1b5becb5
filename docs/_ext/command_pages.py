"""A page for each command of ``difftem``: what its ``--help`` prints."""

import contextlib
import importlib
import io
import os
import re

from sphinx.application import Sphinx
from sphinx.config import Config
from written import write_page

from difftem.cli.commands import COMMANDS, GROUPS, help_text


def help_of(name: str) -> str:
    """Run ``difftem NAME --help``."""
    module, printed = COMMANDS[name].module, io.StringIO()
    arguments = [name, "--help"] if module == "difftem.cli.fit" else ["--help"]
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        importlib.import_module(module).main(arguments)
    return re.sub(r".\x08|[\x00-\x09\x0b-\x1f]", "", printed.getvalue()).rstrip()


def write_pages(app: Sphinx, config: Config) -> None:
    """Write a page a command, and the list of them."""
    os.environ["COLUMNS"] = "88"
    lines = ["# Commands", "", "As `--help` prints them; `difftem --help` lists them.", ""]
    for title, commands in GROUPS.items():
        lines += [f"## {title}", "", "| command | what it does |", "| --- | --- |"]
        for name, command in commands.items():
            lines.append(f"| [`difftem {name}`]({name}.md) | {command.what} |")
        lines.append("")
    lines += ["## Exit codes", "", "```text", help_text().split("\n\n")[-1], "```", ""]
    lines += ["```{toctree}", ":hidden:", "", *COMMANDS, "```", ""]
    write_page("reference/cli/index.md", "\n".join(lines))
    for name, command in COMMANDS.items():
        text = f"# difftem {name}\n\n{command.what[0].upper()}{command.what[1:]}.\n\n"
        write_page(f"reference/cli/{name}.md", f"{text}```text\n{help_of(name)}\n```\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the pages are looked for."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
