"""From set files to reports on disk: what is stale is run, the rest is left alone, failures stop nobody else."""

import csv
import errno
import hashlib
import io
import json
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from sentence_reports import process
from sentence_reports.errors import (
    ExecutionError,
    ModelError,
    OutputError,
    Problem,
    RenderError,
    SentenceReportsError,
    SetError,
    UsageError,
)
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import HANDOVER, FoundModel, Request, find_model, folder_stamp, handover
from sentence_reports.pages.index import Report, render_index
from sentence_reports.sets import SetFile, read_set
from sentence_reports.texts import legible

if TYPE_CHECKING:
    from nbformat import NotebookNode

PACKAGE = Path(__file__).parent
PROJECT = PACKAGE.parent
NOTEBOOK = PROJECT / "notebooks" / "walkthrough.ipynb"
STATE = ".sentence-reports.json"
LOCK = ".sentence-reports.lock"
TEMPORARY = ".sentence-reports.tmp"
REHEARSAL = "sentence_reports.lesson.rehearsal:rehearse"
SET_SUFFIXES = (".yaml", ".yml")
# What a kernel with a loaded model takes at most, roughly: by itself, and beyond what it shares with its server.
KERNEL_BYTES, WARM_KERNEL_BYTES = 1_500_000_000, 800_000_000


class Listener(Protocol):
    """Hears how a run goes; `cli.py` turns it into words and a progress bar."""

    def warn(self, words: str) -> None:
        """Something that the author should know of."""

    def begin(self, total: int) -> None:
        """`total` sets are about to be run."""

    def done(self, report: Report) -> None:
        """One set is through, well or not."""


@dataclass(frozen=True)
class Options:
    """How to run: where to, how many sets at once (None: what cores and memory allow), and what is allowed."""

    out: Path
    jobs: int | None = None
    force: bool = False
    strict: bool = False
    timeout: float = 900.0
    cold: bool = False  # ordinary kernels, which take some seconds each to start
    notebook: Path = NOTEBOOK


@dataclass
class _Run:
    """One run over a folder: its options, its state, and the kernels that are at work now."""

    options: Options
    listener: Listener
    state: dict[str, Report]
    code: str
    date: str
    models: dict[Request, FoundModel] = field(default_factory=dict)
    missing: dict[Request, ModelError] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    kernels: Kernels = field(default_factory=Kernels)


def find_sets(folder: Path) -> list[Path]:
    """The set files of a folder, by name; none where there is no such folder.

    Raises UsageError where one may not look into it.
    """
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise UsageError(f"cannot look into {folder}: {error.strerror or error}") from error
    return [path for path in paths if path.suffix in SET_SUFFIXES and not path.name.startswith(".")]


def read_sets(paths: Iterable[Path]) -> tuple[list[SetFile], dict[str, SetError]]:
    """Read every set; give the good ones in order, and what is wrong with the others by stem."""
    # realpath, since Path.resolve raises where a link leads to itself
    paths = list({(os.path.realpath(path), path.stem): path for path in paths}.values())
    good: list[SetFile] = []
    bad: dict[str, SetError] = {}
    for path in paths:
        process.check()
        try:
            if (words := _name_problem(path, paths)) is not None:
                raise SetError((Problem(str(path), None, None, words),))
            good.append(read_set(path))
        except SetError as error:
            stem = _stem(path)
            known = bad[stem].problems if stem in bad else ()
            bad[stem] = SetError(known + error.problems)
    return good, bad


def _name_problem(path: Path, paths: Sequence[Path]) -> str | None:
    if path.suffix not in SET_SUFFIXES:
        return f"not a set file: its name must end in {' or '.join(SET_SUFFIXES)}"
    if legible(path.stem) != path.stem:
        return "the file's name is not UTF-8, so no page can show it. Rename the file"
    if path.stem.casefold() == "index":
        return "a set cannot be called index: its page would be the list of all reports. Rename the file"
    others = [p for p in paths if p != path and _stem(p).casefold() == _stem(path).casefold()]
    if others:
        return f"its report would have the same name as that of {others[0]}. Rename one of the two"
    return None


def _stem(path: Path) -> str:
    """What a set's report is called; a file that is no set goes by a name that no set can have."""
    return legible(path.stem if path.suffix in SET_SUFFIXES else f"./{path.name}")


