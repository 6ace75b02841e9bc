"""The index of all reports."""

from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag

from sentence_reports.claim_records import Check
from sentence_reports.pages.index import render_index
from sentence_reports.report import Report

MET = Check("A: closer than B", "A is closer than B", met=True)
UNMET = [Check(f"{name}: closer than B", f"{name} is not closer than B", met=False) for name in "CDEFG"]


def card(**changes: Any) -> Tag:
    plain = {"n": 2, "date": "2026-01-02", "closest": ("one", "two", 0.5)}
    report = Report("mine", "Mine", "mine.yaml", "m", **plain | changes)
    (found,) = BeautifulSoup(render_index([report]), "html.parser").select(".card")
    return found


def words(tag: Tag, selector: str) -> list[str]:
    return [found.get_text(" ", strip=True) for found in tag.select(selector)]


def test_a_card_says_what_came_out_in_one_sentence() -> None:
    found = card(finding=("All 4 claims hold: <b>", "More."), checks=(MET,) * 4)
    assert words(found, "p:not(.quiet)")[:2] == ["All 4 claims hold: <b>", "✓ All 4 claims hold"]
    assert not found.select(".notice")


def test_a_card_shows_the_claims_that_do_not_hold_at_most_three_and_a_count() -> None:
    found = card(checks=(MET, *UNMET[:3]))
    assert words(found, ".outcome") == ["✗ 1 of 4 claims holds"]
    assert words(found, ".notice") == [check.statement for check in UNMET[:3]]
    assert words(card(checks=(MET, *UNMET)), ".notice")[2:] == [UNMET[2].statement, "2 more"]


def test_a_card_keeps_its_facts_and_links() -> None:
    found = card(stands_in_for="big", failure="no model", gone=True, checks=(MET,))
    assert words(found, ".quiet") == ["mine · m · 2 sentences · 2026-01-02", "Notebook of Mine · CSV of Mine"]
    assert words(found, ".notice") == [
        *("in place of big", "The last run failed; this is the last good report.", "Its set file is gone.")
    ]
    assert [a["href"] for a in found.select("a")] == ["mine.html", "mine.ipynb", "mine.csv"]


def test_a_card_of_a_collection_counts_rows_and_links_each_file() -> None:
    found = card(n=100_000, beside=(".csv", ".neighbours.csv"))
    assert words(found, ".quiet") == [
        "mine · m · 100,000 rows · 2026-01-02",
        "Notebook of Mine · CSV of Mine · Neighbors of Mine",
    ]
    found = card(n=1, beside=(".csv", ".neighbours.csv", ".npy"))
    assert "1 row ·" in words(found, ".quiet")[0]
    assert [a["href"] for a in found.select("a")[2:]] == ["mine.csv", "mine.neighbours.csv", "mine.npy"]


def test_a_thumbnail_may_be_wider_than_high() -> None:
    picture = card(thumbnail=(("#ffffff", "#000000", "#123456"),)).select_one("svg")
    assert picture is not None
    assert picture["viewbox"] == "0 0 3 1"
    assert [path["d"] for path in picture.select("path")] == ["M0 0h1v1h-1z", "M1 0h1v1h-1z", "M2 0h1v1h-1z"]


def test_a_failure_shows_the_marks_that_would_turn_it_round() -> None:
    report = Report("mine", "Mine \u202e", "mine.yaml", "m", 2, failure="no \u202esuch folder")
    failed = BeautifulSoup(render_index([report]), "html.parser").select_one(".failed li")
    assert failed is not None
    assert [bdi.text for bdi in failed.select("bdi")] == ["Mine \u202e", "mine", "no \\u202esuch folder"]
