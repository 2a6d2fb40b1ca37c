"""Ways to break text files: of any bytes, and of what CSV, JSON Lines and TOML are made of."""

import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

TOKENS = (
    b'"', b'""', b"'", b"\n", b"\r", b"\r\n", b"\n\n\n", b"\0", b",", b"\t", b";", b"|", b"\\",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1b[2J", b"\x1a", b"\x85",
    b"NaN", b"Infinity", b"null", b"{", b"}", b"[", b"]", b"{}", b"[]", b":", b"\\ud800",
    b"\\u0000",
    b"1e999", b"-1e999", b"9" * 400, b"-9223372036854775809", b"0.1e-400", b"../../etc/passwd",
    b"/dev/zero", b"=cmd|' /C calc'!A0", b"__line", b"__reason", b"column_0", b"2025-13-45",
    b"[[table]]", b"%Q", b"99999-01-01", b"\xe2\x80\xae", b"{{}}", b"%s%n",
)  # fmt: skip
BIG = 18 << 20
"""A line of so many bytes is longer than any block, and than any that is allowed."""


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20]) if flipped else 0):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def put_token(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(content) + 1)
        until = at + rng.choice([0, 0, 1, 5])
        content = content[:at] + rng.choice(TOKENS) * rng.choice([1, 1, 1, 50]) + content[until:]
    return content


def _slice(content: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.choice([1, 5, 60, 600]))


def delete(content: bytes, rng: random.Random) -> bytes:
    start, end = _slice(content, rng)
    return content[:start] + content[end:]


def repeat(content: bytes, rng: random.Random) -> bytes:
    start, end = _slice(content, rng)
    return content[:end] + content[start:end] * rng.choice([1, 2, 100]) + content[end:]


def swap_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    for _ in range(rng.choice([1, 5])):
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def recode(content: bytes, rng: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    code = rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "utf-7", "cp500"])
    return text.encode(code, "replace")


def other_line_ends(content: bytes, rng: random.Random) -> bytes:
    return content.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\r", b"\n\n", b"\x0b", b"\0"]))


def long_line(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    size = rng.choice([70_000, 140_000, 1 << 21] * 20 + [BIG])
    return content[:at] + rng.choice([b"x", b'"', b",", b"\0", b"[", b"9"]) * size + content[at:]


def header(content: bytes, rng: random.Random) -> bytes:
    first, _, rest = content.partition(b"\n")
    names = first.split(b",")
    absurd = rng.choice(
        [
            b"", b"\n", b",", b'"' + first, first + b'"', first + b"," + first, b"\0" + first,
            b",".join(b"c%d" % n for n in range(20_000)) + b"," + first,
            b"n" * 300_000 + b"," + first, first.replace(b",", b"\r", 1), first.upper(),
            b",".join(rng.sample(names, len(names))), b" , ".join(names), b",".join(names[1:]),
            first + b",__line,__row,__reason", first.replace(b"_", b"\xc3"), b"," * 300_000,
            b'"' + b'","'.join(names) + b'"', b'"a""b"",' + first,
        ]
    )  # fmt: skip
    return absurd + b"\n" + rest


def deep(content: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([10, 200, 5_000, 100_000, 1_000_000])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
    inner = opening * depth + b"1" + (closing * depth if rng.random() < 0.7 else b"")
    key = rng.choice([b"text", b"other", b"flit_id"])
    whole = rng.choice([b'{"' + key + b'": ' + inner + b"}", inner])
    return _with_line(content, whole, rng)


def odd_object(content: bytes, rng: random.Random) -> bytes:
    line = rng.choice(
        [
            b'{"flit_id":1,"flit_id":2,"bird_id":"b","text":"x","created_at":"2025-01-01"}',
            b'{"flit_id":' + b"7" * 5_000 + b',"bird_id":1e999,"text":-0,"created_at":1e30}',
            b'{"flit_id":"\\ud800","bird_id":"\\udc00\\ud800","text":"\\ud83e","created_at":""}',
            b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(30_000)) + b"}",
            b'{"flit_id":[[1]],"bird_id":{"a":{}},"text":[null],"created_at":{}}',
            b'{"":1,"\\u0000":2,"__line":3,"text":"\\u001b[31m"}', b'{"text":"\\x"}',
            b'{"a":1}{"a":2}',
            b'{"text":"' + b"y" * 200_000 + b'"}', b'["a"]', b'"a"', b"1", b"null", b"true",
            b"{" * 9,
            b'{"text":NaN,"created_at":-Infinity,"flit_id":NaN}', b"\0" * 40, b'{"text":01}',
            b'{"flit_id":"' + b"../" * 50 + b'","bird_id":"b","text":"","created_at":"2025-01-02"}',
        ]
    )  # fmt: skip
    return _with_line(content, line, rng)


def _with_line(content: bytes, line: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines) + 1)
    return b"\n".join([*lines[:at], *[line] * rng.choice([1, 1, 3]), *lines[at:]])


ANY: tuple[Mutation, ...] = (
    cut, flip_bits, put_token, put_token, delete, repeat, swap_lines, recode, other_line_ends,
    long_line,
)  # fmt: skip
BY_KIND: dict[str, tuple[Mutation, ...]] = {
    "csv": (*ANY, header, header),
    "tsv": (*ANY, header),
    "jsonl": (*ANY, deep, odd_object, odd_object),
    "toml": (*ANY, deep),
}


def mutated_text(content: bytes, kind: str, rng: random.Random) -> bytes:
    """One to four mutations, one after another."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        content = rng.choice(BY_KIND[kind])(content, rng)
    return content