def run(
    paths: Sequence[Path],
    options: Options,
    listener: Listener,
    kernels: Kernels | None = None,
) -> list[Report]:
    """Make the report of every set that is stale, and the index; give what is known of each set, in order.

    A report with a `failure` is one that could not be made, whatever the cause. One run at a time works in an
    output folder; another waits for it. Kernels come from `kernels`, or from those that this run starts and
    stops. Raises UsageError where the folder or the notebook cannot be used or the date is none, and
    OutputError where the index cannot be written.
    """
    good, bad = read_sets(paths)
    for problem in (problem for each in good for problem in each.warnings):
        listener.warn(str(problem))
    for error in bad.values():
        listener.warn(str(error))
    with _lock(options.out, listener), _without_leftovers(options.out):
        work = _Run(options, listener, _read_state(options.out), _code_digest(options.notebook), _today())
        work.kernels = kernels or new_kernels(options)
        # Before anything is read for a report: what changes from now on is stale.
        work.digests = {each.stem: _digest(work, each) for each in good}
        for stem, error in bad.items():
            path = next(path for path in paths if _stem(path) == stem)
            reason = _first_words(error)
            work.state[stem] = _failed(work, stem, path, reason, title=title_of(stem), model="", n=0)
        try:
            stale = _stale(work, good)
            if stale:
                _make(work, stale)
        finally:
            if kernels is None:
                work.kernels.stop()
        reports = [work.state[stem] for stem in dict.fromkeys(map(_stem, paths))]
        _close(work)
    return reports


def _lock(out: Path, listener: Listener) -> AbstractContextManager[FileLock]:
    """Hold the output folder for one run, until the block ends or the process does; wait for another's end."""
    try:
        make_usable(out)
        lock = FileLock(out / LOCK)
        try:
            return lock.acquire(blocking=False)
        except Timeout:
            listener.warn(f"another run works in {out}; waiting until it is through")
            while True:
                process.check()
                with suppress(Timeout):
                    return lock.acquire(timeout=process.PIECE)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"cannot write to {out}: {reason}. Another folder: --out DIR") from error


def make_usable(out: Path) -> None:
    """Make the output folder, or see that it can be written to. Raises OSError where it cannot."""
    if os.path.lexists(out) and not out.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder, and reports need one", str(out))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out):
        pass


