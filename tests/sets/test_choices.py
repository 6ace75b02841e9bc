"""The models of a comparison: what a set may say about them, and what it calls them."""

from pathlib import Path

import pytest
from set_files import editor_accepts, only_problem, problems, read

from sentence_reports.report import ModelChoice, Request, Vectors

SENTENCES = "sentences: [one, two, three]\n"
MINI = "sentence-transformers/all-MiniLM-L6-v2"
COMMIT = "8b3219a92973c328a8e22fadcfa821b5dc75636a"


def labels(models: str) -> list[str]:
    return [choice.label for choice in read(f"{SENTENCES}models: {models}\n").set.choices]


def test_models_make_a_comparison(folder: Path) -> None:
    (folder / "v").mkdir()
    (folder / "v/ada.npy").touch()
    (folder / "v/base.npy").touch()
    found = read(
        f"{SENTENCES}models:\n- {MINI}\n- model: org/b\n  revision: main\n  prompt: 'query: '\n  truncate_dim: 8\n"
        "- model: tf-idf\n  label: Words\n- vectors: {file: v/ada.npy, baseline: v/base.npy}\n"
    ).set
    assert found.notebook == "comparison"
    assert found.choices == (
        ModelChoice("all-MiniLM-L6-v2", Request(MINI)),
        ModelChoice("b", Request("org/b", "main"), "query: ", 8),
        ModelChoice("Words", Request("tf-idf")),
        ModelChoice("ada", Request("v/ada.npy", vectors=Vectors("v/ada.npy", "v/base.npy"))),
    )
    assert found.parameters()["models"] == [
        MINI,
        {"model": "org/b", "revision": "main", "prompt": "query: ", "truncate_dim": 8},
        {"model": "tf-idf", "label": "Words"},
        {"vectors": {"file": "v/ada.npy", "baseline": "v/base.npy"}},
    ]


@pytest.mark.usefixtures("folder")
def test_a_set_with_one_model_has_one_choice() -> None:
    found = read(f"{SENTENCES}model: org/a\nrevision: r\nprompt: p\ntruncate_dim: 4\n").set
    request = Request("org/a", "r", MINI)
    assert (found.choices, found.notebook) == ((ModelChoice("org/a", request, "p", 4),), "walkthrough")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "hidden", ["\\u200b", "\\xad", "\\ufe0f", "\\U000e0100", "\\u202e", "\\u2069", "\\u3164"]
)
def test_labels_that_look_the_same_are_refused(hidden: str) -> None:
    problem = only_problem(
        f'{SENTENCES}models: [{{model: a/b, label: ab}}, {{model: c, label: "a{hidden}b"}}]\n'
    )
    assert "`label` of model 2 is" in problem
    assert ", like model 1. Write a different `label`. The other is on line 2." in problem


@pytest.mark.usefixtures("folder")
def test_two_sentences_can_be_compared() -> None:
    assert read("sentences: [one, two]\nmodels: [a/b, tf-idf]\n").set.notebook == "comparison"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ("[org/a, ../b/, ./c]", ["a", "b", "c"]),
        ("[one/a, two/a, b]", ["one/a", "two/a", "b"]),
        ("[one/a, two/A]", ["one/a", "two/A"]),
        ("[m/a, {model: m/a, truncate_dim: 64}]", ["a", "a, 64 dimensions"]),
        ("[{model: m/a, truncate_dim: 64}, m/b]", ["a", "b"]),
        (
            "[{model: m/a, prompt: ''}, {model: m/a, prompt: 'query: '}, m/a]",
            ["a, no prompt", 'a, prompt "query: "', "a"],
        ),
        (
            f"[{{model: m/a, revision: {COMMIT}}}, {{model: m/a, revision: main, truncate_dim: 8}}]",
            ["a, revision 8b3219a", "a, 8 dimensions, revision main"],
        ),
        (
            f"[{{model: m/a, prompt: {'x' * 99}}}, m/a]",
            [f'a, prompt "{"x" * 20}..."', "a"],
        ),
        ('["a/\\x1b", b]', ["\\x1b", "b"]),
        ("[{model: m/a, label: '  my  model '}, a]", ["my model", "a"]),
    ],
)
def test_a_model_is_called_by_its_name_and_what_tells_it_apart(models: str, expected: list[str]) -> None:
    assert labels(models) == expected


