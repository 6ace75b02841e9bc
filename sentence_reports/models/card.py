"""What a model's card says: README.md in its folder, whose first lines are YAML between two lines of hyphens."""

import re
from pathlib import Path

MOST = 50_000  # characters that are read of a card


def stated_languages(folder: Path) -> tuple[str, ...]:
    """Return the codes of the languages that the card of the model in a folder states, such as "en".

    They are in the card's order; nothing if there is no card, if it cannot be read, or if it states none.
    """
    import yaml

    try:
        with (folder / "README.md").open(encoding="utf-8") as file:
            head = re.match(r"---\s*\n(.*?)\n---\s*$", file.read(MOST), re.DOTALL | re.MULTILINE)
        # Texts only: to YAML, "no" is false and not Norwegian.
        card = yaml.load(head[1], yaml.BaseLoader) if head else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return ()
    stated = card.get("language") if isinstance(card, dict) else None
    codes = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    return tuple(
        code for code in codes if isinstance(code, str) and re.fullmatch(r"[A-Za-z][\w-]{1,30}", code)
    )
