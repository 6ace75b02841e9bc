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
    from sentence_reports import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