@contextmanager
def _without_leftovers(out: Path) -> Iterator[None]:
    """Remove temporary files of the output folder when the block ends, and before it those of runs that were killed."""
    shutil.rmtree(out / TEMPORARY, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(out / TEMPORARY, ignore_errors=True)


# --- what is stale -----------------------------------------------------------------------------------------


def _stale(work: _Run, sets: Sequence[SetFile]) -> list[SetFile]:
    stale = [each for each in sets if work.options.force or not _fresh(work, each)]
    # A run that starts anything looks once more for the models that others had to stand in for.
    if stale:
        work.kernels.start()
        _warn_of_cold_kernels(work)
        stale_stems = {each.stem for each in stale}
        waiting = [s for s in sets if s.stem not in stale_stems and work.state[s.stem].stands_in_for]
        found = {each.stem for each in waiting if _real_model_is_here(work, each)}
        stale = [each for each in sets if each.stem in stale_stems | found]
    return stale


def new_kernels(options: Options) -> Kernels:
    """The kernels of a run, not started yet."""
    return Kernels([_read_notebook(options.notebook)], REHEARSAL, warm=not options.cold)


def _warn_of_cold_kernels(work: _Run) -> None:
    if (warning := work.kernels.take_warning()) is not None:
        work.listener.warn(warning)


def _fresh(work: _Run, each: SetFile) -> bool:
    known = work.state.get(each.stem)
    if (
        known is None
        or known.digest != work.digests[each.stem]
        or (work.options.strict and known.stands_in_for)
    ):
        return False
    return all(
        (work.options.out / f"{each.stem}{suffix}").is_file() for suffix in (".html", ".ipynb", ".csv")
    )


def _real_model_is_here(work: _Run, each: SetFile) -> bool:
    try:
        return _find(work, each).stands_in_for is None
    except SentenceReportsError:
        return False


def _digest(work: _Run, each: SetFile) -> str:
    parts = [
        work.code,
        each.stem,
        json.dumps(each.set.parameters()),  # unsorted: the order of the groups is that of the heatmap
        folder_stamp(each.set.model),
        folder_stamp(each.set.fallback_model or ""),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _code_digest(notebook: Path) -> str:
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    # Those that begin with a point are an editor's, while a file is open.
    sources = {path for path in files if path.suffix != ".py" and not path.name.startswith(".")}
    return _program_digest() + _files_digest({notebook, *sources, *PROJECT.glob("requirements*.txt")})


@cache
def _program_digest() -> str:
    """Of the package's code: once, since a process goes on with what it began with, whatever is edited."""
    return _files_digest(set(PACKAGE.rglob("[!.]*.py")))


def _files_digest(paths: "set[Path]") -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        try:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    return digest.hexdigest()


# --- making reports ----------------------------------------------------------------------------------------


def _find(work: _Run, each: SetFile) -> FoundModel:
    chosen = each.set
    request = Request(chosen.model, chosen.revision, None if work.options.strict else chosen.fallback_model)
    if request in work.missing:  # sets that ask alike do not each wait for a hub
        raise work.missing[request]
    if request not in work.models:
        try:
            work.models[request] = find_model(*request)
        except ModelError as error:
            work.missing[request] = error
            raise
    return work.models[request]


def _make(work: _Run, stale: Sequence[SetFile]) -> None:
    ready: list[SetFile] = []
    work.listener.begin(len(stale))
    for each in stale:
        process.check()
        try:
            _find(work, each)
            ready.append(each)
        except SentenceReportsError as error:
            _settle(work, _failed_set(work, each, str(error)))
    if not ready:
        return
    from sentence_reports.models import baseline
    from sentence_reports.pages import (
        tables,  # noqa: F401  # while the server does its own
    )

    baseline.announce(work.models.values(), work.listener.warn)
    notebook = _read_notebook(work.options.notebook)
    with ThreadPoolExecutor(work.options.jobs or _default_jobs(work)) as pool:
        try:
            running = {pool.submit(_one, work, notebook, each) for each in ready}
            while running:
                process.check()
                through, running = wait(running, process.PIECE, FIRST_COMPLETED)
                for future in through:
                    _settle(work, future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            work.kernels.stop()
            raise


def _read_notebook(path: Path) -> "NotebookNode":
    import nbformat

    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        return notebook
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise UsageError(f"{path} cannot be read as a notebook: {error}") from error


def _default_jobs(work: _Run) -> int:
    import psutil

    kernel = KERNEL_BYTES if work.kernels.server is None else WARM_KERNEL_BYTES
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available) // kernel))


def _settle(work: _Run, report: Report) -> None:
    _warn_of_cold_kernels(work)
    work.state[report.stem] = report
    work.listener.done(report)
    with suppress(OSError):  # a full disk: what is not noted is made again; the index will say it
        _write_state(work, indexed=False)


def _one(work: _Run, notebook: "NotebookNode", each: SetFile) -> Report:
    """Execute and render one set, and write its files; its failure becomes part of what is returned."""
    from sentence_reports.execution.engine import execute

    began = time.monotonic()
    try:
        parameters = {"title": title_of(each.stem)} | each.set.parameters()
        asked = Request(each.set.model, each.set.revision, each.set.fallback_model)  # as the notebook asks
        executed = execute(
            notebook,
            parameters,
            env={HANDOVER: handover(asked, _find(work, each))},
            timeout=work.options.timeout,
            kernels=work.kernels,
            died=f"the kernel died, probably out of memory: {len(each.set.texts)} sentences, "
            f"model {_find(work, each).name}",
        )
        return _publish(work, each, executed, time.monotonic() - began)
    except ExecutionError as error:
        with suppress(OSError):  # what failed is more worth saying than that the disk is full as well
            _write_failed(work, each.stem, error.notebook)
        return _failed_set(work, each, str(error))
    except RenderError as error:
        return _failed_set(work, each, str(error))
    except OSError as error:
        return _failed_set(work, each, f"the report could not be written: {error.strerror or error}")
    except Exception as error:  # nobody's fault but this set's or ours: the others go on
        return _failed_set(work, each, f"{type(error).__name__}: {error}")


def _publish(work: _Run, each: SetFile, executed: "NotebookNode", seconds: float) -> Report:
    import nbformat

    from sentence_reports.lesson.summary import read_summary, similarity_matrix
    from sentence_reports.pages.render import render
    from sentence_reports.pages.tables import Colors, thumbnail

    out, stem = work.options.out, each.stem
    summary = read_summary(executed)
    html = render(executed, stem=stem, date=work.date, command=_command(each.path))
    assert summary is not None  # render() refuses a notebook without
    texts = {".html": html, ".ipynb": nbformat.writes(executed) + "\n", ".csv": _csv(summary)}
    _write(out, {f"{stem}{suffix}": text for suffix, text in texts.items()})
    (out / "failed" / f"{stem}.ipynb").unlink(missing_ok=True)
    first, second, similarity = summary["closest"]
    return Report(
        stem=stem,
        title=summary["settings"]["title"],
        set_file=_from_out(work, each.path),
        model=summary["model"]["name"],
        n=len(summary["sentences"]),
        digest=work.digests[stem],
        date=work.date,
        stands_in_for=summary["model"]["stands_in_for"],
        closest=(summary["sentences"][first], summary["sentences"][second], similarity),
        seconds=round(seconds, 1),
        notices=tuple(summary["notices"]),
        thumbnail=thumbnail(similarity_matrix(summary), Colors(summary["legend"])),
    )


def title_of(stem: str) -> str:
    """A set's title where it states none: its file's name, made readable."""
    words = stem.replace("-", " ").replace("_", " ").strip() or stem
    return words[0].upper() + words[1:]


def _today() -> str:
    """The day a report shows: today, or that of SOURCE_DATE_EPOCH (reproducible-builds.org), in UTC."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH must be seconds since 1970, found {epoch!r}") from error
    return moment.strftime("%Y-%m-%d")


def _command(path: Path) -> str:
    """The words that make a set's report again, naming no folder of this machine."""
    own = path.resolve().parent == PROJECT / "params" and shlex.quote(path.stem) == path.stem
    return f"make report SET={path.stem}" if own else f"sentence-reports run {shlex.quote(path.name)}"


def _csv(summary: Mapping[str, Any]) -> str:
    from sentence_reports.lesson.summary import similarity_matrix

    matrix, texts = similarity_matrix(dict(summary)), summary["sentences"]
    buffer = io.StringIO()
    writer = csv.writer(buffer)  # RFC 4180: quotes where needed, CRLF
    writer.writerow(["", *texts])
    for text, row in zip(texts, matrix, strict=True):
        writer.writerow([text, *row.astype(str)])  # the shortest digits that give the same float32 again
    return buffer.getvalue()


def _first_words(error: SetError) -> str:
    """The first of a set's problems, for the index; the terminal shows them all."""
    more = len(error.problems) - 1
    return str(error.problems[0]) + (f" (and {more} more)" if more else "")


def _failed_set(work: _Run, each: SetFile, reason: str) -> Report:
    title = each.set.title or title_of(each.stem)
    return _failed(
        work, each.stem, each.path, reason, title=title, model=each.set.model, n=len(each.set.texts)
    )


def _failed(work: _Run, stem: str, path: Path, reason: str, *, title: str, model: str, n: int) -> Report:
    known = work.state.get(stem) or Report(stem, title, "", model, n)
    return replace(known, set_file=_from_out(work, path), digest=None, seconds=None, failure=reason)


def _write_failed(work: _Run, stem: str, notebook: "NotebookNode") -> None:
    import nbformat

    (work.options.out / "failed").mkdir(exist_ok=True)
    _write(work.options.out, {f"failed/{stem}.ipynb": nbformat.writes(notebook) + "\n"})


# --- files of the output folder ----------------------------------------------------------------------------


def _from_out(work: _Run, path: Path) -> str:
    place = Path(os.path.realpath(path.parent), path.name)  # a link by its own name, wherever it leads
    return legible(Path(os.path.relpath(place, os.path.realpath(work.options.out))).as_posix())


def _write(out: Path, texts: Mapping[str, str]) -> None:
    """Write the texts of some files of `out`, then move them all to their places: none is ever half-written."""
    beside = {name: out / TEMPORARY / Path(name).name for name in texts}
    (out / TEMPORARY).mkdir(exist_ok=True)
    try:
        for name, text in texts.items():
            beside[name].write_text(text, encoding="utf-8", newline="")
        for name, path in beside.items():
            path.replace(out / name)
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)


def _read_state(out: Path) -> dict[str, Report]:
    """What earlier runs left; nothing where it is lost or damaged, so that everything is made again."""
    try:
        entries = json.loads((out / STATE).read_text(encoding="utf-8"))["reports"]
        reports = TypeAdapter(list[Report]).validate_python(entries)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    whole = all(report.closest for report in reports if report.date)
    whole = whole and all(report.date and report.seconds is not None for report in reports if report.digest)
    return {report.stem: report for report in reports} if whole else {}


def _state_text(work: _Run, *, indexed: bool) -> str:
    entries = [asdict(work.state[stem]) for stem in sorted(work.state)]
    state = {"code": work.code, "indexed": indexed, "reports": entries}
    return json.dumps(state, ensure_ascii=False, indent=1) + "\n"


def _write_state(work: _Run, *, indexed: bool) -> None:
    _write(work.options.out, {STATE: _state_text(work, indexed=indexed)})


def _close(work: _Run) -> None:
    """Forget what is neither a set nor a report any more; write index and state where they are not on disk.

    Raises OutputError where that fails; the reports are made all the same.
    """
    out = work.options.out
    known = [replace(report, gone=not _is_there(out / report.set_file)) for report in work.state.values()]
    work.state = {r.stem: r for r in known if not r.gone or (r.date and (out / f"{r.stem}.html").exists())}
    if (out / "index.html").is_file() and _on_disk(work):
        return
    try:
        _write(out, {"index.html": render_index(list(work.state.values()))})
        _write_state(work, indexed=True)
    except OSError as error:
        raise OutputError(f"the index of {out} could not be written: {error.strerror or error}") from error


def _is_there(path: Path) -> bool:
    return path.suffix in SET_SUFFIXES and os.path.lexists(path)


def _on_disk(work: _Run) -> bool:
    try:
        return (work.options.out / STATE).read_text(encoding="utf-8") == _state_text(work, indexed=True)
    except OSError:
        return False
