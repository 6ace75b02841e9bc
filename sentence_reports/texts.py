"""Texts as they can be shown: names that are no Unicode, long ones, on a terminal, in a page for browsers."""


def legible(name: str) -> str:
    """A file's name as text: bytes in it that are not UTF-8 become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def shorten(text: str, size: int) -> str:
    """The text on one line, with ``...`` behind its first `size` characters where it has more."""
    line = " ".join(text.split())
    return line if len(line) <= size else line[:size] + "..."


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal written as an escape; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def exact(html: str) -> str:
    """The page with its carriage returns as references: bare ones would be line feeds to a browser."""
    return html.replace("\r", "&#13;")
