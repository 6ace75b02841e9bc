"""Texts as they can be shown: a name that is no Unicode, a text too long for its place, a page for browsers."""


def legible(name: str) -> str:
    """A file's name as text: bytes in it that are not UTF-8 become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def shorten(text: str, size: int) -> str:
    """The text on one line, with ``...`` behind its first `size` characters where it has more."""
    line = " ".join(text.split())
    return line if len(line) <= size else line[:size] + "..."


def exact(html: str) -> str:
    """The page with its carriage returns as references: bare ones would be line feeds to a browser."""
    return html.replace("\r", "&#13;")
