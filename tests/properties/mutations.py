"""Files that are almost right: bytes and words changed, doubled, dropped."""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

WORDS = (
    "",
    "0",
    "-1",
    "1e39",
    "-1e300",
    "1e999",
    "nan",
    "-inf",
    "99999999999999999999",
    "1e-40",
    "0x10",
    "null",
    "[]",
    "{}",
    "{init_args: {}}",
    "'",
    '"',
    "é",
    "\x00",
    "\t",
    "*a",
    "&a [*a]",
    "!!python/object/apply:os.system [echo]",
    "/dev/zero",
    "../nowhere",
    "x" * 3000,
    "===",
    "loop_",
    "data_",
    "?",
)
_NUMBERS = (
    b"\0" * 4,
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\0\0\x80\x7f",
    b"\0\0\xc0\x7f",
    b"\1\0\0\0",
)


@st.composite
def bytes_of(draw: st.DrawFn, whole: bytes) -> bytes:
    """Flip, insert, delete, repeat and cut off bytes; headers more often than the rest."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        head = min(len(content), 1100)
        place = draw(st.one_of(st.integers(0, head), st.integers(0, len(content))))
        length = draw(st.sampled_from([1, 1, 2, 4, 16, 300]))
        match draw(
            st.sampled_from(["flip", "insert", "delete", "cut", "repeat", "number", "word"])
        ):
            case "flip" if place < len(content):
                content[place] ^= draw(st.integers(1, 255))
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=8))
            case "delete":
                del content[place : place + length]
            case "cut":
                del content[place:]
            case "repeat":
                content[place:place] = content[place : place + length]
            case "number":
                aligned = place // 4 * 4
                content[aligned : aligned + 4] = draw(st.sampled_from(_NUMBERS))
            case "word":
                content[place : place + length] = draw(st.sampled_from(WORDS)).encode()
    return bytes(content)


@st.composite
def text_of(draw: st.DrawFn, whole: str) -> bytes:
    """Replace, swap and drop words; double, swap and drop lines; then perhaps bytes."""
    lines = [line.split(" ") for line in whole.split("\n")]
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(lines) - 1))
        j = draw(st.integers(0, len(lines) - 1))
        lines[i] = lines[i] or [""]
        filled = [k for k, word in enumerate(lines[i]) if word] or [0]
        k = draw(st.sampled_from(filled))
        match draw(
            st.sampled_from(["word", "word", "word", "double", "drop", "swap", "join", "lose"])
        ):
            case "word":
                lines[i][k] = draw(st.sampled_from(WORDS))
            case "double":
                lines.insert(j, list(lines[i]))
            case "drop" if len(lines) > 1:
                del lines[i]
            case "swap":
                lines[i], lines[j] = lines[j], lines[i]
            case "join":
                lines[i] += lines[j]
            case "lose":
                del lines[i][k]
    text = "\n".join(" ".join(line) for line in lines)
    ending = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    content = text.replace("\n", ending).encode()
    if draw(st.integers(0, 5)) == 0:
        content = draw(bytes_of(content)) if content else b""
    return content


def for_each(strategy, examples, body):
    """Call a function with examples of a strategy, always the same ones."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=timedelta(seconds=30),
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(strategy)
    def run(example):
        body(example)

    run()
