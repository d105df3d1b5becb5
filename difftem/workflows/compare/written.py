"""A report as Markdown with pictures beside it, or as one HTML page with pictures inside."""

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from difftem.simulation.preview import save_figure
from difftem.workflows.compare.report import Part

_DPI = 160  # of pictures in the page, for fine screens
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --line: #d5d9de; --soft: #5b6470;
  --link: #0a58a8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --paper: #16181b; --line: #3a4047; --soft: #a3abb5; --link: #7db8f5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1, p, li { overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); }
p, li { max-width: 46rem; }
a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th { vertical-align: bottom; white-space: normal; min-width: 5.5rem; }
th:first-child, td:first-child { text-align: left; }
.pictures { display: grid; gap: 1rem; }
.square { grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); }
.slices { grid-template-columns: repeat(auto-fill, minmax(min(100%, 32rem), 1fr)); }
.one { grid-template-columns: minmax(0, 46rem); }
img { display: block; width: 100%; height: auto; background: #fff; border-radius: 4px; }
.small { color: var(--soft); font-size: .9rem; }
"""


def as_markdown(title: str, parts: Sequence[Part], prefix: str) -> str:
    """Write Markdown that names its pictures.

    Parameters
    ----------
    title : str
        Heading.
    parts : sequence of Part
        Below it.
    prefix : str
        Of the names of the pictures.

    Returns
    -------
    str
        Markdown.
    """
    from tabulate import tabulate

    lines = [f"# {title}", ""]
    for part in parts:
        lines += [f"## {part.title}", ""]
        for sentence in part.sentences:
            lines += [sentence, ""]
        if part.items:
            lines += [*(f"- {item}" for item in part.items), ""]
        if part.rows:
            align = ["left", *["right"] * (len(part.headers) - 1)]
            table = [part.headers, *part.rows]
            head, *cells = [[cell.replace("|", "\\|") for cell in row] for row in table]
            lines += [
                tabulate(cells, head, tablefmt="pipe", colalign=align, disable_numparse=True),
                "",
            ]
        for picture in part.pictures:
            lines += [f"![{picture.words}]({prefix}{picture.name}.png)", ""]
    return "\n".join(lines)


def as_html(title: str, parts: Sequence[Part], tables: Mapping[str, str]) -> str:
    """Write one page that needs no other file.

    Parameters
    ----------
    title : str
        Heading.
    parts : sequence of Part
        Below it.
    tables : mapping of str to str
        CSV files that can be saved from the page, by name.

    Returns
    -------
    str
        HTML.
    """
    body = [f"<h1>{escape(title)}</h1>"]
    for part in parts:
        body.append(f"<h2>{escape(part.title)}</h2>")
        body += [f"<p>{escape(sentence)}</p>" for sentence in part.sentences]
        if part.items:
            items = "".join(f"<li>{escape(item)}</li>" for item in part.items)
            body.append(f"<ul>{items}</ul>")
        if part.rows:
            head = "".join(f'<th scope="col">{escape(name)}</th>' for name in part.headers)
            rows = "".join(
                f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
                for row in part.rows
            )
            body.append(
                f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
                f"<tbody>{rows}</tbody></table></div>"
            )
        if part.pictures:
            body.append(f'<div class="pictures {part.layout}">')
            for picture in part.pictures:
                buffer = io.BytesIO()
                save_figure(picture.figure, buffer, _DPI)
                data = base64.b64encode(buffer.getvalue()).decode()
                words = escape(picture.words, quote=True)
                body.append(f'<img alt="{words}" src="data:image/png;base64,{data}">')
            body.append("</div>")
    links = " ".join(
        f'<a download="{escape(name, quote=True)}" '
        f'href="data:text/csv;base64,{base64.b64encode(text.encode()).decode()}">{escape(name)}</a>'
        for name, text in tables.items()
    )
    body.append(f'<p class="small">Numbers as files: {links}</p>')
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def as_csv(rows: Sequence[Mapping[str, str | float]]) -> str:
    """Write a table with all columns that any row has; what is not finite is left empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: "" if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in row.items()
            }
        )
    return buffer.getvalue()


def write_pictures(parts: Sequence[Part], paths: Mapping[str, Path]) -> None:
    """Write all pictures as PNG, by name."""
    for part in parts:
        for picture in part.pictures:
            save_figure(picture.figure, paths[picture.name])
