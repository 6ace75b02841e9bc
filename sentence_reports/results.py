"""What came out of a run, as text for other programs: JUnit's XML, and Markdown for a pull request."""

import re
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sentence_reports.claim_records import Check, tally
from sentence_reports.report import Report
from sentence_reports.texts import bare, count, isolated, shorten

MARKER = "<!-- Made by Sentence Reports -->"
XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
SHOWN_ITEMS, SHOWN_LENGTH = 50, 500  # a comment on GitHub holds 65,536 characters

CONTROL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, and what it should not."""
SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$#!@=^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What has a meaning in Markdown, within a line."""
REFERENCE = re.compile(r"@(?=\w)|#(?=\d)|\bGH-(?=\d)|:(?=[\w+-]+:)", re.IGNORECASE)
"""What code hosts turn into a mention, a link or a picture after Markdown, so that escaping it does not help."""


def is_ours(beginning: bytes) -> bool:
    """Whether a file is empty, or one of those below, by its beginning."""
    texts = (MARKER, f"{XML_DECLARATION}\n{MARKER}")
    return not beginning or beginning.startswith(tuple(text.encode() for text in texts))


# --- JUnit ------------------------------------------------------------------------------------------------------


def junit(reports: Iterable[Report], day: str) -> str:
    """Return JUnit's XML: a suite per set, with a test case for its report and one for each of its checks.

    A report that could not be made is an error, a check that does not hold is a failure. `day` is that of the run, as
    YYYY-MM-DD. All times are 0, so that the same results are the same text. It is valid by the JUnit.xsd of Windy Road
    and the junit-10.xsd of Jenkins.
    """
    suites = Element("testsuites")
    for number, report in enumerate(reports):
        suites.append(_suite(report, number, day))
    indent(suites)
    return _visible(f"{XML_DECLARATION}\n{MARKER}\n{bare(tostring(suites, encoding='unicode'))}\n")


def _suite(report: Report, number: int, day: str) -> Element:
    good = not report.failure
    checks = report.checks if good else ()
    suite = Element(
        "testsuite",
        name=report.stem,
        package="sentence-reports",
        id=str(number),
        hostname="localhost",
        timestamp=f"{(report.date if good else None) or day}T00:00:00",
        time="0",
        tests=str(1 + len(checks)),
        failures=str(sum(not check.met for check in checks)),
        errors=str(int(not good)),
    )
    properties = SubElement(suite, "properties")
    facts = {"title": report.title, "model": report.model_field, "stands_in_for": report.stands_in_for}
    for name, value in facts.items():
        if value:
            SubElement(properties, "property", name=name, value=value)
    suite.append(_case(report))
    suite.extend(_case(report, check, number) for number, check in enumerate(checks, start=1))
    SubElement(suite, "system-out").text = "\n".join(report.finding) if good else ""
    SubElement(suite, "system-err").text = "\n".join(report.notices) if good else ""
    return suite


def _case(report: Report, check: Check | None = None, number: int = 0) -> Element:
    name = f"{number}. {check.expected}" if check else "report"  # long texts are cut, and may be equal then
    case = Element("testcase", name=name, classname=report.stem, time="0")
    if check and not check.met:
        because = f"\nBecause: {check.because}" if check.because else ""
        details = f"Does not hold: {check.statement}\nExpected: {check.expected}{because}"
        SubElement(case, "failure", type="unmet", message=check.statement).text = details
    elif report.failure:
        SubElement(case, "error", type="failed", message=report.failure.splitlines()[0]).text = report.failure
    return case


# --- Markdown ---------------------------------------------------------------------------------------------------


def markdown(reports: Sequence[Report]) -> str:
    """Return a summary in GitHub's Markdown: a table of the sets, the claims that do not hold, and what failed."""
    failed, good = [r for r in reports if r.failure], [r for r in reports if not r.failure]
    checks = [check for report in good for check in report.checks]
    outcome = [f"{count(len(failed), 'set')} failed."] * bool(failed) + [f"{tally(checks)}."] * bool(checks)
    lines = [MARKER, "## Sentence Reports", "", " ".join(outcome), ""]
    lines += ["| set | model | sentences | claims | finding |", "| --- | --- | ---: | --- | --- |"]
    lines += ["| " + " | ".join(_row(report)) + " |" for report in reports]
    lines += _list("Claims that do not hold", [_claim(r, check) for r in good for check in r.unmet])
    lines += _list("Sets that failed", [f"**{_plain(r.stem)}**: {_plain(r.failure or '')}" for r in failed])
    return "\n".join(lines) + "\n"


def _row(report: Report) -> tuple[str, ...]:
    model = _plain(report.model) + (
        f" (in place of {_plain(report.stands_in_for)})" if report.stands_in_for else ""
    )
    if report.failure:
        return _plain(report.stem), model, "", "", "failed"
    met, total = len(report.checks) - len(report.unmet), len(report.checks)
    claims = f"{'✗' if report.unmet else '✓'} {met:,} of {total:,} hold" if total else ""
    return _plain(report.stem), model, f"{report.n:,}", claims, _plain(" ".join(report.finding))


def _claim(report: Report, check: Check) -> str:
    because = f" Expected because: {_plain(check.because)}" if check.because else ""
    return f"**{_plain(report.stem)}**: {_plain(check.statement)}.{because}"


def _list(heading: str, items: Sequence[str]) -> list[str]:
    more = len(items) - SHOWN_ITEMS
    shown = [f"- {item}" for item in items[:SHOWN_ITEMS]] + [f"- and {more:,} more"] * (more > 0)
    return ["", f"### {heading}", "", *shown] if items else []


def _plain(text: str) -> str:
    """The text on one line, as it reads when Markdown is rendered: nothing in it is markup, a link or a mention."""
    line = REFERENCE.sub("\\g<0>\u2060", _visible(isolated(shorten(text, SHOWN_LENGTH))))
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", line)


def _visible(text: str) -> str:
    return CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)
