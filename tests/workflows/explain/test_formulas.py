import re

import pytest

from difftem.workflows.explain.formulas import FORMULA, formula_as_text, formulas_as_text
from difftem.workflows.explain.pages import BUILT, FOLDERS

PAGES = {
    path.relative_to(folder).as_posix(): path
    for folder in FOLDERS
    for path in folder.rglob("*.md")
    if not path.relative_to(folder).as_posix().startswith(BUILT)
}


def formulas(page: str) -> list[str]:
    text = PAGES[page].read_text("utf-8")
    found = [each["displayed"] or each["inline"] for each in FORMULA.finditer(text)]
    return [latex for latex in found if latex]  # no code


def test_formulas_are_written_as_in_a_book_with_a_slash_for_each_fraction():
    given = {
        r"\lambda = \frac{hc}{\sqrt{E(E + 2m_0c^2)}}": "λ = hc/√(E(E + 2m₀c²))",
        r"\left(\frac{\alpha}{\lambda}\right)^2 \lvert\nabla\chi\rvert^2 k^{-1.7} \sigma_t": (
            "(α/λ)² |∇χ|² k^(−1.7) σ_t"
        ),
        r"\frac{2\pi}{\lambda} \sum_n \frac{\theta^{n+1}}{n+1} \hat V(R^\top\mathbf k) "
        r"\sin^2 m\varphi, \quad e^{i\sigma v} \approx \bar y - \frac12f''": (
            "(2π/λ) ∑_n (θⁿ⁺¹/(n + 1)) V̂(Rᵀk) sin² mφ,   e^(iσv) ≈ ȳ − ½f''"
        ),
    }
    assert {latex: formula_as_text(latex) for latex in given} == given


def test_code_and_prices_keep_their_dollars():
    text = "```\n$ difftem\n$ a$\n```\n\n`$A$` and ``$B`$`` cost $5 or 6$, `x` $\\neq$ $y^2$-fold"
    assert formulas_as_text(text) == text.replace("$\\neq$", "≠").replace("$y^2$", "y²")
    assert formulas_as_text("a\n\n$$\nS =\nx^2\n$$\n\nb") == "a\n\n    S = x²\n\nb"


@pytest.mark.parametrize("page", [page for page in sorted(PAGES) if formulas(page)])
def test_each_formula_of_a_page_becomes_text_without_latex(page):
    for latex in formulas(page):
        text = formula_as_text(latex)
        assert text and not re.search(r"[\\{}$\ue000-\uf8ff]", text), latex


def test_no_formula_has_what_markdown_without_formulas_would_take_for_its_own():
    parser = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    for page in sorted(PAGES):
        shown = "".join(
            child.content if child.type in ("text", "code_inline") else "\n"
            for token in parser.parse(PAGES[page].read_text("utf-8"))
            for child in token.children or ()
        )
        assert [latex for latex in formulas(page) if latex not in shown] == []
