"""Look at a page in a browser: what it asks for, which rules of WCAG it breaks, and how it paints its texts."""

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
VIEWS = [("light", 1280), ("dark", 360)]
SOME_VIEWS = [pytest.param(*VIEWS[0], marks=pytest.mark.slow), VIEWS[1]]  # a look at all rules takes seconds


class Watched:
    """A tab of the browser, with everything that its page asked for or complained of."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.trouble: list[str] = []
        page.on("console", lambda message: self.trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("dialog", self._asked_for_an_answer)
        page.on("request", self._asked)

    def _asked_for_an_answer(self, dialog: Any) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Any) -> None:
        if (
            request.url != self.page.url
            and not request.url.startswith("data:")
            and not request.is_navigation_request()
        ):
            self.trouble.append(f"request: {request.url}")


def violations(page: "Page") -> list[tuple[str, list[str]]]:
    """Return the rules of WCAG that a page breaks, with the beginnings of what breaks them."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=AXE).response["violations"]
    return [(rule["id"], [node["html"][:100] for node in rule["nodes"][:3]]) for rule in found]


def unfold(page: "Page") -> None:
    """Open all that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def check_width(watched: Watched, width: int, name: str) -> None:
    """Assert that a page is as wide as its window, also unfolded, and that it asked for nothing."""
    for _ in range(2):
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width, name
        unfold(watched.page)
    assert watched.trouble == [], name


# What holds a text of a set, each a box of its own.
BOXES = "bdi, q, h1, .headline p, .kicker, .lead, .full, .line, td, th"


def painted_outside_boxes(page: "Page") -> list[list[int]]:
    """Return the row and column of up to five pixels that a text paints outside its box."""
    page.add_style_tag(content=".card { content-visibility: visible !important }")
    unfold(page)

    def picture() -> NDArray[np.int16]:
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        return np.asarray(shot.convert("L"), dtype=np.int16)

    with_texts = picture()
    rectangles = page.evaluate(
        """boxes => [...document.querySelectorAll(boxes)].map(box => {
            const {left, top, right, bottom} = box.getBoundingClientRect();
            return [left, top + scrollY, right, bottom + scrollY];
        })""",
        BOXES,
    )
    page.add_style_tag(content=f":is({BOXES}), :is({BOXES}) * {{ color: transparent !important }}")
    changed = np.abs(with_texts - picture()) > 8
    assert changed.any()
    for left, top, right, bottom in rectangles:
        margin = 7  # .2em of the largest text, the title
        rows = slice(max(0, math.floor(top) - margin), math.ceil(bottom) + margin)
        changed[rows, max(0, math.floor(left) - margin) : math.ceil(right) + margin] = False
    return np.argwhere(changed)[:5].tolist()


def reordered_texts(page: "Page") -> list[str]:
    """Return the texts outside boxes whose characters are not in the order in which they were written."""
    unfold(page)
    return page.evaluate(
        """boxes => {
            const found = [], nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (nodes.nextNode()) {
                const node = nodes.currentNode;
                if (node.parentElement.closest(boxes + ", math, svg, style")) continue;
                let last, depth = 0;
                for (let k = 0; k < node.length; k++) {
                    // isolated by marks of its own, as plain text has to be
                    depth += /[\\u2066-\\u2068]/.test(node.data[k]) - /\\u2069/.test(node.data[k]);
                    if (depth) continue;
                    const range = new Range();
                    range.setStart(node, k);
                    range.setEnd(node, k + 1);
                    const place = range.getClientRects()[0];
                    if (last && place && place.top === last.top && place.left < last.left) found.push(node.data);
                    last = place;
                }
            }
            return [...new Set(found)];
        }""",
        BOXES,
    )
