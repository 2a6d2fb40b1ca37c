"""Delimited text is cut where its records end, whatever is wrong with some of its lines."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.adapters.landing.records import (
    MAX_RECORD_LINES,
    QUOTING_REASON,
    Layout,
    cut_at_once,
    cut_by_line,
    cut_records,
)

TWO = Layout(separator=",", quoting=True, width=2)


def outcome(text: bytes, layout: Layout = TWO) -> tuple[bytes, list[int], list[tuple[int, str]]]:
    cut = cut_records(text, layout, last=True)
    assert cut.consumed >= len(text)
    return cut.good, cut.lines.tolist(), [(line.line, line.reason) for line in cut.broken]


def test_every_line_of_the_right_width_is_a_record():
    assert outcome(b"a,b\nc,d\n") == (b"a,b\nc,d\n", [0, 1], [])


def test_the_last_line_may_lack_its_end():
    assert outcome(b"a,b\nc,d") == (b"a,b\nc,d\n", [0, 1], [])


def test_a_quoted_field_may_hold_separators_quotes_and_line_ends():
    text = b'"a,""x""\n\ny",b\nc,d\n'
    assert outcome(text) == (text, [0, 3], [])


def test_blank_lines_are_no_records():
    assert outcome(b"a,b\n\n\r\nc,d\n") == (b"a,b\nc,d\n", [0, 3], [])


def test_a_line_of_another_width_is_broken_and_says_both_widths():
    good, lines, broken = outcome(b"a,b\na,b,c\nc\nd,e\n")
    assert (good, lines) == (b"a,b\nd,e\n", [0, 3])
    assert broken == [
        (1, "3 columns where the header has 2"),
        (2, "1 columns where the header has 2"),
    ]


def test_one_stray_quote_costs_one_line():
    text = b'a,b\nc,"d\ne,f\n"g",h\n'
    assert outcome(text) == (b'a,b\ne,f\n"g",h\n', [0, 2, 3], [(1, QUOTING_REASON)])


def test_a_quote_inside_a_field_costs_one_line():
    assert outcome(b'a,5" b\nc,d\n') == (b"c,d\n", [1], [(0, QUOTING_REASON)])


def test_a_quote_that_stays_open_too_long_opens_nothing():
    text = b'a,"b\n' + b"c,d\n" * MAX_RECORD_LINES
    _, lines, broken = outcome(text)
    assert lines == list(range(1, MAX_RECORD_LINES + 1))
    assert broken == [(0, QUOTING_REASON)]


def test_without_quoting_a_quote_is_a_character():
    plain = Layout(separator="\t", quoting=False, width=2)
    assert outcome(b'a\t"b\n"c\td\n', plain) == (b'a\t"b\n"c\td\n', [0, 1], [])


def test_a_line_that_is_not_utf8_is_broken():
    text = "é,b\n".encode() + b"\xe9,b\n" + b"c,d\n"
    good, lines, broken = outcome(text)
    assert (good, lines) == ("é,b\nc,d\n".encode(), [0, 2])
    assert broken == [(1, "the line is not UTF-8")]


def test_an_unfinished_record_waits_for_more_text():
    cut = cut_records(b'a,b\nc,"d\n', TWO, last=False)
    assert (cut.good, cut.consumed, cut.consumed_lines) == (b"a,b\n", 4, 1)


ROWS = st.lists(st.tuples(*[st.text(alphabet='ab,"\n\r é', max_size=6)] * 2), max_size=12)


@given(ROWS)
def test_whatever_a_csv_writer_writes_is_cut_without_a_broken_line(rows: list[tuple[str, str]]):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    good, lines, broken = outcome(text.getvalue().encode())
    assert good == text.getvalue().encode()
    assert len(lines) == len(rows)
    assert broken == []


GARBAGE = st.lists(st.sampled_from([b"a", b'"', b",", b"\n", b"\r\n", b"\xff"]), max_size=40)


@given(GARBAGE, st.lists(st.integers(0, 40), max_size=4))
def test_garbage_is_cut_alike_in_one_piece_and_in_many(parts: list[bytes], breaks: list[int]):
    text = b"".join(parts)
    ends = [at + 1 for at, code in enumerate(text) if code == 10 and at in breaks]
    carried, line, good, lines, broken = b"", 0, b"", [], []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        piece = carried + text[start:end]
        cut = cut_records(piece, TWO, last=end == len(text) and start == ([0, *ends])[-1])
        good += cut.good
        lines += (cut.lines + line).tolist()
        broken += [(one.line + line, one.reason) for one in cut.broken]
        carried, line = piece[cut.consumed :], line + cut.consumed_lines
    assert (good, lines, broken) == outcome(text)


@given(GARBAGE)
def test_both_ways_of_cutting_agree_wherever_the_quick_one_works(parts: list[bytes]):
    text = b"".join(parts) + b"\n"
    quick, careful = cut_at_once(text, TWO, True), cut_by_line(text, TWO, True)
    if quick is not None:
        assert quick.starts.tolist() == careful.starts.tolist()
        assert quick.ends.tolist() == careful.ends.tolist()
        assert quick.lines.tolist() == careful.lines.tolist()
        assert [line.line for line in quick.broken] == [line.line for line in careful.broken]
        assert [line.reason for line in quick.broken] == [line.reason for line in careful.broken]
