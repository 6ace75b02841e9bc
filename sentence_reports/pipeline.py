"""Make reports from set files: read the sets, find their models, make and publish what is stale, write the index."""

import os
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sentence_reports import process
from sentence_reports.errors import ModelError, SetError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import choose_usage
from sentence_reports.output_folder import OutputFolder
from sentence_reports.pages.index import render_index
from sentence_reports.prepare import (
    REHEARSAL,
    TIMEOUT,
    ModelFinder,
    device_of,
    prepare_job,
    read_notebook,
    tables_of,
    today,
)
from sentence_reports.printing import Browser, Page, print_pages
from sentence_reports.report import Failed, Job, Listener, Made, Options, Report
from sentence_reports.sets import SetFile, title_of
from sentence_reports.sets.folder import read_sets, stem_of
from sentence_reports.stale import code_digest, is_stale, set_digest
from sentence_reports.summary import CollectionSummary, ComparisonSummary, OneModelSummary
from sentence_reports.texts import legible, listed

if TYPE_CHECKING:
    from sentence_reports.cluster.connection import Cluster

# What a kernel with a loaded model takes at most, roughly: alone, and beyond what it shares with a warm process.
KERNEL_BYTES, WARM_KERNEL_BYTES = 1_500_000_000, 800_000_000
ROW_BYTES = 15_000  # what it takes for each row of a file of texts, in addition


def run(
    paths: Sequence[Path], options: Options, listener: Listener, kernels: Kernels | None = None
) -> list[Report]:
    """Make the report of every set that is stale, and the index; return what is known of each set, in order.

    A report with a `failure` is one that could not be made, whatever the cause. One run at a time works in an
    output folder; another waits for it. Without `kernels`, the run starts its own and stops them. Raises UsageError
    if the folder, the notebook or the date cannot be used, OutputError if the index cannot be written.
    """
    sets, errors = read_sets(paths, options.model, survey=False)
    for problem in (*chain.from_iterable(each.warnings for each in sets), *errors.values()):
        listener.warn(str(problem))
    code, date = code_digest(), today()
    notebooks = {each.stem: options.project.notebook(each.set.notebook) for each in sets}
    # What changes from now on is stale.
    digests = {
        each.stem: set_digest(code, each, notebooks[each.stem], device_of(each, options.device))
        for each in sets
    }
    blanks = {stem_of(path, options.model): _blank(path, options) for path in paths}
    blanks |= {each.stem: _describe(blanks[each.stem], each) for each in sets}
    with OutputFolder.opened(options.out, code, listener.warn) as output, ExitStack() as resources:
        for stem, error in errors.items():
            output.fail(Failed(stem, error.first), blanks[stem])
        stale = [
            each
            for each in sets
            if options.force
            or is_stale(output.reports.get(each.stem), digests[each.stem], strict=options.strict)
            or not output.is_whole(each.stem, tables_of(each, embeddings=options.embeddings))
        ]
        if stale:
            if options.scheduler is not None:
                from sentence_reports.cluster.connection import Cluster

                maker: Kernels | Cluster = resources.enter_context(Cluster(options.scheduler, listener))
            elif kernels is None:
                maker = resources.enter_context(
                    new_kernels(options, [notebooks[each.stem] for each in stale])
                )
            else:
                maker = kernels
                kernels.start()
            models = ModelFinder(options.strict)
            stale = _with_found_models(sets, stale, output, models)
            listener.begin(len(stale))
            jobs = _jobs(stale, models, output, blanks, date, options, listener)
            sets_run = {each.stem: each for each in stale}
            with closing(_make(jobs, maker, options, listener)) as results:
                for made in results:
                    if isinstance(made, Failed):
                        listener.done(output.fail(made, blanks[made.stem]))
                    else:
                        report = _published(made, blanks[made.stem], digests[made.stem], date)
                        report = replace(report, missing=models.missing(sets_run[made.stem]))
                        listener.done(output.publish(made, report))
        reports = [output.reports[stem] for stem in blanks]
        if options.browser is not None:
            good = [report for report in reports if not report.failure]
            _print(good, options.browser, output, options, listener)
        output.close(render_index)
    return reports


def new_kernels(options: Options, notebooks: Iterable[Path]) -> Kernels:
    """Return the kernels of one or more runs with these options and notebooks, not started yet.

    Raises UsageError if a notebook cannot be read.
    """
    import nbformat

    texts = [read_notebook(path) for path in dict.fromkeys(notebooks)]
    return Kernels([nbformat.reads(text, as_version=4) for text in texts], REHEARSAL, warm=not options.cold)


def _with_found_models(
    sets: Sequence[SetFile], stale: Sequence[SetFile], output: OutputFolder, models: ModelFinder
) -> list[SetFile]:
    """Add the sets that had to do without a model, or with a fallback, and whose own is on this machine by now."""
    chosen = {each.stem for each in stale}
    for each in sets:
        if each.stem in chosen:
            continue
        report = output.reports[each.stem]
        for choice in each.set.choices:
            if report.stands_in_for or choice.label in report.missing:
                process.check()
                if models.is_found(choice.request, each.path.parent):
                    chosen.add(each.stem)
    return [each for each in sets if each.stem in chosen]


# --- making reports ---------------------------------------------------------------------------------------------


