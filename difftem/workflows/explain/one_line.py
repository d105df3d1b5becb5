"""What indices, fractions and signs of a formula are on one line of text."""

import re
import unicodedata

_RAISED = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyz⊤*∗",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ**",
        strict=True,
    )
)
_LOWERED = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))
_SMALL = "".join(_RAISED.values()) + "".join(_LOWERED.values())
_QUOTIENTS = {"1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "3/5": "⅗", "3/8": "⅜"}

# Marks until all of a formula is known: of words (functions, indices), which keep off what is
# beside them, of fractions, which may want parentheses, and of a wide space.
_BEGIN, _END, _OPEN, _CLOSE, QUAD = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
# Fences that look alike at both ends, at the first one.
_OPENING = str.maketrans("|‖", "\ue005\ue006")
_FENCES = str.maketrans("\ue005\ue006", "|‖")
# What a factor ends and begins with.
_LAST = rf"(?:[^\W_]|[)\]|⟩‖…'′∞{_SMALL}{_END}{_CLOSE}\u0300-\u036f])"
_FIRST = rf"(?![{_SMALL}])(?:[^\W_]|[√∂∇∑∫⟨{_BEGIN}{_OPEN}])"
_FRACTION = re.compile(rf"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}(?=( ?(?:{_FIRST}|[\^_(\[]))?)")
_APART = re.compile(
    rf"(?<={_LAST}) ?[+−×∗±] ?"
    rf"|(?<={_LAST}){_BEGIN}|{_END}+(?={_FIRST})|(?<=[∑∫]){_END}(?=[(\[])"
    r"|[=≠≈∼≤≥<>≪≫←→∝∈]|,(?=.)"
)
_TOO_MUCH = re.compile(r"(?<=[(\[⟨·/ ]) | (?=[)\]⟩,·/])")
_PARENTHESES = re.compile(r"\([^()]*\)")
_INDEX = re.compile(rf"_\w+{_END}|['′{_SMALL}\u0300-\u036f]")
_ATOM = re.compile(rf"√?([^\W\d_]|[\d.]+|{_BEGIN}\w+{_END})")


def word(text: str) -> str:
    """Mark what is longer than a letter: it keeps off its neighbours."""
    return f"{_BEGIN}{text}{_END}" if len(text) > 1 or text in "∑∫" else text


def starting(fence: str) -> str:
    """Mark a sign that a factor begins with: it keeps off the factor before it."""
    return _BEGIN + fence.translate(_OPENING)


def raised(text: str) -> str:
    """Write an exponent."""
    if all(character in _RAISED for character in text.replace(" ", "")):
        return "".join(_RAISED[character] for character in text.replace(" ", ""))
    return f"^({text})"


def lowered(text: str) -> str:
    """Write an index."""
    text = text.replace(" ", "").strip(_BEGIN + _END)
    if all(character in _LOWERED for character in text):
        return "".join(_LOWERED[character] for character in text)
    return f"_{text}{_END}" if text.isalnum() or len(text) == 1 else f"_({text}){_END}"


def fraction(above: str, below: str) -> str:
    """Write a fraction; whether it needs parentheses is known when what follows it is."""
    if f"{above}/{below}" in _QUOTIENTS:
        return _QUOTIENTS[f"{above}/{below}"]
    if re.search(rf"(?<!^)[+−=]|[/{_CLOSE}]", _outside(above)):
        above = f"({above})"
    return f"{_OPEN}{above}/{below if _is_atom(below) else f'({below})'}{_CLOSE}"


def root(text: str) -> str:
    """Write a square root."""
    return f"√{text}{_END}" if _is_atom(text) and "(" not in text else f"√({text})"


def spaced(text: str) -> str:
    """Finish a formula: parentheses around fractions that are factors, blanks around signs.

    Parameters
    ----------
    text : str
        With the marks that the other functions leave.

    Returns
    -------
    str
        Without them.
    """
    while found := _FRACTION.search(text):
        inside = f"({found[1]})" if found[2] else f"{_BEGIN}{found[1]}{_END}"
        text = f"{text[: found.start()]}{inside}{text[found.end() :]}"
    text = _APART.sub(_blanks, text)
    text = _TOO_MUCH.sub("", re.sub(rf"[{_BEGIN}{_END}]", "", text).strip())
    text = re.sub(r"_\([^()]*\)", lambda index: index[0].replace(" ", ""), text)
    text = re.sub(f" *{QUAD} *", "   ", text.translate(_FENCES))
    return unicodedata.normalize("NFC", text)


def _blanks(found: re.Match[str]) -> str:
    """Put blanks around a sign or at the end of a word, and one behind a comma."""
    sign = found[0].strip(f" {_BEGIN}{_END}")
    return f"{sign} " if sign == "," else f" {sign} "


def _outside(text: str) -> str:
    """Leave out what is within parentheses."""
    before = ""
    while before != text:
        before, text = text, _PARENTHESES.sub("", text)
    return text


def _is_atom(text: str) -> bool:
    """Tell whether a slash or a root takes all of it without parentheses."""
    text = _outside(text).replace(_BEGIN + "|".translate(_OPENING), "|")
    text = re.sub(r"(?<=\|)[^|]+(?=\|)", "", text)
    return text in ("", "√", "||") or bool(_ATOM.fullmatch(_INDEX.sub("", text)))
