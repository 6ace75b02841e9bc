"""The command `sentence-reports`."""

import sys

from sentence_reports import process


def main() -> int:
    """Run one command and give its exit code."""
    process.defer()  # before the imports, which take a moment
    from sentence_reports import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
