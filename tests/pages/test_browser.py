"""The pages in a real browser: they ask for nothing, run nothing, and can be read by everybody."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from browsing import SOME_VIEWS, VIEWS, Watched, painted_outside_boxes, reordered_texts, violations
from bs4 import BeautifulSoup
from hostile_texts import HOSTILE, MARKS, UNRULY_TEXTS
from support import Ran, ran_once

from sentence_reports.texts import isolated

SCRIPTS = ["中文句子在这里", "नमस्ते दुनिया", "مرحبا بالعالم", "🙂🚗 emoji", "Ελληνικά", "from $100 to $1000"]
CONTROLS = [
    "a bell \x07 and red \x1b[31m \x9b32m \x85",
    "\r carriage\rreturns",
    "line\nbreaks\u2028 of\x0b  all\x0c kinds\n",
]
LONG = "word " * 20_000
UNRULY = {
    "title": "Turned \u202eround",
    "description": "Turned \u202eround\nand a" + MARKS,
    "sentences": {
        "group \u202eone": UNRULY_TEXTS,
        "\u0e4a" * 200: ["one", f"b{MARKS}", "\u0e4a" * 199 + "x", "اثنان 12", "two"],
    },
    "claim": f"A claim \u202eand its end{MARKS}",
    "expect": [
        {"closer": [1, 2], "than": [2, 3], "because": f"marks on a{MARKS} letter \u202eand more"},
        {"unrelated": [4, "اثنان 12"], "because": "<script>alert(1)</script>"},
        {"related": [7, 8], "because": "longest" * 100},
        {"together": "group \u202eone"},
    ],
    "ratings": [[1, 2, 5], [1, 3, 4], [4, 5, 1], [4, 8, 0.5], [6, 7, -2], [8, 9, 3]],
}


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory, call_at_home: Callable[..., Ran]) -> Ran:
    """Reports of sets that try to be more than text, or that hold many scripts, or much."""
    many = [f"Sentence number {k} of a long list speaks of the number {k}" for k in range(1, 41)]
    sets: dict[str, dict[str, Any]] = {
        "hostile": {
            "title": HOSTILE[0],
            "description": "\n".join(HOSTILE),
            "sentences": {HOSTILE[2]: [*HOSTILE, LONG]},
        },
        "scripts": {"sentences": SCRIPTS + CONTROLS},
        "forty": {"sentences": many},
        "unruly": UNRULY,
        "lost": {"title": UNRULY["title"] + MARKS, "sentences": ["one", "two"], "model": "./no \u202efolder"},
        "broken": {"title": HOSTILE[1], "sentences": ["one", "two"], "model": "./no <b>such</b> folder"},
    }

    def run(folder: Path) -> Ran:
        params = folder / "params"
        params.mkdir()
        for stem, keys in sets.items():
            values = {"model": "sentence-transformers/all-MiniLM-L6-v2"} | keys
            text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
            (params / f"{stem}.yaml").write_text(text, encoding="utf-8")
        ran = call_at_home("run", "--project", folder, "--out", folder / "out", home=folder)
        return replace(ran, out=folder / "out")

    return ran_once(tmp_path_factory, "odd", run)


def every_page(shipped: Ran, odd: Ran) -> list[Path]:
    return sorted(shipped.out.glob("*.html")) + sorted(odd.out.glob("*.html"))


def test_the_odd_sets_are_reports_and_only_the_broken_one_fails(odd: Ran) -> None:
    assert odd.code == 1
    assert sorted(path.stem for path in odd.out.glob("*.html")) == [
        *("forty", "hostile", "index", "scripts", "unruly")
    ]


def test_every_page_asks_for_nothing_has_an_outline_and_fits_its_window(
    visit: Callable[..., Watched], shipped: Ran, odd: Ran
) -> None:
    for path in every_page(shipped, odd):
        watched = visit(path)
        broken = watched.page.locator("img").evaluate_all("all => all.filter(i => !i.naturalWidth).length")
        assert broken == 0, path.name
        tags = watched.page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(h => h.tagName)")
        levels = [int(tag[1]) for tag in tags]
        assert levels[0] == 1, path.name
        assert levels.count(1) == 1, path.name
        assert all(after <= before + 1 for before, after in pairwise(levels)), path.name
        for width in (1280, 360):
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert watched.page.evaluate("document.documentElement.scrollWidth") == width, path.name
        assert watched.trouble == [], path.name


@pytest.mark.parametrize(
    ("stem", "scheme", "width"),
    [("blog", "light", 1280), ("index", "dark", 360)],  # test_none_of_all_pages has the rest
)
def test_no_page_breaks_a_rule_of_wcag(
    visit: Callable[..., Watched], shipped: Ran, stem: str, scheme: str, width: int
) -> None:
    assert violations(visit(shipped.out / f"{stem}.html", scheme, width).page) == []


@pytest.mark.parametrize(("stem", "scheme", "width"), [("index", "light", 360)])
def test_no_odd_page_breaks_a_rule_of_wcag(
    visit: Callable[..., Watched], odd: Ran, stem: str, scheme: str, width: int
) -> None:
    assert violations(visit(odd.out / f"{stem}.html", scheme, width).page) == []


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_none_of_all_pages_breaks_a_rule_of_wcag(
    visit: Callable[..., Watched], shipped: Ran, odd: Ran, scheme: str, width: int
) -> None:
    for path in every_page(shipped, odd):
        assert violations(visit(path, scheme, width).page) == [], path.name


@pytest.fixture(params=["odd/unruly", "odd/index", "crafted/claims", "crafted/index", "crafted/diff"])
def unruly(request: pytest.FixtureRequest) -> Path:
    """A page of texts that try to leave their boxes."""
    made, stem = request.param.split("/")
    folder: Path = request.getfixturevalue(made).out
    return folder / f"{stem}.html"


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_no_text_paints_outside_its_box(visit: Callable[..., Watched], unruly: Path, width: int) -> None:
    assert painted_outside_boxes(visit(unruly, width=width).page) == []


def test_no_text_reorders_what_is_around_it(visit: Callable[..., Watched], unruly: Path) -> None:
    assert reordered_texts(visit(unruly).page) == []


def test_a_hostile_set_is_only_text(visit: Callable[..., Watched], odd: Ran) -> None:
    watched = visit(odd.out / "hostile.html")
    page = watched.page
    assert page.title() == HOSTILE[0]
    assert page.locator(".kicker").inner_text() == HOSTILE[0]
    assert page.locator("script, iframe, a[href^='javascript'], [onerror], [onload]").count() == 0
    quoted = page.locator("main").text_content() or ""
    assert all(sentence in quoted for sentence in [*HOSTILE, LONG])
    assert "Sentence 7 was cut at 256 of 20002 tokens" in quoted
    assert watched.trouble == []


def test_every_script_and_control_character_is_there(visit: Callable[..., Watched], odd: Ran) -> None:
    page = visit(odd.out / "scripts.html").page
    sentences = enumerate(SCRIPTS + CONTROLS, start=1)
    whole = page.locator(".matrix thead .full").all_text_contents()
    assert whole == [f"{number} · {text}" for number, text in sentences]
    listed = page.locator(".output ol").first.locator("li").all_text_contents()
    assert listed == [isolated(text) for text in SCRIPTS + CONTROLS]
    assert not {"\x07", "\x1b", "\x9b", "\x85"} & set(odd.stdout + odd.stderr)


def test_hostile_claims_are_only_text(visit: Callable[..., Watched], crafted: Ran) -> None:
    for stem in ("claims", "index"):
        watched = visit(crafted.out / f"{stem}.html")
        assert watched.page.locator("script, iframe, main img, [onerror], [onload]").count() == 0
        assert all(text in (watched.page.text_content("body") or "") for text in HOSTILE[:3])
        assert watched.trouble == []


@pytest.mark.parametrize(("scheme", "width"), SOME_VIEWS)
def test_claims_break_no_rule_of_wcag_and_are_not_wider_than_the_window(
    visit: Callable[..., Watched], crafted: Ran, scheme: str, width: int
) -> None:
    for stem in ("claims", "index"):
        page = visit(crafted.out / f"{stem}.html", scheme, width).page
        assert page.evaluate("document.documentElement.scrollWidth") == width, stem
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width, stem
        assert violations(page) == [], stem


def test_a_hostile_failure_is_only_text_on_the_index(visit: Callable[..., Watched], odd: Ran) -> None:
    failed = visit(odd.out / "index.html").page.locator(".failed")
    assert HOSTILE[1] in (failed.text_content() or "")
    assert "./no <b>such</b> folder" in (failed.text_content() or "")
    assert failed.locator("img, a, svg").count() == 0


def test_one_control_shows_all_code(visit: Callable[..., Watched], shipped: Ran) -> None:
    page = visit(shipped.out / "blog.html").page
    code = page.locator(".code pre")
    assert code.count() > 20
    assert not code.first.is_visible()
    page.get_by_label("Show all code").check()
    assert all(code.nth(k).is_visible() for k in range(code.count()))
    page.get_by_label("Show all code").uncheck()
    page.locator(".code summary").first.click()
    assert code.first.is_visible()
    assert not code.nth(1).is_visible()


def test_answers_are_folded_until_they_are_asked_for(visit: Callable[..., Watched], shipped: Ran) -> None:
    page = visit(shipped.out / "blog.html").page
    answers = page.locator(".output details")
    assert answers.count() == 2 + 3 + 2 * 8  # in the lesson, in its quiz, with its exercises
    assert not any(answers.nth(k).locator("p").is_visible() for k in range(answers.count()))
    for k in range(2):
        answers.nth(k).locator("summary").click()
        assert answers.nth(k).locator("p").is_visible()
    assert "Remove jalapeños" in answers.nth(1).locator("p").inner_text()
    assert "Fideua" in answers.nth(1).locator("p").inner_text()


def test_what_the_model_cannot_read_is_marked(visit: Callable[..., Watched], odd: Ran) -> None:
    pieces = visit(odd.out / "scripts.html").page.locator("#tokens-step .scroll p")
    assert pieces.count() == len(SCRIPTS + CONTROLS) + 1
    assert pieces.nth(3).locator("mark").all_text_contents() == ["[UNK]"]
    assert pieces.nth(4).locator("mark").count() == 0


def test_contents_stay_in_view_or_fold_on_a_phone(visit: Callable[..., Watched], shipped: Ran) -> None:
    wide = visit(shipped.out / "blog.html").page
    wide.locator("#provenance").scroll_into_view_if_needed()
    last = wide.get_by_role("link", name="Where the numbers come from")
    assert last.is_visible()
    assert 0 <= last.bounding_box()["y"] < 800  # type: ignore[index]
    narrow = visit(shipped.out / "blog.html", width=360).page
    assert not narrow.get_by_role("link", name="Your turn").is_visible()
    narrow.get_by_text("Contents", exact=True).click()
    narrow.get_by_role("link", name="Your turn").click()
    assert narrow.url.endswith("#your-turn")


def test_a_headers_whole_sentence_shows_on_focus_and_on_hover(
    visit: Callable[..., Watched], shipped: Ran
) -> None:
    page = visit(shipped.out / "blog.html").page
    header = page.locator(".matrix th[scope=row]").nth(2)
    whole = header.locator(".full")
    assert not whole.is_visible()
    header.focus()
    assert whole.is_visible()
    assert whole.inner_text().startswith("3 · Esplanade MRT station is an underground Mass Rapid Transit")
    page.locator("h1").hover()
    page.get_by_label("Show all code").focus()
    page.locator(".matrix thead th").first.hover()
    assert page.locator(".matrix thead th .full").first.is_visible()


def test_the_whole_heatmap_of_fifteen_sentences_is_in_a_window_of_1280_with_text_of_12_pixels(
    visit: Callable[..., Watched], shipped: Ran
) -> None:
    for width in (1280, 360):
        page = visit(shipped.out / "four-topics.html", width=width).page
        matrix = page.locator(".matrix")
        if width == 1280:
            assert matrix.evaluate("box => box.scrollWidth <= box.clientWidth")
            assert page.locator(".matrix tr").last.bounding_box()["y"] < 800  # type: ignore[index]
        sizes = page.locator(".top :is(th, td, p, li, .label, bdi, span)").evaluate_all(
            "all => all.filter(e => e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12


def test_on_a_phone_row_labels_stay_while_the_heatmap_scrolls_and_only_what_is_hidden_fades(
    visit: Callable[..., Watched], shipped: Ran
) -> None:
    page = visit(shipped.out / "four-topics.html", width=360).page
    matrix, cell = page.locator(".matrix"), page.locator(".matrix thead th").last
    label = page.locator(".matrix th[scope=row]").last
    right = "e => e.getBoundingClientRect().right"
    fades_from = matrix.evaluate(right) - 24
    assert "transparent" in matrix.evaluate("box => getComputedStyle(box).maskImage").replace(
        "rgba(0, 0, 0, 0)", "transparent"
    )
    assert cell.evaluate(right) > fades_from
    matrix.evaluate("box => box.scrollLeft = box.scrollWidth")
    assert cell.evaluate(right) <= fades_from + 1
    assert label.evaluate(right) < fades_from
    assert label.evaluate("e => e.getBoundingClientRect().left") >= 16


def test_a_cell_without_room_for_its_number_shows_it_when_pointed_at(
    visit: Callable[..., Watched], odd: Ran
) -> None:
    page = visit(odd.out / "forty.html").page
    cell = page.locator(".matrix td[style]").nth(5)
    shown = "cell => getComputedStyle(cell.firstChild).opacity"
    assert cell.evaluate(shown) == "0"
    cell.hover()
    assert cell.evaluate(shown) == "1"


def test_the_numbers_can_be_saved_from_the_page_itself(visit: Callable[..., Watched], shipped: Ran) -> None:
    watched = visit(shipped.out / "blog.html")
    with watched.page.expect_download() as download:
        watched.page.get_by_text("Download the numbers (CSV)").click()
    assert download.value.suggested_filename == "blog.csv"
    assert download.value.path().read_bytes() == (shipped.out / "blog.csv").read_bytes()
    assert watched.trouble == []


def test_a_picture_can_be_seen_in_its_full_size(visit: Callable[..., Watched], odd: Ran) -> None:
    page = visit(odd.out / "forty.html", width=360).page
    figure = page.locator(".figure").first
    picture = figure.locator("img")
    fitted = picture.bounding_box()["width"]  # type: ignore[index]
    figure.get_by_label("Full size").check()
    assert picture.bounding_box()["width"] > 1.3 * fitted  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_on_paper_the_controls_are_gone(visit: Callable[..., Watched], shipped: Ran) -> None:
    page = visit(shipped.out / "blog.html", scheme="dark").page
    page.emulate_media(media="print")
    assert page.locator(".matrix table").is_visible()
    assert not page.locator(".toc").is_visible()
    assert not page.locator(".code").first.is_visible()
    assert not page.get_by_text("Full size").first.is_visible()


def test_on_paper_no_claim_is_folded(visit: Callable[..., Watched], crafted: Ran) -> None:
    page = visit(crafted.out / "claims.html").page
    folded = page.locator("#expected details .claims > li")
    assert not folded.first.is_visible()
    page.emulate_media(media="print")
    assert folded.last.is_visible()


def test_light_and_dark_follow_the_reader(visit: Callable[..., Watched], shipped: Ran) -> None:
    paper = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    for stem in ("blog", "index"):
        light, dark = (
            visit(shipped.out / f"{stem}.html", scheme).page.evaluate(paper) for scheme in ("light", "dark")
        )
        assert min(light[:3]) > 200
        assert max(dark[:3]) < 60


def test_the_page_says_itself_what_it_may_do(visit: Callable[..., Watched], shipped: Ran) -> None:
    """The policy is live: what an attacker might yet get in would not run."""
    watched = visit(shipped.out / "blog.html")
    with watched.page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        watched.page.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:9/x.png'}))"
        )
    policies = []
    for path in shipped.out.glob("*.html"):
        head = path.read_text(encoding="utf-8").partition("</head>")[0]
        soup = BeautifulSoup(head, "html.parser")
        policies += [tag["content"] for tag in soup.select('meta[http-equiv="Content-Security-Policy"]')]
    assert len(policies) > 4
    assert set(policies) == {"default-src 'none'; style-src 'unsafe-inline'; img-src data:"}
