"""Collect real sentences from this machine: man pages and the documentation of installed packages.

Writes one sentence per line as JSON: ``{"text": …, "source": …}``, the source being a section of the manual
("man1") or "python". Sentences are distinct, and in an order that depends on them only.
Usage: collect.py OUT.jsonl [--limit 100000]
"""

import argparse
import gzip
import json
import re
import site
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

MANUAL = Path("/usr/share/man")
INLINE = re.compile(r"\\f(?:\[\w*\]|\(..|.)|\\s[-+]?\d|\\[&%|^/,]|\\\*(?:\[.*?\]|\(..|.)")
SPECIAL = {
    r"\-": "-",
    r"\(aq": "'",
    r"\(dq": '"',
    r"\(co": "©",
    r"\e": "\\",
    r"\ ": " ",
    r"\~": " ",
    r"\'": "'",
}
FONTS = re.compile(r"^\.(?:B|I|BR|BI|IR|RB|RI|IB|SM|SB)\s+")
END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
MARKUP = re.compile(r"[`*_|<>{}\[\]=~^$\\]{1,}")


def paragraphs_of_manual(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a man page, without its markup."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        lines: list[str] = []
        literal = False
        for line in file:
            literal = (literal or line.startswith((".nf", ".EX", ".Vb"))) and not line.startswith(
                (".fi", ".EE", ".Ve")
            )
            if FONTS.match(line) and not literal:
                line = FONTS.sub("", line).replace('"', "")
            if literal or line.startswith((".", "'")) or not line.strip():
                yield " ".join(lines)
                lines = []
                continue
            line = INLINE.sub("", line)
            for mark, sign in SPECIAL.items():
                line = line.replace(mark, sign)
            lines.append(line.strip())
        yield " ".join(lines)


def paragraphs_of_package(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a package's description (METADATA), without code blocks and tables."""
    text = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")[2]
    for paragraph in re.split(r"\n\s*\n", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if not paragraph.startswith((" ", "\t", "|", "#", ">>>", "..")):
            yield " ".join(paragraph.split())


def sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph that are whole: 5 to 60 words that begin and end like a sentence."""
    for sentence in END.split(paragraph):
        words = sentence.split()
        letters = sum(letter.isalpha() for letter in sentence)
        whole = sentence[:1].isupper() and sentence.endswith((".", "!", "?")) and "http" not in sentence
        if whole and 5 <= len(words) <= 60 and letters > 0.7 * len(sentence) and not MARKUP.search(sentence):
            yield " ".join(words)


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description="collect sentences from man pages and package descriptions")
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=100_000)
    options = parser.parse_args()
    source_of: dict[str, str] = {}
    pages = sorted(path for path in MANUAL.glob("man[1-8]/*.gz") if path.is_file() and not path.is_symlink())
    for path in pages:
        for paragraph in paragraphs_of_manual(path):
            for sentence in sentences(paragraph):
                source_of.setdefault(sentence, path.parent.name)
    for folder in [*site.getsitepackages(), "/usr/lib/python3/dist-packages"]:
        for path in sorted(Path(folder).glob("*.*-info/METADATA")):
            for paragraph in paragraphs_of_package(path):
                for sentence in sentences(paragraph):
                    source_of.setdefault(sentence, "python")
    chosen = sorted(source_of, key=lambda text: sha256(text.encode()).digest())[: options.limit]
    with options.out.open("w", encoding="utf-8") as file:
        for text in chosen:
            print(json.dumps({"text": text, "source": source_of[text]}, ensure_ascii=False), file=file)
    print(f"{len(source_of):,} distinct sentences, {len(chosen):,} written")


if __name__ == "__main__":
    main()
