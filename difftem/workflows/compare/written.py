"""A report as Markdown with pictures beside it, or as one HTML page with pictures inside."""

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from difftem.simulation.preview import save_figure
from difftem.workflows.compare.report import Part

_DPI = 160  # of pictures in the page, for fine screens


def as_markdown(title: str, parts: Sequence[Part], prefix: str) -> str:
    """Write Markdown; the files of its pictures have the prefix before their names."""
    from tabulate import tabulate

    lines = [f"# {title}", ""]
    for part in parts:
        lines += [f"## {part.title}", ""]
        for sentence in part.sentences:
            lines += [sentence, ""]
        if part.items:
            lines += [*(f"- {item}" for item in part.items), ""]
        if part.rows:
            table = [part.headers, *part.rows]
            cells = [[cell.replace("|", "\\|") for cell in row] for row in table]
            align = ["left", *["right"] * (len(part.headers) - 1)]
            lines += [tabulate(cells, "firstrow", "pipe", colalign=align, disable_numparse=True)]
            lines += [""]
        for picture in part.pictures:
            lines += [f"![{picture.words}]({prefix}{picture.name}.png)", ""]
    return "\n".join(lines)


def as_html(title: str, parts: Sequence[Part], tables: Mapping[str, str]) -> str:
    """Write one page that needs no other file; from it CSV tables can be saved, by name."""
    body = [f"<h1>{escape(title)}</h1>"]
    for part in parts:
        body.append(f"<h2>{escape(part.title)}</h2>")
        body += [f"<p>{escape(sentence)}</p>" for sentence in part.sentences]
        if part.items:
            body.append(f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in part.items)}</ul>")
        if part.rows:
            head = "".join(f'<th scope="col">{escape(name)}</th>' for name in part.headers)
            cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in part.rows)
            rows = "".join(f"<tr>{row}</tr>" for row in cells)
            body.append(f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>')
        if part.pictures:
            body.append(f'<div class="pictures {part.layout}">')
            for picture in part.pictures:
                buffer = io.BytesIO()
                save_figure(picture.figure, buffer, _DPI)
                source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
                body.append(f'<img alt="{escape(picture.words)}" src="{source}">')
            body.append("</div>")
    links = []
    for name, text in tables.items():
        source = f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}"
        links.append(f'<a download="{escape(name)}" href="{source}">{escape(name)}</a>')
    body.append(f'<p class="small">Numbers as files: {" ".join(links)}</p>')
    page = Template((files("difftem.workflows.compare") / "page.html").read_text("utf-8"))
    return page.substitute(title=escape(title), body="\n".join(body))


def as_csv(rows: Sequence[Mapping[str, str | float]]) -> str:
    """Write a table with all columns that any row has; what is not finite is left empty."""
    buffer = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(buffer, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        kept = {n: v for n, v in row.items() if isinstance(v, str) or math.isfinite(v)}
        writer.writerow(kept)
    return buffer.getvalue()
