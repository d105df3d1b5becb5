"""Formulas as MathML, which browsers render without a script and without the network."""

from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml, unichar2tex
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)


def mathml(text: str, node: nodes.Element, *, display: bool) -> str:
    """Convert LaTeX with docutils' own converter; what it cannot, is a warning of the build."""
    text = text.translate(unichar2tex.uni2tex_table)
    try:
        return latex2mathml.tex2mathml(text, as_block=display)
    except Exception as error:
        LOGGER.warning("formula %r: %s", text, error, location=node)
        return f"<code>{text}</code>"


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext(), node, display=False))
    raise nodes.SkipNode


def displayed(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    text = node.astext()
    if r"\\" in text and r"\begin" not in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    translator.body.append(f"{mathml(text, node, display=True)}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this the renderer of formulas."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
