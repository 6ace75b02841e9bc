"""What the tests of pages in a browser share: the one tab, and pages of hostile texts."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import Watched
from hostile_texts import HOSTILE, UNRULY_TEXTS
from support import MODEL, Ran, executed
from two_reports import hostile_difference

from sentence_reports.claim_records import Agreement, ClaimCheck, RatedPair, ReferenceCheck, Side
from sentence_reports.overview import pack
from sentence_reports.pages.difference import render_difference
from sentence_reports.pages.index import render_index
from sentence_reports.pages.render import render
from sentence_reports.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def visit(only_tab: "Page") -> Callable[..., Watched]:
    """Show a page in the one tab, in place of the page that is there."""
    watched = Watched(only_tab)

    def open_page(path: Path, scheme: str = "light", width: int = 1280) -> Watched:
        only_tab.goto("about:blank")
        only_tab.set_viewport_size({"width": width, "height": 800})
        only_tab.emulate_media(media="null", color_scheme=scheme)  # type: ignore[arg-type]
        watched.trouble.clear()
        only_tab.goto(path.as_uri())
        return watched

    return open_page


@pytest.fixture(scope="session")
def crafted(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A report, an index and a page of what changed, whose texts try to be more than text."""
    texts = (*HOSTILE[:3], *UNRULY_TEXTS, "\u0e4a" * 200, "longest" * 200)
    pairs = [Side("pair", pair, 0.123456 * k - 0.3) for k, pair in enumerate(pairwise(texts))]
    claims = [
        ClaimCheck("closer", k % 2 == 0, *sides, 0.05, texts[k]) for k, sides in enumerate(pairwise(pairs))
    ]
    for one, other in pairwise(texts):
        sides = Side("within", (one,), 0.5), Side("between", (one, other), 0.2)
        claims.append(ClaimCheck("together", True, *sides, because=other))
    changes = {
        "settings": {"title": texts[3], "description": "", "normalize": True, "claim": texts[4]},
        "sentences": texts,
        "labels": texts,
        "matrix": pack(np.eye(len(texts), dtype="f4")),
        "finding": (" ".join(texts), "and " + " ".join(reversed(texts))),
        "claims": tuple(claims),
        "notices": texts,
        "reference": ReferenceCheck(texts[3], texts[4], 0.1, compared=False),
        "agreement": Agreement(
            10, 0.5, (-0.1, 0.9), tuple(RatedPair(k, k + 1, -k, 0.5, 10, 90) for k in range(8))
        ),
        "model": replace(MODEL, prompt=texts[3], declared_prompts={text: text for text in texts}),
    }
    out = tmp_path_factory.mktemp("crafted")
    (out / "claims.html").write_text(render(executed(**changes)), encoding="utf-8")
    reports = [
        Report(
            *(text, text, text, text, 2),
            date="2026-01-02",
            closest=(text, text, 0.5),
            finding=(text,),
            checks=tuple(claim.check for claim in claims[k:]),
        )
        for k, text in enumerate(texts)
    ]
    (out / "index.html").write_text(render_index(reports), encoding="utf-8")
    (out / "diff.html").write_text(render_difference(hostile_difference(texts), *texts[:2]), encoding="utf-8")
    return Ran(0, "", "", out, out)
