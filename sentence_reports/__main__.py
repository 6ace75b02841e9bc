"""The command `sentence-reports`."""

import os
import sys

from sentence_reports import process, streams


def main() -> int:
    """Run one command and return its exit code."""
    streams.secure()  # before anything opens a file
    process.defer()  # before the imports, which take a moment
    absolute = process.with_absolute_folders(os.environ)
    os.environ.clear()
    os.environ.update(absolute)
    # jsonschema, which nbformat imports, would build a parser of web addresses with it: a second, for a format that no
    # notebook's schema has. It does without if this is not there.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from sentence_reports import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
