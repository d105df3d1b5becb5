"""Formulas as MathML, which browsers render without a script and without the network."""

import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import latex2mathml, unichar2tex
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ElementTree.register_namespace("", NAMESPACE)
TAG = f"{{{NAMESPACE}}}"
ROWS = {f"{TAG}{name}" for name in ("math", "mrow", "mtd", "msqrt", "mstyle")}
SCRIPTS = {f"{TAG}{name}" for name in ("msub", "msup", "msubsup", "munder")}
APPLICATION = "\N{FUNCTION APPLICATION}"
CLOSING = ")]}⟩|‖′"
# docutils draws all in bold that follows a bold symbol in its group,
BOLD = re.compile(r"\\boldsymbol *(\\[a-zA-Z]+|\w|\{[^{}]*\})")
# and takes the numerator of \frac12 for 12.
DIGITS = re.compile(r"(\\[dt]?frac) *(\d) *(\d)")


def mathml(text: str, node: nodes.Element, *, display: bool) -> str:
    """Convert LaTeX with docutils' own converter; what it cannot, is a warning of the build."""
    text = DIGITS.sub(r"\1{\2}{\3}", text.translate(unichar2tex.uni2tex_table))
    text = BOLD.sub(r"{\\boldsymbol \1}", text)
    try:
        written = latex2mathml.tex2mathml(text, as_block=display)
        tree = ElementTree.fromstring(written.replace("&ApplyFunction;", APPLICATION))
    except Exception as error:
        LOGGER.warning("formula %r: %s", text, error, location=node)
        return f"<code>{text}</code>"
    for row in list(tree.iter()):
        set_signs(row)
        set_functions(row)
    return ElementTree.tostring(tree, encoding="unicode")


def set_signs(row: ElementTree.Element) -> None:
    r"""Set fences, slashes and primes as TeX does: only \left and \right make fences grow."""
    for child in row:
        sign = child.text or ""
        if child.tag != f"{TAG}mo" or sign not in set("|‖⟨⟩/'"):
            continue
        if sign in "/'":
            child.text = sign.replace("'", "\N{PRIME}")
            child.attrib |= {"lspace": "0", "rspace": "0"}
            continue
        # \left begins a row of its own; \lvert has a class.
        fenced = row.tag == f"{TAG}mrow" and row[0].tag == row[-1].tag == f"{TAG}mo"
        grows = fenced and "class" not in row[0].attrib and child in (row[0], row[-1])
        opens = sign == "⟨" or "class" in child.attrib or (grows and child is row[0])
        child.attrib |= {"form": "prefix" if opens else "postfix", "lspace": "0", "rspace": "0"}
        if not grows:
            child.set("stretchy", "false")


def set_functions(row: ElementTree.Element) -> None:
    """Put a thin space beside the name of a function, unless a parenthesis is there."""
    if row.tag not in ROWS:
        return
    children = [child for child in row if child.text != APPLICATION]
    row[:] = []
    for last, child in zip([None, *children], children, strict=False):
        if last is not None and (
            (is_name(child) and not is_sign(last, but=CLOSING))
            or (is_name(last) and not is_sign(child))
        ):
            row.append(ElementTree.Element(f"{TAG}mspace", width="0.1667em"))
        row.append(child)


def is_name(element: ElementTree.Element) -> bool:
    """Tell whether this is a word, such as sin, with or without index and exponent."""
    while element.tag in SCRIPTS:
        element = element[0]
    text = element.text or ""
    return element.tag == f"{TAG}mi" and len(text) > 1 and text.isalpha()


def is_sign(element: ElementTree.Element, but: str = "|‖⟨") -> bool:
    """Tell whether this is a sign or a space, which sets its own distance, but those few."""
    while element.tag in SCRIPTS:
        element = element[0]
    if element.tag in (f"{TAG}mo", f"{TAG}mspace", f"{TAG}mtext"):
        return (element.text or "") not in set(but)
    return element.tag == f"{TAG}mrow" and len(element) > 0 and is_sign(element[0], but)


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Hand each formula the comma behind it: lines may break beside a formula, as by a picture."""
    for node in list(doctree.findall(nodes.math)):
        following = node.next_node(nodes.Text, descend=False, siblings=True)
        text = following.astext() if following is not None else ""
        if text[:1] in tuple(",.;:)") and node.parent[node.parent.index(node) + 1] is following:
            node["behind"] = text[0]
            node.parent.replace(following, nodes.Text(text[1:]))


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    written = mathml(node.astext(), node, display=False)
    if "behind" in node:
        written = f'<span class="formula">{written}{node["behind"]}</span>'
    translator.body.append(written)
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
    app.connect("doctree-resolved", keep_punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
