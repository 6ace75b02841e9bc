"""The page of a collection: what it says, in which order, where the rest of each list is, and how large it gets."""

import re
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from executed_notebooks import COLLECTION_PARTS, MAP, executed_collection
from support import MODEL, large_collection, small_collection

from sentence_reports.collected_summary import CollectionSummary, MapFacts, Text, TopicSummary
from sentence_reports.collection import duplicates, groups, topics
from sentence_reports.pages.collection import BUDGET, longest, texts_of
from sentence_reports.pages.render import render
from sentence_reports.pages.tables import THUMBNAIL, TINTS, thumbnail
from sentence_reports.schemes import TOPIC_GRAY, TOPIC_HUES


def page(summary: CollectionSummary | None = None, **changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed_collection(summary or small_collection(**changes))), "html.parser")


@pytest.fixture(scope="module")
def large_page() -> BeautifulSoup:
    return page(LARGE)


def words(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def all_words(soup: Tag, selector: str) -> list[str]:
    return [words(found) for found in soup.select(selector)]


def test_the_head_says_what_came_out_and_what_was_read() -> None:
    soup = page()
    assert words(soup.h1) == "40 texts in 3 topics; 2 near-duplicates and 1 loner."
    assert words(soup.select_one(".kicker")) == "What do customers complain about?"
    assert words(soup.select_one(".facts")) == (
        "texts/complaints.csv , column complaint , 44 rows · 40 texts in 2 groups · m on the CPU"
    )
    assert all_words(soup, ".notice") == ["2 of 44 rows are empty."]
    assert words(soup.select_one(".about summary")) == "About these texts"


def test_the_parts_are_in_the_order_in_which_a_reader_wants_them() -> None:
    soup = page()
    assert [section["id"] for section in soup.select(".top section")] == COLLECTION_PARTS
    assert [link["href"] for link in soup.select(".toc a")] == [
        *(f"#{part}" for part in COLLECTION_PARTS),
        *("#step-1", "#provenance"),
    ]
    assert not [tag["id"] for tag in soup.select("[id]") if len(soup.select(f'[id="{tag["id"]}"]')) > 1]
    assert not soup.select("script")


def test_what_a_collection_does_not_have_is_not_on_its_page() -> None:
    summary = small_collection(group_table=None, queries=(), query_count=0, claims=(), representatives=())
    made = executed_collection(summary)
    made.cells[2].metadata["tags"] = []
    soup = BeautifulSoup(render(made), "html.parser")
    shown = [section["id"] for section in soup.select(".top section")]
    assert shown == ["topics", "duplicates", "loners", "files", "method"]
    assert [link["href"][1:] for link in soup.select(".toc a")][:5] == shown


def test_without_topics_duplicates_and_neighbors_the_page_says_so() -> None:
    soup = page(
        topics=(), topic_count=0, duplicates=(), duplicate_groups=0, duplicate_texts=0, loners=(), copies=0
    )
    assert words(soup.select_one("#topics h2")) == "No topics"
    assert words(soup.select_one("#topics > p")) == "3 texts have no topic."
    assert words(soup.select_one("#duplicates p")) == "No two texts say nearly the same."
    assert words(soup.select_one("#loners p")) == "With one text, there is nothing to compare."
    assert thumbnail(small_collection(topics=())) == ((TINTS[0],) * THUMBNAIL,) * THUMBNAIL


def test_the_browser_is_the_search_box() -> None:
    assert "Ctrl+F" in words(page().select_one(".find"))


# --- the map ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["image/svg+xml", "image/png"])
def test_the_map_is_shown_on_top_and_in_the_lesson(kind: str) -> None:
    soup = BeautifulSoup(render(executed_collection(small_collection(), **{kind: MAP})), "html.parser")
    pictures = soup.select("img")
    assert [picture["alt"] for picture in pictures] == ["Dots.", "Dots."]
    assert len({picture["src"] for picture in pictures}) == 1
    assert pictures[0]["src"].startswith(f"data:{kind};")
    assert pictures[0].find_parent("section")["id"] == "map"


def test_the_map_says_what_it_keeps() -> None:
    said = words(page().select_one("#map p"))
    assert "two principal components, which keep 18% of the variance" in said
    assert said.endswith("1 point is beyond its edges.")
    said = words(page(map=MapFacts("PaCMAP", 0.18, 0)).select_one("#map p"))
    assert "by PaCMAP, which tries to keep neighbors together" in said
    assert said.endswith("than this map.")


# --- the lists --------------------------------------------------------------------------------------------------


def test_topics_have_a_name_a_share_and_folded_examples() -> None:
    soup = page()
    assert all_words(soup, ".topics summary") == [
        *("1 late, parcel, order 50%", "2 charged, card 30%", "3 without a name 12%")
    ]
    first = soup.select_one(".topics details")
    assert first is not None
    assert not first.has_attr("open")
    assert words(first.select_one("p")) == "20 texts, spread 0.42; words: late , parcel , order , weeks"
    assert all_words(first, ".text") == ["3 The parcel arrived two weeks late", "8 My order is late again"]
    widths = [bar["style"].split("width:")[1] for bar in soup.select(".bar span")]
    assert widths == ["100.0%", "60.0%", "25.0%"]


def test_a_share_is_never_rounded_to_nothing() -> None:
    tiny = TopicSummary(1, "tiny", (), 3, 0.0002, 0.1, ())
    assert words(page(topics=(tiny,)).select_one(".share")) == "under 0.1%"


def test_near_duplicates_are_in_groups_and_repeats_below_them() -> None:
    part = page().select_one("#duplicates")
    assert part is not None
    assert words(part.p).startswith("2 texts say nearly the same as an earlier one, in 1 group.")
    rows = [words(row) for row in part.select("ol > li")]
    assert rows == [
        "3 11 You charged my card twice 12 I was billed two times for one order 1 more 8 My order is late again",
        "4 31 Order 12 is late 32 Order 15 is late 2 more are not shown.",
        "3× 3 The parcel arrived two weeks late",
    ]
    assert "4 texts have the words of another one and other numbers, in 1 group" in words(part)
    assert "2 rows repeat an earlier text word for word" in words(part)


def test_loners_have_their_similarity_and_what_it_means() -> None:
    part = page().select_one("#loners")
    assert part is not None
    assert words(part.p).startswith("1 text is not above chance")
    assert all_words(part, "ol > li") == [
        "0.11 27 Do penguins have knees? closer than 74.5% of unrelated pairs",
        "0.31 20 The app closes as soon as I sign in closer than 99.4% of unrelated pairs",
    ]
    assert words(page(loner_count=0).select_one("#loners p")).startswith("Every text is above chance")


def test_representatives_say_what_they_cover() -> None:
    part = page().select_one("#representatives")
    assert part is not None
    assert words(part.h2) == "2 texts that cover 80% of the collection"
    assert all_words(part, "ol > li") == [
        *(
            "22 3 The parcel arrived two weeks late",
            "14 11 You charged my card twice 10 of them not covered by an earlier one",
        )
    ]


def test_groups_say_whether_they_hold_and_in_which_topics_they_are() -> None:
    part = page().select_one("#groups")
    assert part is not None
    assert words(part.h2) == "Groups and topics 1 of 2 groups holds together"
    assert [[words(cell) for cell in row.select("th, td")] for row in part.select("tbody tr")] == [
        [
            "Delivery 21 texts",
            "✓ holds together 0.41 within, 0.12 with Payment",
            "19 1 late, parcel, order 1 2 charged, card 1 text in no topic",
        ],
        [
            "Payment 19 texts",
            "✗ does not 0.22 within, 0.20 with Delivery",
            "11 2 charged, card 5 3 without a name 1 1 late, parcel, order 2 texts in no topic",
        ],
    ]
    assert all_words(part, ".ranked li") == [
        "12 I was billed two times for one order from Payment , but in topic 1, which is mostly Delivery"
    ]


def test_a_group_that_cannot_be_judged_says_so() -> None:
    table = small_collection().group_table
    assert table
    alone = replace(table.groups[0], within=None, nearest=None, between=None, lead=None, holds=None)
    part = page(group_table=replace(table, groups=(alone,), judged=0)).select_one("#groups")
    assert part is not None
    assert words(part.select_one("tbody td")) == "nothing to compare"
    assert words(part.h2) == "Groups and topics"


def test_each_query_has_its_best_texts_and_what_is_expected_is_checked() -> None:
    soup = page()
    assert all_words(soup, "#found > ol > li") == [
        "Where is my parcel? 0.71 3 The parcel arrived two weeks late 100% 0.50 8 My order is late again 99.9%"
    ]
    assert words(soup.select_one("#expected h2")) == "What was expected The claim holds"


def test_what_is_there_once_is_in_the_singular() -> None:
    table = small_collection().group_table
    assert table
    soup = page(
        topic_count=4,
        duplicate_groups=2,
        duplicate_texts=1,
        copies=1,
        numbered_groups=2,
        repeated_count=2,
        group_table=replace(table, group_count=3, stray_count=2),
        query_count=2,
        unassigned=1,
        loner_count=1,
        representatives=small_collection().representatives[:1],
    )
    said = words(soup.select_one(".top"))
    for expected in (
        "The other topic is only in complaints.csv",
        "The other group is in complaints.csv",
        "The other group is not shown",
        "The other repeated text is in",
        "The other text is in",
        "1 more query of the set is not shown",
        "1 text has no topic",
        "1 text says nearly the same as an earlier one",
        "1 row repeats an earlier text",
        "1 text is not above chance: on average no closer to its ten nearest neighbors",
        "1 text that covers 80%",
        "An unrelated text would cover",
    ):
        assert expected in said, expected
    assert not re.search(r"\b1 \w+ (are|have)\b|[Tt]he other 1\b|\b1 more (are|groups|topics)\b", said)


LARGE = large_collection()


@pytest.mark.parametrize(
    ("part", "shown", "said"),
    [
        (
            "topics",
            12,
            ["180 topics", "88 smaller topics", "The other 80 topics are only in complaints.csv"],
        ),
        (
            "duplicates",
            3 * 5,
            ["45 more groups", "The other 1,184 groups are in complaints.csv", "35 more are in"],
        ),
        (
            "duplicates",
            3 * 5,
            ["25 more are not shown", "15 more groups", "The other 412 groups are not shown"],
        ),
        ("duplicates", 3 * 5, ["15 more", "The other 2,980 repeated texts are in complaints.csv"]),
        ("loners", 5, ["45 more", "For every other text, see complaints.csv"]),
        ("representatives", 5, ["15 more"]),
        (
            "groups",
            5,
            [
                "30 more groups",
                "The other 650 groups are in complaints.csv",
                "45 more",
                "The other 8,950 texts are in",
                "8 more topics",
                "3,833 texts in other topics or none",
            ],
        ),
        ("found", 12, ["88 more queries", "30 more queries of the set are not shown"]),
    ],
)
def test_each_list_is_capped_and_says_how_many_more_there_are_and_where(
    large_page: BeautifulSoup, part: str, shown: int, said: list[str]
) -> None:
    found = large_page.select_one(f"#{part}")
    assert found is not None
    assert len(found.select(f"#{part} > ol > li, #{part} > .ranked > ol > li")) == shown
    assert [text for text in said if text not in words(found)] == []


def test_a_long_text_is_on_the_page_once_and_folded() -> None:
    text = "beginning " + "and so on " * 20 + "end"
    loner = small_collection().loners[0]._replace(text=Text(7, text))
    html = render(executed_collection(small_collection(loners=(loner,))))
    assert html.count(text) == 1
    found = BeautifulSoup(html, "html.parser").select_one("#loners .text")
    assert found is not None
    assert words(found.select_one("details:not([open]) > summary > bdi")) == text
    assert not page().select(".text details")


@pytest.mark.parametrize("text", ["word " * 80, "\u6587" * 400, "<" * 400, "\U0001f600" * 400])
def test_the_page_of_a_hundred_thousand_texts_is_below_two_megabytes(text: str) -> None:
    summary = large_collection(text)
    html = render(executed_collection(summary))
    assert len(html.encode()) < 2_000_000 - 2 * 340_000  # bytes of a map, twice
    length = longest(summary)
    assert length == 100 or sum(len(each.text[:length].encode()) for each in texts_of(summary)) <= BUDGET


# --- how it was done --------------------------------------------------------------------------------------------


def method(soup: Tag) -> dict[str, str]:
    return {words(row.th): words(row.td) for row in soup.select("#method tr")}


def test_the_method_says_the_numbers_that_it_chose() -> None:
    said = method(page())
    assert said["Reading"] == (
        "Of 44 rows, 2 are empty, 0 are too long, and 2 repeat an earlier text except for white space. That leaves "
        "40 texts."
    )
    assert "k = 10" in said["Neighbors"]
    assert "resolution is 1.25, chosen to give about 6 topics" in said["Topics"]
    assert "at least 3 texts" in said["Topics"]
    assert "without small words of English" in said["Topics"]
    assert "half of them score 0.06 or less, 99% score 0.29 or less" in said["Chance"]
    assert "above 0.29" in said["Representatives"]
    chosen = method(page(aim=None, resolution=2.0, limit=44, stop_words=None, cut=3, unreadable=1))
    assert "resolution is 2, which the set gives ( topics )" in chosen["Topics"]
    assert "only the first 44 rows." in chosen["Reading"]
    assert "small words" not in chosen["Topics"]
    assert "3 texts are longer than what it reads (8 tokens)" in chosen["Embeddings"]
    assert "It reads nothing in 1 text." in chosen["Embeddings"]


def test_the_method_says_what_the_room_collection_does() -> None:
    said = method(page())
    assert f"at least {duplicates.SIMILAR} " in said["Near-duplicates"]
    assert f"from {topics.FEWEST} to {topics.MOST}" in said["Topics"]
    assert f"at least {groups.CLEAR} " in words(page().select_one("#groups"))


def test_the_files_next_to_the_page_are_named_with_what_is_in_them() -> None:
    soup = page()
    names = ["complaints.csv", "complaints.neighbours.csv", "complaints.npy", "complaints.ipynb"]
    assert all_words(soup, "#files th") == names
    assert "similarity to neighbours" in words(soup.select_one("#files"))
    assert names[1] in words(soup.select_one("#provenance"))


def test_the_provenance_names_the_file_and_the_device() -> None:
    rows = {
        words(row.th): words(row.td)
        for row in page(model=replace(MODEL, device="cuda")).select("#provenance tr")
    }
    assert rows["The file"].startswith(f"texts/complaints.csv , SHA-256 {'1' * 64} ; 44 rows")
    assert rows["Ran on"] == "the GPU (CUDA)"
    assert rows["The set"] == "40 texts in 2 groups, 1 claim"


def test_the_thumbnail_shows_how_large_the_topics_are() -> None:
    rows = thumbnail(small_collection())
    assert [THUMBNAIL - row.count(TINTS[0]) for row in rows] == [12, 7, 3, *[0] * 9]
    assert [row[0] for row in rows[:4]] == [*TOPIC_HUES[:3], TINTS[0]]
    assert {len(row) for row in rows} == {THUMBNAIL}
    assert [row[0] for row in thumbnail(LARGE)] == [*TOPIC_HUES, *(TOPIC_GRAY,) * 6]
