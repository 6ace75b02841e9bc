"""The colors of pictures and of pages: CSS variables that follow the reader's scheme, light or dark.

Pictures are drawn in the light colors, which then become variables with those colors as fallbacks. Six hues differ in
lightness as well as in hue, so that they can be told apart in grayscale and with any color-vision deficiency. They are
for marks (dots, brackets), which stand out by 3 to 1 at least; text is in ink.
"""

import re

COLORS = {
    "--ink": ("#1c1e21", "#e6e6e3"),
    "--quiet": ("#565c64", "#a9adb3"),
    "--faint": ("#c3c8ce", "#4b5058"),
    "--ground": ("#fffffe", "transparent"),  # no color map has exactly this white
    "--hue1": ("#065a85", "#9fd0fe"),
    "--hue2": ("#dd482c", "#fe977d"),
    "--hue3": ("#804bc8", "#9c68de"),
    "--hue4": ("#173800", "#337a01"),
    "--hue5": ("#02a0ae", "#10a9b8"),
    "--hue6": ("#850344", "#fedde6"),
}
SCHEMES = {
    "light": {name: light for name, (light, _) in COLORS.items()} | {"--ground": "transparent"},
    "dark": {name: dark for name, (_, dark) in COLORS.items()},
}
"""The values of the variables on a page, whose ground shows through the pictures."""

INK, QUIET, FAINT, GROUND, *HUES = (light for light, _ in COLORS.values())
TOPIC_HUES = ("#2a86b8", "#dd482c", "#8f62d8", "#4c8c1e", "#b8860b", "#c2478a")
"""The colors of a collection's largest topics, on its map and next to their names: 3 to 1 from both grounds."""
TOPIC_GRAY = "#868c94"
"""The color of all other topics on its map."""
_VARIABLES = {light: f"var({name}, {light})" for name, (light, _) in COLORS.items()}
# What follows a tag is text: a sentence may name a color.
_DRAWN = re.compile(f">[^<]*|{'|'.join(_VARIABLES)}")


def with_variables(svg: str) -> str:
    """Return an SVG with the variable in place of each color of these in its tags; its texts stay as they are."""
    return _DRAWN.sub(lambda match: _VARIABLES.get(match[0], match[0]), svg)


def following_scheme(svg: str) -> str:
    """Return an SVG whose variables have the values of the scheme of the page that it is on."""
    rules = {
        scheme: "svg{" + ";".join(f"{name}:{value}" for name, value in values.items()) + "}"
        for scheme, values in SCHEMES.items()
    }
    style = f"<style>{rules['light']}@media(prefers-color-scheme:dark){{{rules['dark']}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda start: start[0] + style, svg, count=1)