VECTORS = "{file: a.npy, baseline: b.npy}"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            "[a/b]",
            "column 1: `models` has 1 model; a comparison needs 2 to 6. For a single model, write `model` instead.",
        ),
        ("[a, b, c, d, e, f, a]", "column 1: `models` has 7 models; a comparison needs 2 to 6."),
        ("[]", "column 1: `models` has 0 models; a comparison needs 2 to 6."),
        ("", "column 1: `models` is empty. Write two to six models below it, each after a dash."),
        ("a/b", 'column 1: `models` must be a list, not the text "a/b". Write a dash before it.'),
        (
            "[a/b, 5]",
            "column 15: model 2 must be the name of a model, or a mapping with `model` or `vectors`, not the number 5.",
        ),
        ('[a/b, " "]', "column 15: model 2 is blank. Write some text, or remove it."),
        (
            "[a/b, c, ./c/]",
            "column 18: model 3 is the same as model 2, whatever they are called. Change or remove one. "
            "The other is on line 2.",
        ),
        (
            "[a/b, {model: a/b, label: other}]",
            "column 15: model 2 is the same as model 1, whatever they are called. Change or remove one. "
            "The other is on line 2.",
        ),
        (
            f"[{{vectors: {VECTORS}}}, {{vectors: {VECTORS}, label: other}}]",
            "column 53: model 2 is the same as model 1, whatever they are called. Change or remove one. "
            "The other is on line 2.",
        ),
        (
            "[{model: a/b, label: x}, {model: c/d, label: 'x '}]",
            'column 47: `label` of model 2 is "x", like model 1. Write a different `label`. The other is on line 2.',
        ),
        (
            "[{model: a/b, label: d}, c/d]",
            'column 34: model 2 would be called "d", like model 1. Write a different `label`. The other is on line 2.',
        ),
        (
            "[{model: a/b, label: Straße}, {model: c/d, label: STRASSE}]",
            'column 52: `label` of model 2 is "STRASSE", like model 1. Write a different `label`. '
            "The other is on line 2.",
        ),
        ("[one/a, one/A]", 'column 17: model 2 would be called "one/A", like model 1. Write a different `label`. '
         "The other is on line 2."),
        (
            '[a/b, {model: c, label: "\\u200b\\u00ad"}]',
            'column 26: `label` of model 2 is "\\u200b\\xad", in which nothing can be seen. Write some text.',
        ),
        (
            f"[{{model: a, prompt: {'x' * 30}}}, {{model: a, prompt: {'x' * 29}}}]",
            f'column 62: model 2 would be called "a, prompt \\"{"x" * 20}...\\"", like model 1. '
            "Write a different `label`. The other is on line 2.",
        ),
        (
            "[a/b, {label: x}]",
            "column 15: model 2 needs `model`, a name, or `vectors`, the files of its vectors.",
        ),
        (
            f"[a/b, {{model: c, vectors: {VECTORS}}}]",
            "column 15: model 2 has `model` and `vectors`. Write them as separate models, each after a dash.",
        ),
        (
            "[a/b, {vectors: {baseline: b.npy}}]",
            "column 16: `vectors.file` of model 2 is missing.",
        ),
        (
            "[a/b, {vectors: {file: a.npy}}]",
            "column 16: `vectors.baseline` of model 2 is missing. It holds the vectors of the sentences that "
            "`sentence-reports baseline` prints.",
        ),
        ("[a/b, {model: c, lable: x}]", "column 26: `lable` of model 2 is an unknown key; did you mean `label`?"),
        ("[a/b, {model: c, label: ' '}]", "column 26: `label` of model 2 is blank. Write some text, or remove it."),
        ("[a/b, {model: c, label: }]", "column 26: `label` of model 2 is empty. Write a value, or remove it."),
        (
            '[a/b, {model: c, label: "x\\ty"}]',
            "column 26: `label` of model 2 contains the control character U+0009. Remove it.",
        ),
        (
            f"[a/b, {{model: c, label: {'x' * 61}}}]",
            "column 26: `label` of model 2 has 61 characters. Write a label of at most 60.",
        ),
        (
            "[a/b, {model: c, truncate_dim: 1}]",
            "column 26: `truncate_dim` of model 2 must be at least 2, not the number 1.",
        ),
        *(
            (
                f"[a/b, {{{kind}, {key}: {value}}}]",
                f"column {18 + len(kind)}: `{key}` of model 2 does not go with {what}. Remove it.",
            )
            for kind, what in (
                ("model: tf-idf", "tf-idf, which only counts words"),
                (f"vectors: {VECTORS}", "`vectors`, which are used as they are"),
            )
            for key, value in (("revision", "main"), ("prompt", "p"), ("truncate_dim", "8"))
        ),
    ],
)  # fmt: skip
def test_models_that_are_wrong(models: str, message: str) -> None:
    assert only_problem(f"{SENTENCES}models: {models}\n") == f"line 2, {message}"


