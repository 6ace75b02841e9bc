"""A file of texts as a stream: decompressed, decoded line by line, and hashed on the way."""

import codecs
import gzip
import hashlib
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.opening import opened, refusal
from sentence_reports.sets.quoting import show

MAX_LINE = 10_000_000  # characters; a longer line is not held in memory
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
SHOWN_AROUND = 15  # characters on each side of a byte that is wrong


class TextStream:
    """An open file of texts. It is read once; `sha256` is that of its bytes as they are on disk."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._hashed = _Hashed(file)
        self._stored = io.BufferedReader(self._hashed, 1 << 17)
        self._before = self._state()

    def lines(self, *, newline: str | None = "") -> Iterator[str]:
        """Yield the lines of a text file, with their ends. `newline` is that of `open`.

        Raises SetError, with line and column, if the file is neither UTF-8 nor UTF-16 with a byte order mark, holds
        NUL, or has a line of more than `MAX_LINE` characters.
        """
        binary: Any = self._stored
        if self.path.suffix.lower() == ".gz":
            binary = io.BufferedReader(gzip.GzipFile(fileobj=self._stored), 1 << 17)  # type: ignore[arg-type]
        head = binary.peek(4)[:4]
        encoding = next((name for mark, name in ENCODINGS if head.startswith(mark)), "utf-8")
        if encoding is None:
            raise refusal(self.path, None, "the file is in UTF-32. Save it as UTF-8.")
        text = io.TextIOWrapper(binary, encoding=encoding, errors="surrogateescape", newline=newline)
        number = 0
        try:
            for number, line in enumerate(iter(lambda: text.readline(MAX_LINE + 1), ""), start=1):
                if len(line) > MAX_LINE:
                    message = f"the line has more than {MAX_LINE:,} characters."
                    raise refusal(self.path, number, message)
                if (not line.isascii() or "\0" in line) and (stray := NOT_TEXT.search(line)):
                    raise _undecodable(self.path, number, line, stray.start())
                yield line
        except UnicodeDecodeError as error:
            message = f"the file begins as UTF-16 and is not valid in it ({error.reason}). Save it as UTF-8."
            raise refusal(self.path, number + 1, message) from error

    def sha256(self) -> str:
        """Read the rest of the file and return its hash. Raises SetError if the file changed since it was opened."""
        while self._hashed.readinto(bytearray(1 << 20)):
            pass
        if self.changed:
            raise refusal(self.path, None, CHANGED)
        return self._hashed.digest.hexdigest()

    @property
    def changed(self) -> bool:
        """Whether the file's size or time of change is another one than when it was opened."""
        return self._state() != self._before

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns


CHANGED = "the file changed while it was read. Run again once it is complete."


@contextmanager
def streamed(path: Path) -> Iterator[TextStream]:
    """Open a file of texts. Raises SetError for whatever keeps it from being read to its end."""
    with opened(path, "`file` must name a file") as file:
        stream = TextStream(path, file)
        try:
            yield stream
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            message = CHANGED if stream.changed else f"the file is not a complete gzip file ({error})."
            raise refusal(path, None, message) from error
        except SetError as error:
            if stream.changed:
                raise refusal(path, None, CHANGED) from error
            raise


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file without looking at what it holds. Raises SetError if it cannot be read."""
    with streamed(path) as stream:
        return stream.sha256()


class _Hashed(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        self.digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def _undecodable(path: Path, number: int, line: str, offset: int) -> SetError:
    """Return the error of a character that is not text: NUL, or a byte that does not belong to UTF-8."""
    if line[offset] == "\0":
        message = "there is a NUL here, which a text cannot contain. Remove it; if every other byte is NUL, the file "
        message += "is in UTF-16 without a byte order mark. Save it as UTF-8."
    else:
        around = line[max(0, offset - SHOWN_AROUND) : offset + SHOWN_AROUND].strip()
        read = around.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
        message = f"the byte 0x{ord(line[offset]) & 0xFF:02X} is not valid UTF-8. The file is probably in Latin-1, in "
        message += f"which this reads {show(read)}. Save it as UTF-8."
    return SetError((Problem(str(path), number, offset + 1, message),))
