import gzip
from pathlib import Path

import pytest

from flutter_pipeline.adapters.benchmark_data import (
    read_beauty,
    read_corpus,
    read_labelled,
    read_sts,
    read_word_pairs,
)
from flutter_pipeline.errors import ContractError


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def put_labelled(root: Path, **texts: str) -> None:
    for part in ("train", "val", "test"):
        put(root / "tweeteval/emotion" / f"{part}_text.txt", texts.get(part, "a\nb\n"))
        put(root / "tweeteval/emotion" / f"{part}_labels.txt", "0\n1\n")


def test_texts_and_labels_go_together_line_by_line(tmp_path):
    # A line separator within a text ends no line.
    put_labelled(tmp_path, test="one\u2028more\ntwo")
    found = read_labelled(tmp_path, "emotion")
    assert found.test.texts == ("one\u2028more", "two")
    assert found.test.labels.tolist() == [0, 1]


def test_a_split_with_more_texts_than_labels_is_refused(tmp_path):
    put_labelled(tmp_path, val="a\nb\nc\n")
    with pytest.raises(ContractError, match=r"3 lines in val_text.txt and 2 in val_labels.txt"):
        read_labelled(tmp_path, "emotion")


def test_sentence_pairs_are_read_with_commas_inside(tmp_path):
    put(tmp_path / "stsb/en-dev.csv.gz", '"An owl, awake",An owl,4.5\nA wren,A car,0.0\n')
    found = read_sts(tmp_path)
    assert found.left == ("An owl, awake", "A wren")
    assert found.told.tolist() == [4.5, 0.0]


def test_word_pairs_are_read_in_lower_case(tmp_path):
    put(tmp_path / "word_similarity/EN-WS-353-ALL.txt", "Owl\tbird\t7.5\n")
    found = read_word_pairs(tmp_path, "wordsim353")
    assert (found.left, found.right, found.told.tolist()) == (("owl",), ("bird",), [7.5])


def test_a_line_of_other_columns_is_named(tmp_path):
    put(tmp_path / "word_similarity/EN-SIMLEX-999.txt", "owl\tbird\t7.5\nwren bird 7\n")
    with pytest.raises(ContractError, match="found line 2, expected three columns"):
        read_word_pairs(tmp_path, "simlex999")


def test_a_score_that_is_no_number_is_refused(tmp_path):
    put(tmp_path / "word_similarity/EN-SIMLEX-999.txt", "owl\tbird\tvery\n")
    with pytest.raises(ContractError, match="'very', expected a number"):
        read_word_pairs(tmp_path, "simlex999")


def test_the_encyclopaedia_is_cut_into_runs_of_a_thousand_words(tmp_path):
    put(tmp_path / "corpora/text8_prefix.txt.gz", " ".join(["owl"] * 2500))
    runs = read_corpus(tmp_path, "text8_prefix")
    assert [len(run.split()) for run in runs] == [1000, 1000, 500]


def test_birds_of_the_beauty_set_have_codes_of_titles(tmp_path):
    put(tmp_path / "amazon_beauty/titles.tsv.gz", "item_id\ttitle\n2\tcomb\n1\tsoap\n3\toil\n")
    put(tmp_path / "amazon_beauty/sequences.txt.gz", "1 1 3\n2 2 1 3\n")
    found = read_beauty(tmp_path)
    assert found.titles == ("soap", "comb", "oil")
    assert found.flits.tolist() == [0, 2, 1, 0, 2]
    assert found.starts.tolist() == [0, 2, 5]


def test_a_flit_without_a_title_is_refused(tmp_path):
    put(tmp_path / "amazon_beauty/titles.tsv.gz", "item_id\ttitle\n1\tsoap\n")
    put(tmp_path / "amazon_beauty/sequences.txt.gz", "1 1 3\n")
    with pytest.raises(ContractError, match="found flit 3, there are titles for 1 to 1"):
        read_beauty(tmp_path)


def test_a_folder_without_the_file_says_which_folder_is_meant(tmp_path):
    with pytest.raises(ContractError, match=r"there is no stsb/en-dev.csv.gz; name the folder"):
        read_sts(tmp_path)


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "corpora/tweets_100k.txt.gz"
    put(path, "one\ntwo\n")
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(ContractError, match="cannot be read"):
        read_corpus(tmp_path, "tweets_100k")
