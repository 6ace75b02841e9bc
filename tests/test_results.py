"""The results of a run as JUnit's XML and as Markdown: complete, valid, and safe whatever a set holds."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import mistune
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from markdown_it import MarkdownIt
from support import text_of_any_kind

from sentence_reports.claim_records import Check
from sentence_reports.report import Report
from sentence_reports.results import is_ours, junit, markdown
from sentence_reports.texts import bare, isolated

HOLDS = Check(
    "“a” and “b”: closer than “a” and “c”", "“a” and “b” (0.90): closer than “a” and “c” (0.10)", met=True
)
FAILS = Check(
    "“a” and “c”: at least 0.05 closer than “a” and “b”",
    "“a” and “c” (0.10): not at least 0.05 closer than “a” and “b” (0.90)",
    met=False,
    because="c is what a means",
)
GOOD = Report(
    "good", "Good", "../params/good.yaml", "org/model", 1200, date="2026-01-02", seconds=3,
    finding=("1 of 2 claims does not hold.", "No pair is closer than chance would allow."),
    notices=("Sentence 1 was cut.",), checks=(HOLDS, FAILS), stands_in_for="big/model",
)  # fmt: skip
BAD = replace(
    GOOD, stem="bad", failure="params/bad.yaml, line 3: sentence 2 is wrong\nand sentence 3", checks=(FAILS,)
)
NEW = Report("new", "New", "../params/new.yaml", "m", 2, failure="The model m is not on this machine.")
PLAIN = replace(GOOD, stem="plain", checks=(), finding=(), notices=(), stands_in_for=None, n=2)
DAY = "2026-11-25"


def suites(*reports: Report) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(junit(reports, DAY).encode()))


# --- JUnit -------------------------------------------------------------------------------------------------


def test_a_set_is_a_suite_with_a_case_for_its_report_and_for_each_check() -> None:
    (suite,) = suites(GOOD)
    assert [case.attrib for case in suite.iter("testcase")] == [
        {"name": name, "classname": "good", "time": "0"}
        for name in ("report", f"1. {HOLDS.expected}", f"2. {FAILS.expected}")
    ]
    (failure,) = suite.iter("failure")
    assert failure.attrib == {"type": "unmet", "message": FAILS.statement}
    assert failure.text == (
        f"Does not hold: {FAILS.statement}\nExpected: {FAILS.expected}\nBecause: c is what a means"
    )
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3", "failures": "1", "errors": "0"
    }  # fmt: skip
    assert suite.findtext("system-out") == "\n".join(GOOD.finding)
    assert suite.findtext("system-err") == "Sentence 1 was cut."
    assert [(each.get("name"), each.get("value")) for each in suite.iter("property")] == [
        ("title", "Good"), ("model", "org/model"), ("stands_in_for", "big/model")
    ]  # fmt: skip


def test_a_set_that_failed_is_an_error_and_its_earlier_claims_do_not_count() -> None:
    first, second = suites(BAD, NEW)
    for suite, report in ((first, BAD), (second, NEW)):
        (case,) = suite.iter("testcase")
        (error,) = case
        assert (error.tag, error.get("type"), error.text) == ("error", "failed", report.failure)
        assert [suite.get(key) for key in ("tests", "failures", "errors")] == ["1", "0", "1"]
        assert not suite.findtext("system-out")
        assert not suite.findtext("system-err")
    assert first.find(".//error").get("message") == "params/bad.yaml, line 3: sentence 2 is wrong"  # type: ignore[union-attr]


def test_the_day_is_that_of_the_report_or_of_the_run_that_failed() -> None:
    assert [suite.get("timestamp") for suite in suites(GOOD, BAD, NEW)] == [
        "2026-01-02T00:00:00", f"{DAY}T00:00:00", f"{DAY}T00:00:00"
    ]  # fmt: skip
    assert junit([GOOD], DAY) == junit([replace(GOOD, seconds=99)], DAY)


# What both schemas allow: JUnit.xsd by Windy Road (Apache Ant's) and Jenkins's junit-10.xsd. Attributes are required.
SUITE = {
    "name": r"\S.*", "package": r".*", "id": r"\d+", "hostname": r"\S.*", "time": r"\d+(\.\d+)?",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "tests": r"\d+", "failures": r"\d+", "errors": r"\d+",
}  # fmt: skip
ATTRIBUTES = {
    "testsuites": {},
    "testsuite": SUITE,
    "properties": {},
    "property": {"name": r"\S.*", "value": "(?s).*"},
    "testcase": {"name": "(?s).*", "classname": r"\S.*", "time": r"\d+(\.\d+)?"},
    "error": {"type": r"\S+", "message": "(?s).*"},
    "failure": {"type": r"\S+", "message": "(?s).*"},
    "system-out": {},
    "system-err": {},
}
CHILDREN = {
    "testsuites": "(testsuite )*",
    "testsuite": "properties (testcase )*system-out system-err ",
    "properties": "(property )*",
    "testcase": "(skipped |error |failure )?",
}


def assert_valid(xml: str) -> None:
    """Check the rules of the two schemas, which are written down above."""
    root = ElementTree.fromstring(xml.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        allowed = ATTRIBUTES[element.tag]
        assert set(element.keys()) == set(allowed), element.tag
        for name, pattern in allowed.items():
            assert re.fullmatch(pattern, element.attrib[name]), (element.tag, name)
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), children), (element.tag, children)
    for number, suite in enumerate(root):
        assert suite.get("id") == str(number)
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert suite.get(key) == str(len(list(suite.iter(tag)))), key


@pytest.mark.parametrize("reports", [(), (GOOD,), (GOOD, BAD, NEW, PLAIN)], ids=["none", "one", "several"])
def test_the_xml_is_valid_by_the_schemas_of_ant_and_jenkins(reports: tuple[Report, ...]) -> None:
    assert_valid(junit(reports, DAY))


@given(text_of_any_kind())
def test_any_text_gives_valid_xml_that_holds_it(text: str) -> None:
    check = Check(text, text, met=False, because=text)
    report = replace(GOOD, title=text, model=text, finding=(text,), notices=(text,), checks=(check,))
    xml = junit([report, replace(report, failure=f"reason: {text}")], DAY)
    assert_valid(xml)
    (failure,) = ElementTree.fromstring(xml.encode()).iter("failure")
    shown = re.sub(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]", lambda m: ascii(m[0])[1:-1], bare(text)
    )
    assert failure.get("message") == shown


def test_a_program_gets_several_models_as_a_list_and_no_marks_of_direction() -> None:
    report = replace(GOOD, labels=("one, two", 'a "b"'), finding=(isolated("\u05d0"),))
    (suite,) = suites(report)
    models = [each.get("value") for each in suite.iter("property") if each.get("name") == "model"]
    assert [json.loads(value or "") for value in models] == [["one, two", 'a "b"']]
    assert suite.findtext("system-out") == "\u05d0"


def test_what_xml_cannot_hold_is_shown_as_an_escape() -> None:
    (suite,) = suites(replace(GOOD, notices=("bell \x07, escape \x1b[31m, \uffff, 🙂",)))
    assert suite.findtext("system-err") == r"bell \x07, escape \x1b[31m, \uffff, 🙂"


# --- Markdown ----------------------------------------------------------------------------------------------

MISTUNE = mistune.create_markdown(
    escape=False,
    plugins=["table", "strikethrough", "url", "footnotes", "math", "task_lists", "mark", "superscript"],
)
MARKDOWN_IT = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
RENDERERS = {"mistune": MISTUNE, "markdown-it": MARKDOWN_IT.render}


def rendered(text: str, renderer: str) -> BeautifulSoup:
    return BeautifulSoup(str(RENDERERS[renderer](text)), "html.parser")


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_summary_has_a_row_per_set_the_unmet_claims_and_the_failures(renderer: str) -> None:
    page = rendered(markdown([GOOD, BAD, NEW, PLAIN]), renderer)
    assert [[cell.text for cell in row.select("td")] for row in page.select("tbody tr")] == [
        ["good", "org/model (in place of big/model)", "1,200", "✗ 1 of 2 hold", " ".join(GOOD.finding)],
        ["bad", "org/model (in place of big/model)", "", "", "failed"],
        ["new", "m", "", "", "failed"],
        ["plain", "org/model", "2", "", ""],
    ]
    assert [heading.text for heading in page.select("h2, h3")] == [
        "Sentence Reports", "Claims that do not hold", "Sets that failed"
    ]  # fmt: skip
    assert page.select_one("h2 + p").text == "2 sets failed. 1 of 2 claims holds."  # type: ignore[union-attr]
    assert [item.text for item in page.select("li")] == [
        f"good: {FAILS.statement}. Expected because: c is what a means",
        "bad: params/bad.yaml, line 3: sentence 2 is wrong and sentence 3",
        "new: The model m is not on this machine.",
    ]


def test_a_summary_without_trouble_has_no_lists() -> None:
    text = markdown([replace(GOOD, checks=(HOLDS, HOLDS))])
    assert "\nBoth claims hold.\n" in text
    assert "✓ 2 of 2 hold" in text
    assert "###" not in text


def test_of_many_claims_the_first_fifty_are_listed_and_the_rest_counted() -> None:
    text = markdown([replace(GOOD, checks=(FAILS,) * 1052)])
    assert "0 of 1,052 claims hold." in text
    assert text.count("- **good**") == 50
    assert text.endswith("\n- and 1,002 more\n")


@pytest.mark.parametrize("renderer", RENDERERS)
@given(text=text_of_any_kind())
def test_a_text_of_a_set_is_text_in_markdown(renderer: str, text: str) -> None:
    check = Check(text, text, met=False, because=text)
    report = replace(GOOD, stem=text, model=text, stands_in_for=text, finding=(text,), checks=(check,))
    page = rendered(markdown([report, replace(report, failure=text)]), renderer)
    tags = {tag.name for tag in page.find_all()}
    assert tags <= {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
    assert [len(row.select("td")) for row in page.select("tbody tr")] == [5, 5]
    assert len(page.select("li")) == 2
    shown = re.sub(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]", lambda m: ascii(m[0])[1:-1], " ".join(text.split()))
    finding = page.select("tbody td")[4].text.replace("\u2060", "")
    assert finding.split() == isolated(shown).replace("\u2060", "").split()


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize(
    "text",
    [
        "a | b \\| c \\", "`code`", "*a* _b_ ~~c~~ ==d== ^e^ $f$ $$g$$", "<b>x</b> <!-- y -->", "[a](http://x.y)",
        "![a](b.png)", "[^1] [ ] [x]", "http://x.y https://x.y www.x.y", "<http://x.y>", "a@b.c", "&lt; &#64;",
        "# a", "- a", "1. a", "> a", "a  \nb\n\nc", "\\", "`", "``a` b``", "---", "| a |", "\x1b[31m", "{{ a }}",
    ],
)  # fmt: skip
def test_markup_is_shown_as_it_is_written(renderer: str, text: str) -> None:
    report = replace(GOOD, finding=(text,), checks=(FAILS._replace(because=text),))
    page = rendered(markdown([report]), renderer)
    shown = " ".join(text.split()).replace("\x1b", r"\x1b")
    assert page.select("tbody td")[4].text.replace("\u2060", "") == shown
    assert page.select("li")[0].text.replace("\u2060", "").endswith(f"Expected because: {shown}")
    assert not page.select("a, img, code, em, del, b, input, br, hr, mark, sup, ol, blockquote, .math")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("@user", ("@", "user")), ("#12", ("#", "12")), ("gh-12", ("gh-", "12")), (":tada:", (":", "tada:"))],
)
def test_nobody_is_mentioned_and_nothing_linked(text: str, parts: tuple[str, str]) -> None:
    """Code hosts look for these in the rendered text, so that something has to be between their two parts."""
    page = rendered(markdown([replace(GOOD, finding=(f"see {text}",))]), "markdown-it")
    assert page.select("tbody td")[4].text == f"see {parts[0]}\u2060{parts[1]}"


def test_addresses_are_broken_up_for_hosts_that_link_them_without_markup() -> None:
    text = markdown([replace(GOOD, finding=("WWW.x.y and www.x.y",))])
    assert "www" in text
    assert "www." not in text.lower()


def test_a_text_cannot_reverse_what_follows_it() -> None:
    page = rendered(markdown([replace(GOOD, finding=("a \u202e b",))]), "markdown-it")
    assert page.select("tbody td")[4].text == "\u2068a \u202e b\u2069"


def test_long_texts_are_cut() -> None:
    assert len(markdown([replace(GOOD, finding=("x" * 100_000,))])) < 2000


# --- whose file it is --------------------------------------------------------------------------------------


def test_a_file_of_results_is_known_by_how_it_begins() -> None:
    for text in (junit([GOOD], DAY), markdown([GOOD]), junit([], DAY), markdown([])):
        assert is_ours(text.encode()[:100])
    assert is_ours(b"")
    for text in ("\n", "# My notes\n", '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites/>'):
        assert not is_ours(text.encode())