@pytest.mark.usefixtures("folder")
def test_a_claim_about_queries_has_no_place_in_a_comparison() -> None:
    assert only_problem(f"models: [a/b, c/d]\n{SENTENCES}expect:\n- finds: [1, 2]\n") == (
        "line 4, column 3: `finds` of claim 1 needs `queries`, which a comparison does not have. "
        "Move the claim into a set with `queries`."
    )


@pytest.mark.usefixtures("folder")
def test_what_does_not_go_with_several_models() -> None:
    reference = "{source: s, model: m, similarity: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}"
    content = f"models: [a/b, c/d]\n{SENTENCES}model: a/b\nfallback_model: null\nqueries: [q]\nreference: {reference}\n"
    content += "revision: r\nprompt: p\ntruncate_dim: 8\n"
    list_it = "because it belongs to one of them. Write it in that list, below the model it is for."
    reasons = {
        "model": "which names all models. Move it into that list, or remove it.",
        "fallback_model": "because no model stands in for another in a comparison. Remove it.",
        "queries": "because a comparison is about pairs of sentences. Put them into a set with `model`.",
        "reference": "because published figures belong to one model. Put them into a set with `model`.",
        "revision": list_it,
        "prompt": list_it,
        "truncate_dim": list_it,
    }
    assert [problem for problem in problems(content) if "models" in problem] == [
        f"line {line}, column 1: `{key}` does not go with `models`, {reason}"
        for line, (key, reason) in enumerate(reasons.items(), start=3)
    ]


def test_vectors_without_their_file(folder: Path) -> None:
    (folder / "base.npy").mkdir()
    models = "models: [a/b, {vectors: {file: ada.npy, baseline: base.npy}}]"
    assert problems(f"{SENTENCES}{models}\n") == [
        "line 2, column 26: `vectors.file` of model 2 cannot be used: ada.npy: no such file. "
        "Nothing in its folder has a similar name. Correct the path, or put the file there.",
        "line 2, column 41: `vectors.baseline` of model 2 cannot be used: base.npy: this is a folder; "
        "vectors are a file.",
    ]


@pytest.mark.usefixtures("folder")
def test_tf_idf_runs_in_a_comparison_only() -> None:
    assert only_problem(f"{SENTENCES}model: tf-idf\n") == (
        "line 2, column 1: `model` is tf-idf, which only runs in a comparison. Write it in `models`, next to a model."
    )


@pytest.mark.usefixtures("folder")
def test_a_comment_after_a_label_is_doubtful() -> None:
    (warning,) = read(f"{SENTENCES}models:\n- model: a\n  label: number # 1\n- b\n").warnings
    assert str(warning).startswith('mine.yaml, line 4, column 3: `label` of model 1 ends before "# 1"')


def test_an_editor_accepts_and_refuses_what_the_program_does() -> None:
    vectors = {"file": "a.npy", "baseline": "b.npy"}
    whole = {"model": "a", "revision": "r", "prompt": "", "truncate_dim": 2, "label": "l"}
    assert editor_accepts(
        models=["a", whole, {"model": "tf-idf", "label": "x"}, {"vectors": vectors, "label": "l"}]
    )
    wrong = [
        "", 5, {}, {"label": "x"}, {"model": "a", "vectors": vectors}, {"vectors": {"file": "a.npy"}},
        {"model": "tf-idf", "prompt": "p"}, {"vectors": vectors, "truncate_dim": 8}, {"model": "a", "label": ""},
        {"model": "a", "label": "x" * 61}, {"model": "a", "x": 1}, {"model": "a", "revision": None},
    ]  # fmt: skip
    for model in wrong:
        assert not editor_accepts(models=["a", model]), model
    assert not editor_accepts(models=["a"])
    assert not editor_accepts(models=list("abcdefg"))
    for key, value in {"model": "x", "fallback_model": None, "queries": ["q"], "prompt": "p"}.items():
        assert not editor_accepts(models=["a", "b"], **{key: value}), key
