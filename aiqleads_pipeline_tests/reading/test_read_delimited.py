"""Delimited text: what is whole is read as it is, what is not becomes a row that says why; nothing shifts."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from aiqleads_pipeline.stages.reading import delimited
from aiqleads_pipeline.stages.reading.parallel import NotProvenError

HEADER = "Email,First Name,Last Name\n"


def test_a_ragged_line_is_set_aside_and_the_next_is_whole(reader):
    assert reader.rows(HEADER + "a@x.com,A,B\nb@x.com,B\nc@x.com,C,D,E\nd@x.com,D,E\n") == [
        (1, 2, None, None, "a@x.com", "A", "B"),
        (2, 3, "wrong_column_count", "b@x.com,B", None, None, None),
        (3, 4, "wrong_column_count", "c@x.com,C,D,E", None, None, None),
        (4, 5, None, None, "d@x.com", "D", "E"),
    ]


def test_an_unterminated_quote_takes_no_other_line_with_it(reader):
    text = HEADER + 'a@x.com,A,B\nb@x.com,"Bob,Smith\nc@x.com,C,D\nd@x.com,"D","E"\ne@x.com,E,F\n'
    assert reader.rows(text) == [
        (1, 2, None, None, "a@x.com", "A", "B"),
        (2, 3, "unterminated_quote", 'b@x.com,"Bob,Smith', None, None, None),
        (3, 4, None, None, "c@x.com", "C", "D"),
        (4, 5, None, None, "d@x.com", "D", "E"),
        (5, 6, None, None, "e@x.com", "E", "F"),
    ]


def test_a_quote_that_never_closes_costs_its_line_only(reader):
    assert reader.rows(HEADER + 'a@x.com,A,B\nb@x.com,B,"never\nc@x.com,C,D\n') == [
        (1, 2, None, None, "a@x.com", "A", "B"),
        (2, 3, "unterminated_quote", 'b@x.com,B,"never', None, None, None),
        (3, 4, None, None, "c@x.com", "C", "D"),
    ]


def test_two_stray_quotes_do_not_swallow_the_records_between_them(reader):
    text = HEADER + 'a@x.com,A,B\nb@x.com,"Bob,Smith\nc@x.com,C,D\nd@x.com,D",E\ne@x.com,"two\nlines",F\n'
    assert reader.rows(text) == [
        (1, 2, None, None, "a@x.com", "A", "B"),
        (2, 3, "unterminated_quote", 'b@x.com,"Bob,Smith', None, None, None),
        (3, 4, None, None, "c@x.com", "C", "D"),
        (4, 5, None, None, "d@x.com", 'D"', "E"),
        (5, 6, None, None, "e@x.com", "two\nlines", "F"),
    ]


def test_quoted_line_ends_are_text_and_lines_are_still_counted(reader):
    text = HEADER + 'a@x.com,"one, two\nthree",B\nb@x.com,"x\n\ny",C\nc@x.com,C,D\n'
    assert reader.rows(text) == [
        (1, 2, None, None, "a@x.com", "one, two\nthree", "B"),
        (2, 4, None, None, "b@x.com", "x\n\ny", "C"),
        (3, 7, None, None, "c@x.com", "C", "D"),
    ]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('a@x.com,5" pipe,B', ("a@x.com", '5" pipe', "B")),
        ('a@x.com,"Bob" Smith,B', ("a@x.com", '"Bob" Smith', "B")),
        ('a@x.com,"Bob "the man" Smith",B', ("a@x.com", 'Bob "the man" Smith', "B")),
        ('a@x.com, "Smith, Bob",B', ("a@x.com", "Smith, Bob", "B")),
        ('a@x.com,"say \\"hi, you\\"",B', ("a@x.com", 'say "hi, you"', "B")),
        ("a@x.com,A,B,,", ("a@x.com", "A", "B")),
        ('a@x.com,"",', ("a@x.com", None, None)),
    ],
)
def test_odd_habits_that_can_be_read_in_one_way_only_are_read(reader, line, cells):
    assert reader.cells(f"{HEADER}x@x.com,X,Y\n{line}\ny@x.com,Y,Z\n")[1:] == [cells, ("y@x.com", "Y", "Z")]


@pytest.mark.parametrize("line", ['a@x.com,"a,b",c,"x" y', 'a@x.com,"A","B"x",C', '"a@x.com,A,B'])
def test_odd_quotes_that_could_shift_a_cell_are_set_aside(reader, line):
    [_, odd, last] = reader.rows(f"{HEADER}x@x.com,X,Y\n{line}\ny@x.com,Y,Z\n")
    assert odd == (2, 3, "unterminated_quote", line, None, None, None)
    assert last[4:] == ("y@x.com", "Y", "Z")


def test_blank_lines_and_rows_of_empty_cells_are_no_rows(reader):
    text = HEADER + "\na@x.com,A,B\n\n,,\nb@x.com,B,C\n\n\n"
    assert reader.rows(text) == [
        (1, 3, None, None, "a@x.com", "A", "B"),
        (2, 6, None, None, "b@x.com", "B", "C"),
    ]


def test_bytes_that_are_no_text_cost_their_line_only(reader):
    text = (HEADER + "a@x.com,Jürgen,Groß\nb@x.com,Zoë,Å\n").encode() + b"c@x.com,\xff\xfe,X\nd@x.com,D,E\n"
    assert reader.rows(text)[2:] == [
        (3, 4, "undecodable_text", "c@x.com,\\xff\\xfe,X", None, None, None),
        (4, 5, None, None, "d@x.com", "D", "E"),
    ]


def test_a_cell_beyond_the_limit_costs_its_row_only(reader):
    rows = reader.rows(HEADER + f"a@x.com,{'x' * 200},B\nb@x.com,B,C\n", MAX_CELL_CHARS=100)
    assert rows[0][:4] == (1, 2, "cell_too_large", f"a@x.com,{'x' * 92}")
    assert rows[1][4:] == ("b@x.com", "B", "C")


def test_a_line_of_many_megabytes_costs_its_row_only(reader):
    rows = reader.rows(HEADER + "x" * 5_000_000 + "\nb@x.com,B,C\n", MAX_CELL_CHARS=100)
    assert rows == [
        (1, 2, "cell_too_large", "x" * 100, None, None, None),
        (2, 3, None, None, "b@x.com", "B", "C"),
    ]


@pytest.mark.parametrize(
    ("encoding", "reported"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "cp1252"), ("latin-1", "cp1252"),
    ],
)  # fmt: skip
def test_encodings_are_recognised(reader, encoding, reported):
    table = reader.table((HEADER + "jürgen@x.com,Jürgen,Groß\nb@x.com,Zoë,Ångström\n").encode(encoding))
    assert table.facts["encoding"] == reported
    assert [row[4:] for row in table.relation.fetchall()] == [
        ("jürgen@x.com", "Jürgen", "Groß"),
        ("b@x.com", "Zoë", "Ångström"),
    ]
    assert table.headers == ["Email", "First Name", "Last Name"]
    table.release()


def test_text_of_another_encoding_that_begins_late_is_recognised(reader):
    plain = "".join(f"a{number}@example.com,Anna,Smith\n" for number in range(50_000))
    rows = reader.rows((HEADER + plain + "z@x.com,Jürgen,Groß\n").encode("cp1252"))
    assert rows[-1] == (50_001, 50_002, None, None, "z@x.com", "Jürgen", "Groß")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(reader, end):
    text = (HEADER + 'a@x.com,"two\nlines",B\nb@x.com,B,C').replace("\n", end)
    assert reader.rows(text) == [
        (1, 2, None, None, "a@x.com", f"two{end}lines", "B"),
        (2, 4, None, None, "b@x.com", "B", "C"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("above", ["", "Leads of May\n\n", "sep=,\n"])
def test_whole_files_are_read_by_the_engine(reader, end, encoding, above):
    text = above + HEADER + 'a@x.com,"Jürgen ""J"" Groß",B\nb@x.com,"two\nlines, and",\n\n'
    table = reader.table(text.replace("\n", end).encode(encoding))
    assert table.facts["read_by"] == "engine"
    first = 2 + above.count("\n")
    assert table.relation.fetchall() == [
        (1, first, None, None, "a@x.com", 'Jürgen "J" Groß', "B"),
        (2, first + 1, None, None, "b@x.com", f"two{end}lines, and", None),
    ]
    table.release()


def test_one_bad_line_is_reason_to_read_line_by_line(reader):
    table = reader.table(HEADER + "a@x.com,A,B\nb@x.com\n")
    assert table.facts["read_by"] == "line"
    table.release()


def test_line_ends_of_several_systems_in_one_file(reader):
    text = "Email,Name\r\na@x.com,A\nb@x.com,B\r\nc@x.com,C\rd@x.com,D\r"
    assert reader.cells(text) == [("a@x.com", "A"), ("b@x.com", "B"), ("c@x.com", "C"), ("d@x.com", "D")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "\x1f"])
def test_delimiters_are_recognised(reader, delimiter):
    lines = [["Email", "First Name", "Notes"], ["a@x.com", "A", "1,5; or so"], ["b@x.com", "B", "x"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    table = reader.table(text)
    assert table.facts["delimiter"] == delimiter
    assert [row[4:] for row in table.relation.fetchall()] == [tuple(line) for line in lines[1:]]
    table.release()


def test_excel_says_its_delimiter_in_the_first_line(reader):
    assert reader.rows("sep=;\nEmail;Name\na@x.com;A, B\n") == [(1, 3, None, None, "a@x.com", "A, B")]


def test_single_quotes_may_wrap_cells(reader):
    assert reader.cells("'Email','Name'\n'a@x.com','A, B'\n'b@x.com','O''Neil'\n") == [
        ("a@x.com", "A, B"),
        ("b@x.com", "O'Neil"),
    ]


def test_one_column_needs_no_delimiter(reader):
    assert reader.cells("email\na@x.com\n\nb@x.com\n") == [("a@x.com",), ("b@x.com",)]


def test_what_stands_above_the_header_is_skipped(reader):
    text = (
        "Notes:\n"
        '"When exporting your connection data, you may notice\nthat some addresses are missing."\n'
        "\n"
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
        "Ann,Lee,https://l.com/in/al,ann@x.com,Acme,CEO,01 Jan 2026\n"
    )
    table = reader.table(text)
    assert table.headers[3:5] == ["Email Address", "Company"]
    assert table.relation.fetchall() == [
        (1, 6, None, None, "Ann", "Lee", "https://l.com/in/al", "ann@x.com", "Acme", "CEO", "01 Jan 2026")
    ]
    table.release()


@pytest.mark.parametrize(
    "text",
    [
        "a@x.com,Ann,Lee,+1 415 555 0100\nb@x.com,Bob,Ray,+1 415 555 0101\n",
        "Ann,Lee,+1 415 555 0100,Phone\nBob,Ray,+1 415 555 0101,Email\n",
    ],
)
def test_a_row_of_data_is_never_taken_for_the_header(reader, text):
    table = reader.table(text)
    assert table.headers == ["column 1", "column 2", "column 3", "column 4"]
    assert table.facts["has_header"] is False
    assert table.rows == 2
    table.release()


def test_a_header_may_take_several_lines(reader):
    table = reader.table('"E-\nMail","First\nName"\na@x.com,A\n')
    assert table.headers == ["E- Mail", "First Name"]
    assert table.relation.fetchall() == [(1, 4, None, None, "a@x.com", "A")]
    table.release()


def test_a_file_too_large_for_memory_is_read_the_same(reader):
    lines = [f'a{number}@x.com,"A\n{number}",B\n' for number in range(60_000)]
    text = HEADER + "".join(lines)
    in_memory = reader.rows(text)
    assert len(text) > 0.4 * (2 << 20)
    assert reader.rows(text, ENGINE_MEMORY_MB=2) == in_memory
    assert in_memory[-1] == (60_000, 120_000, None, None, "a59999@x.com", "A\n59999", "B")


# --- both ways of reading agree -----------------------------------------------------------------------------------


def slowly(reader, text: bytes, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    def refuse(*_: object) -> None:
        raise NotProvenError

    with monkeypatch.context() as patch:
        patch.setattr(delimited, "read_fast", refuse)
        return reader.rows(text)


PIECES = [*"ab1 ,;|\t'\"\\é中\n@.", "\r\n"]
CELL = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
HYPOTHESIS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@HYPOTHESIS
@given(
    rows=st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    backslash=st.booleans(),
)
@example([["a@b", "1", '"', "\\"]], ",", csv.QUOTE_ALL, "\n", "utf-8", True)
def test_what_a_writer_wrote_is_read_back(reader, monkeypatch, rows, delimiter, quoting, end, encoding, backslash):
    # Lines within cells that read like records are taken for records.
    assume(not any("\n" in cell and cell.count(delimiter) > 1 for row in rows for cell in row))
    assume(all(sum("\n" in cell for cell in row) < 2 for row in rows))
    assume(all(any(row) for row in rows))
    options: dict[str, Any] = {"doublequote": False, "escapechar": "\\"} if backslash else {}
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end, **options)
    writer.writerow(["Email", "First Name", "Last Name", "Company"])
    # One row in which the writer's way of quoting shows.
    writer.writerows([[f'a "quoted" {delimiter} b', "x", "y", "z"], *rows])
    text = out.getvalue().encode(encoding)
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert reader.cells(text)[1:] == expected
    assert [row[4:] for row in slowly(reader, text, monkeypatch)][1:] == expected


# Blanks around quotes of several lines are read by one way and set aside by the other.
TIGHT_CELL = CELL.map(lambda cell: cell.replace(" ", "_"))


@HYPOTHESIS
@given(
    lines=st.lists(st.lists(TIGHT_CELL, min_size=1, max_size=4), min_size=1, max_size=6),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(['"', ",", "\n", "", "\\", '""'])), max_size=4),
)
def test_whatever_is_broken_both_ways_of_reading_agree_and_account_for_every_line(
    reader, monkeypatch, lines, quoting, cuts
):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows(lines)
    body = out.getvalue()
    for position, change in cuts:
        at = position % (len(body) + 1)
        body = body[:at] + change + body[at + 1 :]
    text = ("Email,Name,City\nann@x.com,Ann,Rome\nbob@x.com,Bob,Oslo\ncy@x.com,Cy,Bern\n" + body).encode()
    quick = reader.rows(text)
    assert quick == slowly(reader, text, monkeypatch)
    assert [row[4:] for row in quick[:3]] == [
        ("ann@x.com", "Ann", "Rome"),
        ("bob@x.com", "Bob", "Oslo"),
        ("cy@x.com", "Cy", "Bern"),
    ]
    known = "".join(str(part) for row in quick[3:] for part in row[3:] if part is not None)
    for letter in "ab1é中@":
        assert known.count(letter) == body.count(letter), "no letter is lost or told twice"
