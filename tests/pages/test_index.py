"""The index of all reports."""

from bs4 import BeautifulSoup

from sentence_reports.claims import Check
from sentence_reports.pages.index import render_index
from sentence_reports.report import Report


def test_a_card_shows_each_check_that_is_not_met() -> None:
    report = Report(
        *("mine", "Mine", "mine.yaml", "m", 2),
        date="2026-01-02",
        closest=("one", "two", 0.5),
        checks=(Check("the published values do not match", "2 of 3 published values do not match", False),),
    )
    (card,) = BeautifulSoup(render_index([report]), "html.parser").select(".card")
    assert [notice.text for notice in card.select(".notice")] == ["2 of 3 published values do not match"]


def test_a_failure_shows_the_marks_that_would_turn_it_round() -> None:
    report = Report("mine", "Mine \u202e", "mine.yaml", "m", 2, failure="no \u202esuch folder")
    failed = BeautifulSoup(render_index([report]), "html.parser").select_one(".failed li")
    assert failed is not None
    assert [bdi.text for bdi in failed.select("bdi")] == ["Mine \u202e", "mine", "no \\u202esuch folder"]