def _jobs(
    stale: Sequence[SetFile],
    models: ModelFinder,
    output: OutputFolder,
    blanks: dict[str, Report],
    date: str,
    options: Options,
    listener: Listener,
) -> list[Job | Failed]:
    jobs: list[Job | Failed] = []
    prepared: list[SetFile] = []
    chosen = {name: getattr(options, name) for name in ("timeout", "device", "embeddings")}
    for each in stale:
        process.check()
        tables = dict.fromkeys(tables_of(each, embeddings=options.embeddings))
        if (reason := output.refusal(blanks[each.stem], tables)) is not None:
            jobs.append(Failed(each.stem, reason))
            continue
        try:
            surveyed = each.surveyed()
            for problem in surveyed.warnings[len(each.warnings) :]:
                listener.warn(str(problem))
            blanks[each.stem] = replace(blanks[each.stem], n=surveyed.n)
            jobs.append(prepare_job(surveyed, options.project, models=models, date=date, **chosen))
            prepared.append(surveyed)
        except ModelError as error:
            jobs.append(Failed(each.stem, str(error)))
        except SetError as error:
            listener.warn(str(error))
            jobs.append(Failed(each.stem, error.first))
    _announce_baselines(prepared, models, listener)
    return jobs


def _announce_baselines(prepared: Sequence[SetFile], models: ModelFinder, listener: Listener) -> None:
    if not prepared:
        return
    from sentence_reports.models.baseline import announce, baseline_key

    names = {}
    for each in prepared:
        for choice in each.set.choices:
            with suppress(OSError, ModelError):  # a notebook will report it
                found = models.find(choice.request, each.path.parent)
                usage = choose_usage(found, choice.prompt, choice.truncate_dim)
                if found.source not in ("this set", "file"):  # those bring their own
                    names[baseline_key(found, usage, queries=bool(each.set.queries))] = found.name
    announce(names, listener.warn)


def _make(
    jobs: Sequence[Job | Failed], maker: "Kernels | Cluster", options: Options, listener: Listener
) -> Generator[Made | Failed]:
    """Make all reports, several in parallel, and yield each as it is finished; a signal stops all kernels."""
    yield from (job for job in jobs if isinstance(job, Failed))
    wanted = [job for job in jobs if isinstance(job, Job)]
    if not wanted:
        return
    if not isinstance(maker, Kernels):
        yield from maker.make(wanted)
        return
    kernels = maker
    from sentence_reports.make import make_report  # a second of imports, while the warm process does its own

    with ThreadPoolExecutor(options.jobs or default_jobs(kernels, wanted)) as pool:
        try:
            running: set[Future[Made | Failed]] = {
                pool.submit(make_report, job, kernels, partial(listener.progress, job.stem)) for job in wanted
            }
            while running:
                process.check()
                if (warning := kernels.take_warning()) is not None:
                    listener.warn(warning)
                finished, running = wait(running, process.PIECE, FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            kernels.stop()
            raise
        except BaseException:  # the kernels may serve later runs
            pool.shutdown(cancel_futures=True)
            raise


def _print(
    reports: Sequence[Report], browser: Browser, output: OutputFolder, options: Options, listener: Listener
) -> None:
    """Print each page whose PDF is missing or shows an earlier one."""
    pages = {}
    for report in reports:
        page = output.page_to_print(report.stem, again=options.force)
        if page is not None:
            pages[report.stem] = Page(report.stem, page, report.date or "")
    if not pages:
        return
    jobs, timeout = options.jobs or process.cores(), options.timeout or TIMEOUT
    with closing(
        print_pages(browser, list(pages.values()), output.temporary, jobs=jobs, timeout=timeout)
    ) as results:
        for stem, pdf, failure in results:
            listener.printed(stem, failure or output.publish_pdf(stem, pages[stem].html, pdf))


def default_jobs(kernels: Kernels, jobs: Iterable[Job] = ()) -> int:
    """Return how many sets run in parallel: as many as cores and free memory allow if each is like the largest."""
    import psutil

    kernel = KERNEL_BYTES if kernels.server is None else WARM_KERNEL_BYTES
    kernel += ROW_BYTES * max((job.n for job in jobs if job.folder), default=0)
    return max(1, min(process.cores(), int(psutil.virtual_memory().available) // kernel))


# --- what is known of a set -------------------------------------------------------------------------------------


def _blank(path: Path, options: Options) -> Report:
    """Return what is known of a set that cannot be read."""
    real = Path(os.path.realpath(path.parent), path.name)  # a link keeps its own name
    with suppress(ValueError):  # on another drive of Windows, the path stays absolute
        real = Path(os.path.relpath(real, os.path.realpath(options.out)))
    set_file = legible(real.as_posix())
    return Report(stem_of(path, options.model), title_of(stem_of(path)), set_file, model="", n=0)


def _describe(blank: Report, each: SetFile) -> Report:
    labels = tuple(choice.label for choice in each.set.choices)
    several = labels if each.set.models else ()
    return replace(
        blank, title=each.title, model=listed(labels) if several else labels[0], labels=several, n=each.n
    )


def _published(made: Made, blank: Report, digest: str, date: str) -> Report:
    summary = made.summary
    model = summary.model if isinstance(summary, OneModelSummary | CollectionSummary) else None
    reason = model.reason if model else None
    return replace(
        blank,
        title=summary.settings["title"],
        model=summary.model_name,
        labels=summary.labels_of_models if isinstance(summary, ComparisonSummary) else (),
        digest=digest,
        date=date,
        stands_in_for=model.stands_in_for if model else None,
        closest=summary.closest_pair,
        seconds=made.seconds,
        notices=summary.notices + ((f"The reason for the fallback: {reason}.",) if reason else ()),
        finding=summary.finding,
        checks=summary.checks,
        thumbnail=made.thumbnail,
    )
