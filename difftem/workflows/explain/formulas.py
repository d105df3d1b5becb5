"""Formulas of the documentation, LaTeX between dollars, as text for a terminal."""

import re
from functools import cache
from typing import Any

from difftem.workflows.explain.one_line import (
    QUAD,
    fraction,
    lowered,
    raised,
    root,
    spaced,
    starting,
    word,
)

FORMULA = re.compile(
    r"(?P<code>^ *```.*?^ *```|`+[^`]*`+)"
    r"|\$\$\s*(?P<displayed>[^$]+?)\s*\$\$"
    r"|(?<![\w$])\$(?!\s)(?P<inline>[^$]+?)(?<!\s)\$(?![\w$])",
    re.MULTILINE | re.DOTALL,
)
_WORDS = {name: name for name in "arccos arcsin arctan cos exp lim ln log max min sin tan".split()}
_WORDS |= {"sum": "∑", "int": "∫", "Re": "Re"}
_FENCES = {"lvert": "|", "lVert": "‖", "langle": "⟨"}
_BLANKS = {",": " ", ";": " ", " ": " ", "quad": QUAD, "qquad": QUAD}
_IGNORED = "left right bigl bigr Bigl Bigr biggl biggr displaystyle".split()


def formulas_as_text(markdown: str) -> str:
    """Write the formulas of a page as text, and leave its code as it is.

    Parameters
    ----------
    markdown : str
        Text with ``$...$`` in its lines and ``$$...$$`` between them.

    Returns
    -------
    str
        The same; displayed formulas are indented by four blanks.
    """

    def text(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        if found["inline"]:
            return formula_as_text(found["inline"])
        return f"    {formula_as_text(found['displayed'])}"

    return FORMULA.sub(text, markdown)


def formula_as_text(latex: str) -> str:
    """Write a formula as a line of text.

    Indices and exponents become characters where each of theirs has a raised or lowered form
    (of indices: digits), and ``_x`` or ``^(x)`` else. Blanks between factors stay.

    Parameters
    ----------
    latex : str
        What is between the dollars.

    Returns
    -------
    str
        Such as ``λ = hc/√(E(E + 2m₀c²))``. A macro that is not known stays as it is.
    """
    from pylatexenc.latex2text import LatexNodes2Text
    from pylatexenc.latexwalker import LatexWalker

    for_parsing, for_text = _macros()
    nodes, *_ = LatexWalker(latex, latex_context=for_parsing).get_latex_nodes()
    return spaced(_signs(LatexNodes2Text(latex_context=for_text).nodelist_to_text(nodes)))


@cache
def _macros() -> tuple[Any, Any]:
    """Say how macros are read and written, where it is not as pylatexenc does."""
    from pylatexenc import latex2text, latexwalker
    from pylatexenc.macrospec import MacroSpec, MacroStandardArgsParser, SpecialsSpec

    def of_arguments(write: Any, *numbers: int) -> Any:
        """Write what a macro's arguments say; pylatexenc knows the second name."""

        def written(node: Any, l2tobj: Any) -> str:
            given = [node.nodeargd.argnlist[number] for number in numbers or (0,)]
            return str(write(*(_signs(l2tobj.nodelist_to_text([each])).strip() for each in given)))

        return written

    for_parsing = latexwalker.get_default_latex_context_db().filter_context(
        exclude_categories=["nonascii-specials"]  # which take f'' for a quotation mark
    )
    taken = {"tfrac": "{{", "dfrac": "{{", "boldsymbol": "{"}
    for_parsing.add_context_category(
        "formulas",
        macros=[MacroSpec(name, arguments) for name, arguments in taken.items()],
        specials=[SpecialsSpec(sign, MacroStandardArgsParser("{")) for sign in "^_"],
        prepend=True,
    )
    macros = (
        {name: of_arguments(fraction, 0, 1) for name in ("frac", "tfrac", "dfrac")}
        | {name: of_arguments(word) for name in ("mathrm", "mathbf", "boldsymbol", "text")}
        | {"sqrt": of_arguments(root, 1), "bar": of_arguments("{}\N{COMBINING MACRON}".format)}
        | {name: word(sign) for name, sign in _WORDS.items()}
        | {name: starting(sign) for name, sign in _FENCES.items()}
        | _BLANKS
        | dict.fromkeys(_IGNORED, "")
    )
    for_text = latex2text.get_default_latex_context_db()
    for_text.add_context_category(
        "formulas",
        macros=[latex2text.MacroTextSpec(name, text) for name, text in macros.items()],
        specials=[
            latex2text.SpecialsTextSpec("^", of_arguments(raised)),
            latex2text.SpecialsTextSpec("_", of_arguments(lowered)),
        ],
        prepend=True,
    )
    unknown = latex2text.MacroTextSpec("", lambda node: node.latex_verbatim())
    for_text.set_unknown_macro_spec(unknown)
    return for_parsing, for_text


def _signs(text: str) -> str:
    """Write the minus as such."""
    return text.replace("-", "−").replace("\n", " ")
