"""Tasks over a user's own files, through a task file: SemEval, SICK, lists of negatives, misspelled keys."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import LetterModel
from scipy.stats import spearmanr

from harness import DataSource, HarnessError
from harness.evaluation.evaluate import evaluate
from harness.tasks.task_file import read_task_file
from harness_clauses.user_clauses import CLAUSES_KIND
from harness_sts.tasks import STS_KIND, STSBenchmark, UserSTS
from harness_triplet.tasks import TRIPLET_KIND

KINDS = {kind.name: kind for kind in (STS_KIND, TRIPLET_KIND, CLAUSES_KIND)}
NOWHERE = DataSource("sample", None)


@pytest.fixture
def load(tmp_path):
    """Write files and a task file with one table, and load its rows."""

    def loading(table, **files):
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content, encoding="utf-8")
        (tmp_path / "tasks.toml").write_text(f"[tasks.own]\n{table}\n", encoding="utf-8")
        (task,) = read_task_file(tmp_path / "tasks.toml", KINDS).values()
        return task.load(NOWHERE)

    return loading


def codes(dataset):
    return [finding.code for finding in dataset.findings]


def pairs(dataset):
    return list(zip(dataset["text1"], dataset["text2"], dataset["score"], strict=True))


# --- pairs with scores ------------------------------------------------------------------------------------

STS = 'kind = "sts"\n'


def test_semeval_s_pairs_and_scores_are_read_from_their_two_files(load):
    dataset = load(
        STS + 'path = "STS.input.a.txt"\nscores = "STS.gs.a.txt"',
        STS__input__a__txt='A girl.\tA "boy.\nOne\tTwo\n',
        STS__gs__a__txt="2.5\n0\n",
    )
    assert pairs(dataset) == [("A girl.", 'A "boy.', 2.5), ("One", "Two", 0.0)]
    assert codes(dataset) == []


def test_several_files_of_pairs_meet_their_own_scores_and_further_columns_are_not_read(load):
    dataset = load(
        STS + 'path = "STS.input.*.txt"\nscores = "STS.gs.*.txt"\nmissing = "drop"',
        STS__input__b__txt="c\td\tsource\tsource\n",
        STS__input__a__txt="a\tb\nx\ty\n",
        STS__gs__b__txt="3",
        STS__gs__a__txt="\n2\n",
    )
    assert pairs(dataset) == [("x", "y", 2.0), ("c", "d", 3.0)]
    assert codes(dataset) == ["several-files", "rows-dropped"]


def test_a_pair_that_lacks_a_text_is_dropped_too_where_scores_are_in_a_file(load):
    dataset = load(
        STS + 'path = "in.txt"\nscores = "gs.txt"\nmissing = "drop"',
        in__txt="a\tb\nc\t\ne\tf\n",
        gs__txt="1\n2\n3\n",
    )
    assert pairs(dataset) == [("a", "b", 1.0), ("e", "f", 3.0)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            'path = "a.txt"\nscores = "s.txt"',
            r"row 2 of column 'score' is not a number: ''\n.*missing = .drop.",
        ),
        ('path = "a.txt"\nscores = "short.txt"', r"short\.txt has 1 lines, and .*a\.txt 2 pairs"),
        (
            'path = ["a.txt", "b.txt"]\nscores = "s.txt"',
            "2 files of pairs and 1 of scores\n  pairs: a.txt, b.txt",
        ),
        ('path = "a.txt"\nscores = 3', "scores must be a text or a list of texts, not 3"),
        (
            'path = "a.txt"\nscores = "s.txt"\ncolumns = { score = "x" }',
            "in files of their own, and in a column",
        ),
    ],
)
def test_scores_that_do_not_fit_their_pairs_are_an_error(table, message, load):
    files = {"a__txt": "a\tb\nc\td\n", "b__txt": "e\tf\n", "s__txt": "1\n\n", "short__txt": "1\n"}
    with pytest.raises(HarnessError, match=message):
        load(STS + table, **files)


def test_scores_of_other_names_are_not_those_of_the_pairs(load):
    files = {"in__a__txt": "a\tb\n", "in__b__txt": "c\td\n", "gs__b__txt": "1\n", "gs__c__txt": "2\n"}
    with pytest.raises(
        HarnessError, match=r"other names\n  pairs: in\.a\.txt, in\.b\.txt\n  scores: gs\.b\.txt"
    ):
        load(STS + 'path = "in.*.txt"\nscores = "gs.*.txt"', **files)
    listed = 'path = ["in.a.txt", "in.b.txt"]\nscores = ["gs.b.txt", "gs.c.txt"]'
    assert list(load(STS + listed, **files)["score"]) == [1, 2]


def test_sick_is_read_by_the_names_of_its_columns(load):
    dataset = load(
        STS + 'path = "SICK.txt"\n[tasks.own.columns]\ntext1 = "sentence_A"\ntext2 = "sentence_B"\n'
        'score = "relatedness_score"\nid = "pair_ID"',
        SICK__txt="pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
        "1\tA group of kids\tA group of boys\t4.5\tNEUTRAL\n2\tA man\tNo man\t3.2\tCONTRADICTION\n",
    )
    assert pairs(dataset) == [("A group of kids", "A group of boys", 4.5), ("A man", "No man", 3.2)]
    assert list(dataset["id"]) == ["1", "2"]


def test_the_original_sts_benchmark_is_read_by_positions(load):
    line = 'main-captions\tMSRvid\t2012test\t0001\t2.500\tA girl.\tA "boy.\n'
    dataset = load(
        STS + 'path = "sts-test.csv"\ncolumns = { score = 5, text1 = 6, text2 = 7 }',
        **{"sts-test__csv": line},
    )
    assert pairs(dataset) == [("A girl.", 'A "boy.', 2.5)]
    assert codes(dataset) == ["tabs-delimit", "no-header"]


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("true", "is not a number: True"),
        ('"4.5"', "is a text, not a number: '4.5'\n.*without quotation marks"),
        ("null", r"is not a number: None\n.*missing = .drop."),
        ("NaN", "is not a number: nan"),
        ("Infinity", "is not a number: inf"),
        ("1e999", "is not a number: inf"),
        ("[1]", r"is not a number: \[1\]"),
    ],
)
def test_a_json_value_that_is_no_number_is_no_score(score, message, load):
    lines = "".join(f'{{"text1": "a", "text2": "b", "score": {value}}}\n' for value in (1, score))
    with pytest.raises(HarnessError, match=rf"rows\.json: row 2 of column 'score' {message}"):
        load(STS + 'path = "rows.json"', rows__json=lines)


@pytest.mark.parametrize("score", ["1,5", "1_5", "٣", "nan", "-inf", "0x1", "1.5 points", "True"])
def test_a_cell_that_is_no_number_is_no_score(score, load):
    with pytest.raises(HarnessError, match=rf"rows\.tsv: row 2 of column 'score' is not a number: '{score}'"):
        load(STS + 'path = "rows.tsv"', rows__tsv=f"text1\ttext2\tscore\na\tb\t1\nc\td\t{score}\n")


def test_a_decimal_comma_is_refused_with_the_number_to_write(load):
    with pytest.raises(HarnessError, match=r"'1,5'\n  hint: write 1\.5: numbers have a decimal point"):
        load(STS + 'path = "rows.tsv"', rows__tsv="text1\ttext2\tscore\na\tb\t1,5\n")


# --- triplets ---------------------------------------------------------------------------------------------

TRIPLET = 'kind = "triplet"\n'


def triplets(dataset):
    return list(zip(dataset["anchor"], dataset["positive"], dataset["negative"], strict=True))


def test_lists_of_negatives_give_a_triplet_each_and_one_cluster_per_row(load):
    rows = [
        {"id": 7, "query": "q", "pos": ["p"], "neg": ["n1", "n2", "n3"]},
        {"id": 8, "query": "r", "pos": ["p", "o"], "neg": ["n"]},
    ]
    dataset = load(
        TRIPLET + 'path = "bge.jsonl"\ncolumns = { anchor = "query", positive = "pos", negative = "neg" }',
        bge__jsonl="\n".join(map(json.dumps, rows)),
    )
    assert triplets(dataset) == [
        *(("q", "p", negative) for negative in ("n1", "n2", "n3")), ("r", "p", "n"), ("r", "o", "n"),
    ]  # fmt: skip
    assert list(dataset["id"]) == ["7/1", "7/2", "7/3", "8/1", "8/2"]
    assert list(dataset["cluster"]) == ["a0", "a0", "a0", "a1", "a1"]
    assert [finding.evidence for finding in dataset.findings] == [
        "2 rows with several positives or negatives give 5 triplets"
    ]


MINED = [("q", "p", ["text a", 'it\'s "b", c']), ("r", "o", ["n"])]


@pytest.mark.parametrize("write", [repr, json.dumps])
@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("header", [True, False])
def test_lists_that_are_written_as_text_are_read_as_lists(write, delimiter, header, load):
    quoted = ['"' + write(negatives).replace('"', '""') + '"' for *_, negatives in MINED]
    lines = [
        delimiter.join((anchor, positive, cell))
        for (anchor, positive, _), cell in zip(MINED, quoted, strict=True)
    ]
    names = [delimiter.join(("anchor", "positive", "negative"))] if header else []
    table = 'path = "rows.csv"\nquoting = "csv"\n' + ("" if header else "header = false")
    dataset = load(TRIPLET + table, rows__csv="\n".join([*names, *lines]))
    lists = [dict(zip(("anchor", "positive", "negative"), row, strict=True)) for row in MINED]
    same = load(TRIPLET + 'path = "rows.jsonl"', rows__jsonl="\n".join(map(json.dumps, lists)))
    assert triplets(dataset) == triplets(same)
    assert dataset.digest == same.digest
    assert [code for code in codes(dataset) if code != "tabs-delimit"] == [
        "lists-in-cells",
        "several-per-row",
    ]


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        (('["a", "b"]', "c"), "1 of 2 cells of column 'negative' look like lists, 1 of them are"),
        (("['a' 'b']", "['c' 'd']"), "2 of 2 cells of column 'negative' look like lists, 0 of them are"),
        (('["a", ["b"]]', '["c"]'), None),
        (("['\\ud800']", '["c"]'), "2 of 2 cells of column 'negative' look like lists, 1 of them are"),
        (("[" * 100_000 + "'a'" + "]" * 100_000, "x"), None),
    ],
)
def test_cells_of_which_only_some_are_lists_stay_texts_and_are_counted(cells, counts, load):
    rows = [{"anchor": "q", "positive": "p", "negative": cell} for cell in cells]
    dataset = load(TRIPLET + 'path = "rows.jsonl"', rows__jsonl="\n".join(map(json.dumps, rows)))
    assert tuple(dataset["negative"]) == cells
    if counts is not None:
        (finding,) = [one for one in dataset.findings if one.code == "lists-in-some-cells"]
        assert counts in finding.evidence


def test_texts_in_brackets_stay_texts_without_a_finding(load):
    rows = [{"anchor": "[CLS] q", "positive": "[1] p", "negative": "[see 2]"}]
    dataset = load(TRIPLET + 'path = "rows.jsonl"', rows__jsonl="\n".join(map(json.dumps, rows)))
    assert triplets(dataset) == [("[CLS] q", "[1] p", "[see 2]")]
    assert codes(dataset) == []


@pytest.mark.parametrize("negatives", [[None], ["n", None], [], None])
def test_a_row_whose_list_lacks_a_value_is_dropped_where_that_is_asked_for(negatives, load):
    rows = [{"anchor": "q", "positive": "p", "negative": given} for given in (negatives, ["m"])]
    content = "\n".join(map(json.dumps, rows))
    dataset = load(TRIPLET + 'path = "rows.jsonl"\nmissing = "drop"', rows__jsonl=content)
    assert triplets(dataset) == [("q", "p", "m")]
    assert codes(dataset) == ["rows-dropped"]
    with pytest.raises(HarnessError, match=r"missing = .drop."):
        load(TRIPLET + 'path = "rows.jsonl"', rows__jsonl=content)


@pytest.mark.parametrize("line_end", ["\n", "\t\n"])
def test_numbered_columns_of_negatives_give_a_triplet_each(line_end, load):
    names = ["anchor", "positive", *(f"negative_{number}" for number in range(1, 12))]
    cells = ["a", "p", *(f"n{number}" for number in range(1, 12))]
    few = ["b", "q", "m1", "m2", *[""] * 9]
    text = "".join("\t".join(row) + line_end for row in (names, cells, few))
    dataset = load(TRIPLET + 'path = "mined.tsv"', mined__tsv=text)
    assert list(dataset["negative"]) == [*cells[2:], "m1", "m2"]
    assert list(dataset["anchor"]) == ["a"] * 11 + ["b"] * 2


def test_numbered_columns_of_other_names_are_mapped(load):
    dataset = load(
        TRIPLET + 'path = "t.json"\ncolumns = { negative = "hard" }',
        t__json='[{"anchor": "a", "positive": "p", "hard1": "x", "hard2": "y"}]',
    )
    assert list(dataset["negative"]) == ["x", "y"]


def test_ms_marco_s_triplets_without_a_header_are_read(load):
    lines = 'what is "rba\tthe bank\ta bank\nwho\tsomebody, or\tnobody\n'
    dataset = load(TRIPLET + 'path = "triples.tsv"\nheader = false', triples__tsv=lines)
    assert triplets(dataset)[0] == ('what is "rba', "the bank", "a bank")
    assert len(dataset) == 2
    with pytest.raises(HarnessError, match="has no column 'anchor'") as error:
        load(TRIPLET + 'path = "triples.tsv"')
    assert "header = false" in str(error.value)


def test_a_row_without_a_negative_is_an_error_or_dropped(load):
    rows = [("a", []), ("b", ["n"])]
    lines = "\n".join(
        json.dumps({"anchor": anchor, "positive": "p", "negative": negative}) for anchor, negative in rows
    )
    with pytest.raises(HarnessError, match=r"t\.jsonl: row 1 has no negative\n.*missing = .drop."):
        load(TRIPLET + 'path = "t.jsonl"', t__jsonl=lines)
    dataset = load(TRIPLET + 'path = "t.jsonl"\nmissing = "drop"', t__jsonl=lines)
    assert triplets(dataset) == [("b", "p", "n")]
    assert codes(dataset) == ["rows-dropped"]
    with pytest.raises(
        HarnessError, match=r"t\.jsonl: 1 row of column 'negative' is not a text, the first is row 1"
    ):
        load(TRIPLET + 'path = "t.jsonl"', t__jsonl='{"anchor": "a", "positive": "p", "negative": ["n", 3]}')


# --- clauses ----------------------------------------------------------------------------------------------


def test_clauses_are_read_from_several_files_without_headers(load):
    table = 'kind = "clauses"\npath = "part-*.tsv"\nheader = false\nmissing = "drop"'
    dataset = load(
        table,
        **{"part-1__tsv": "It ends.\tIt is over.\tentailment\n", "part-2__tsv": 'A "b\tc\t0\nd\te\t\n'},
    )
    assert list(dataset["gold"]) == [1, 0]
    assert list(dataset["clause"]) == ["It ends.", 'A "b']
    assert codes(dataset) == ["rows-dropped", "several-files"]


def test_a_label_that_is_unknown_is_named_with_its_file_and_row(load):
    table = 'kind = "clauses"\npath = ["a.csv", "b.csv"]'
    header = "clause,hypothesis,label\n"
    with pytest.raises(HarnessError, match=r"b\.csv: row 1 has the label 'neutral'"):
        load(table, a__csv=f"{header}a,b,1\n", b__csv=f"{header}c,d,neutral\n")


# --- keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('quotng = "none"', "named 'quotng'\n  did you mean: quoting"),
        ("heder = false", "named 'heder'\n  did you mean: header"),
        ('tag = ["x"]', "named 'tag'\n  did you mean: tags"),
        ('colums = { a = "b" }', "named 'colums'\n  did you mean: columns"),
        ('columns = { clustr = "b" }', "named 'clustr'\n  did you mean: cluster"),
        ('templates = { cluster = "{b}" }', "no template .* named 'cluster'"),
        ('quoting = "nothing"', r"\[tasks.own\] quoting must be 'auto', 'none' or 'csv', not 'nothing'"),
        ('missing = "ignore"', r"missing must be 'error' or 'drop'"),
        ('header = "yes"', r"header must be true or false or a list of texts, not 'yes'"),
        ('delimiter = "tab"', "delimiter must be one character, not 'tab'"),
        ("split = 3", "split must be a text, not 3"),
    ],
)
def test_a_misspelled_key_is_an_error_before_anything_is_read(kind, line, message, load):
    with pytest.raises(HarnessError, match=message):
        load(f'kind = "{kind}"\npath = "nowhere.tsv"\n{line}')


def test_a_list_of_paths_that_is_empty_is_an_error(load):
    with pytest.raises(HarnessError, match="path names no file"):
        load(STS + "path = []")


def test_how_rows_are_written_is_no_part_of_a_task(tmp_path):
    table = '[tasks.own]\nkind = "sts"\npath = ["a.tsv", "b.tsv"]\nheader = false\nquoting = "none"\n'
    table += 'delimiter = ";"\nmissing = "drop"\nscores = ["c.txt", "d.txt"]\n'
    (tmp_path / "tasks.toml").write_text(table)
    (task,) = read_task_file(tmp_path / "tasks.toml", KINDS).values()
    assert task.options == {}


# --- pairs of one text ------------------------------------------------------------------------------------

SAME = [f"{word} number {number}" for word in ("a dog", "a cat", "the law") for number in range(7)]
OTHER = [(f"a dog {number}", f"the law {'x' * number}") for number in range(9)]


class RoundedModel(LetterModel):
    """Cosines are in the last bits as torch leaves them: not quite 1, by the text."""

    def encode(self, texts, role=None):
        return self._unit(super().encode(texts) + np.float32(0.1))

    def pairwise_similarity(self, a, b):
        noise = (a * np.arange(26, dtype=np.float32)).sum(axis=1) % 1 - np.float32(0.5)
        return (a * b).sum(axis=1) + noise * np.float32(1e-6)


def rows_of(order):
    rows = [(text, text, 4 + number % 3) for number, text in enumerate(SAME)]
    rows += [(*pair, number % 4) for number, pair in enumerate(OTHER)]
    return [rows[place] for place in order]


def test_pairs_of_one_text_tie_exactly_whichever_text_and_order_it_is(load):
    scores = set()
    draw = np.random.default_rng(0)
    for _ in range(5):
        rows = rows_of(draw.permutation(len(SAME) + len(OTHER)))
        renamed = [(f"{a}!", f"{b}!" if a == b else b, score) for a, b, score in rows]
        for variant in (rows, [(b, a, score) for a, b, score in rows], renamed):
            text = "".join(f"{a}\t{b}\t{score}\n" for a, b, score in variant)
            dataset = load(STS + 'path = "rows.tsv"', rows__tsv=text)
            predicted = UserSTS.predict(None, RoundedModel(), dataset)["predicted"]
            same = [a == b for a, b, _ in variant]
            assert set(np.asarray(predicted)[same]) == {1.0}
            assert max(predicted) == 1.0
            scores.add(round(spearmanr([score for *_, score in variant], predicted).statistic, 12))
    assert len(scores) == 1


@pytest.mark.parametrize(
    ("similarity", "exact"), [("cosine", 1.0), ("euclidean", 0.0), ("manhattan", 0.0), ("dot", None)]
)
def test_what_a_text_has_with_itself_depends_on_the_similarity(similarity, exact, load):
    from dataclasses import replace

    model = RoundedModel()
    model.facts = replace(model.facts, similarity=similarity)
    if similarity in ("euclidean", "manhattan"):
        cosine = model.pairwise_similarity
        model.pairwise_similarity = lambda a, b: cosine(a, b) - 1
    dataset = load(STS + 'path = "rows.tsv"', rows__tsv="".join(f"{text}\t{text}\t1\n" for text in SAME))
    predicted = UserSTS.predict(None, model, dataset)["predicted"]
    if exact is None:
        embeddings = model.encode(SAME)
        assert list(predicted) == list(model.pairwise_similarity(embeddings, embeddings))
    else:
        assert set(predicted) == {exact}


def test_a_similarity_far_above_that_of_a_text_with_itself_stays_as_it_is_computed(load):
    """The model computes another function than its facts name: to cut it off would make all pairs tie."""
    model = RoundedModel()
    model.pairwise_similarity = lambda a, b: 30 * (a * b).sum(axis=1)
    dataset = load(STS + 'path = "rows.tsv"', rows__tsv="abc\tabc\t5\nabc\tabd\t4\nabc\txyz\t0\n")
    predicted = UserSTS.predict(None, model, dataset)["predicted"]
    assert len(set(predicted.tolist())) == 3


def test_an_embedding_of_zeros_stays_as_it_is_computed(load):
    dataset = load(STS + 'path = "rows.tsv"', rows__tsv="123\t123\t5\nabc\tabc\t4\nabc\txyz\t0\n")
    assert list(UserSTS.predict(None, LetterModel(), dataset)["predicted"]) == [0, 1, 0]


def test_the_real_sts_test_set_scores_alike_in_another_order_and_format(letters, shared_data, tmp_path, load):
    task = STSBenchmark("stsb", "test")
    dataset = task.load(DataSource("files", shared_data))
    before, _ = evaluate(letters, task, DataSource("files", shared_data))
    order = np.random.default_rng(1).permutation(len(dataset))
    lines = "".join(f"{a}\t{b}\t{score!r}\n" for a, b, score in [pairs(dataset)[row] for row in order])
    load(STS + 'path = "rows.tsv"', rows__tsv=lines)
    (own,) = read_task_file(tmp_path / "tasks.toml", KINDS).values()
    after, _ = evaluate(letters, own, NOWHERE)
    assert [score.score for score in after.scores] == pytest.approx(
        [score.score for score in before.scores], abs=1e-12
    )
