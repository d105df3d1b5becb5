import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("sphinx")
SOURCE = Path(__file__).parents[2] / "docs" / "_ext" / "native_math.py"


@pytest.fixture(scope="module")
def parts():
    """Tag and text of what a formula is made of, in the order of reading."""
    spec = importlib.util.spec_from_file_location("native_math", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def parts_of(latex: str) -> list[tuple[str, str, dict]]:
        tree = ElementTree.fromstring(module.mathml(latex, None, display=False))
        return [
            (each.tag.partition("}")[2], (each.text or "").strip(), each.attrib)
            for each in tree.iter()
        ][1:]

    return parts_of


def written(found: list) -> str:
    return " ".join(text or tag for tag, text, _ in found)


def test_a_fraction_of_two_digits_is_that_of_both(parts):
    assert written(parts(r"\frac12 x")) == "mfrac 1 2 x"
    assert written(parts(r"\left(\tfrac38\right)")) == "mrow ( mfrac 3 8 )"


def test_functions_keep_off_letters_and_not_off_parentheses(parts):
    assert written(parts(r"a \sin\chi")) == "a mspace sin mspace χ"
    assert written(parts(r"\mathrm{sinc}(p) \exp[x] = \cos^2 x")) == (
        "sinc ( p ) mspace exp [ x ] = msup cos 2 mspace x"
    )


def test_fences_grow_between_left_and_right_alone_and_slashes_are_tight(parts):
    cases = {r"\lvert a\rvert^2": False, r"\frac{\lvert a\rvert}{b}": False}
    for latex, grows in (cases | {r"\left\lvert a\right\rvert": True}).items():
        bars = [attributes for _, text, attributes in parts(latex) if text == "|"]
        assert [bar["form"] for bar in bars] == ["prefix", "postfix"]
        assert [bar.get("stretchy") != "false" for bar in bars] == [grows, grows]
    (slash,) = (attributes for _, text, attributes in parts("1/d") if text == "/")
    assert slash["lspace"] == slash["rspace"] == "0"


def test_bold_ends_with_its_symbol(parts):
    found = parts(r"a \boldsymbol\theta\cdot(x)")
    assert written(found) == "a mrow θ ⋅ ( x )"
    assert [text for _, text, attributes in found if "class" in attributes] == ["θ"]
