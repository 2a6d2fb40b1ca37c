import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.adapters.store import embeddings as module
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.parts import Keys, keys_of, open_part, write_part
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

ONE, TWO, THREE = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]

# What UTF-8 can hold: everything but lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


def rows(*values: list[float]) -> Matrix:
    return np.array(values, dtype=np.float32)


@pytest.fixture
def store(tmp_path):
    store = EmbeddingStore(tmp_path / "embeddings")
    store.create("tfidf", "v1", 2, {"config": {"dim": 2}})
    return store


def files_of(store: EmbeddingStore) -> list[str]:
    return sorted(path.name for path in (store.root / "tfidf" / "v1").iterdir())


def test_vectors_come_back_by_id_in_the_order_asked_and_zeros_for_the_unknown(store):
    assert store.append("tfidf", "v1", [(["a", "b"], rows(ONE, TWO)), (["c"], rows(THREE))]) == 3
    embeddings = store.open("tfidf", "v1")
    asked = embeddings.vectors(["c", "nobody", "a", "c"])
    assert asked.tolist() == rows(THREE, [0, 0], ONE, THREE).tolist()
    assert embeddings.ids.tolist() == ["a", "b", "c"]
    assert (len(embeddings), embeddings.dim) == (3, 2)
    assert embeddings.facts == {"config": {"dim": 2}}


def test_one_vector_comes_back_by_id_and_an_unknown_id_says_so(store):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    store.append("tfidf", "v1", [(["b"], rows(TWO))])
    embeddings = store.open("tfidf", "v1")
    assert embeddings.vector("b").tolist() == TWO
    with pytest.raises(VersionError, match=r"flit 'c' has no vector in tfidf v1 \(2 flits\)"):
        embeddings.vector("c")


def test_only_what_a_version_lacks_is_missing(store):
    store.append("tfidf", "v1", [(["a", "b"], rows(ONE, TWO))])
    store.append("tfidf", "v1", [(["d"], rows(THREE))])
    embeddings = store.open("tfidf", "v1")
    assert embeddings.missing(["e", "a", "c", "d"]).tolist() == ["e", "c"]
    assert embeddings.has(["e", "a"]).tolist() == [False, True]
    assert embeddings.missing([]).tolist() == []


def test_an_empty_version_is_open_to_all_questions(store):
    embeddings = store.open("tfidf", "v1")
    assert embeddings.missing(["a"]).tolist() == ["a"]
    assert embeddings.vectors(["a"]).tolist() == [[0, 0]]
    assert embeddings.ids.tolist() == []
    assert list(embeddings.batches()) == []
    assert embeddings.size_bytes == 0


def test_batches_give_everything_in_order_and_no_batch_is_larger_than_asked(store):
    store.append("tfidf", "v1", [(["a", "b", "c"], rows(ONE, TWO, THREE))])
    store.append("tfidf", "v1", [(["d"], rows(ONE))])
    batches = [(ids.tolist(), v.tolist()) for ids, v in store.open("tfidf", "v1").batches(2)]
    assert batches == [
        (["a", "b"], rows(ONE, TWO).tolist()),
        (["c"], rows(THREE).tolist()),
        (["d"], rows(ONE).tolist()),
    ]


def test_ids_are_kept_exactly_whatever_they_are_made_of(store):
    ids = ["1", "01", " 1", "ünï", "🐦", "a\x00", "a", "x" * 200, "x" * 199, "-", "NaN", "None"]
    vectors = np.arange(24, dtype=np.float32).reshape(12, 2)
    store.append("tfidf", "v1", [(ids, vectors)])
    embeddings = store.open("tfidf", "v1")
    assert embeddings.ids.tolist() == ids
    assert embeddings.vectors(ids[::-1]).tolist() == vectors[::-1].tolist()
    assert all((embeddings.vector(i) == v).all() for i, v in zip(ids, vectors, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, unique=True, min_size=1))
def test_any_string_is_an_id(tmp_path_factory, ids):
    folder = tmp_path_factory.mktemp("part")
    vectors = np.arange(len(ids), dtype=np.float32)[:, None]
    write_part(folder, "part", 1, [(ids, vectors)])
    assert open_part(folder, "part").find(keys_of(ids)).tolist() == list(range(len(ids)))


def test_ids_whose_hashes_are_the_same_are_told_apart(tmp_path):
    write_part(tmp_path, "part", 1, [(["a", "b", "c"], rows([1], [2], [3]))])
    same = np.full(3, 7, dtype=np.uint64)
    np.save(tmp_path / "part.lookup.npy", np.stack([same, np.array([2, 0, 1], dtype=np.uint64)]))
    part = open_part(tmp_path, "part")
    asked = keys_of(["a", "b", "c", "d"])
    keys = Keys(asked.ids, np.full(4, 7, dtype=np.uint64))
    assert part.find(keys).tolist() == [0, 1, 2, -1]


def test_a_version_that_is_not_there_names_those_that_are(store):
    store.create("tfidf", "v2", 2, {})
    with pytest.raises(VersionError, match="tfidf has no embeddings 'v3'; stored: v1, v2"):
        store.open("tfidf", "v3")
    with pytest.raises(VersionError, match="cbow has no embeddings 'v1'; stored: none"):
        store.open("cbow", "v1")
    assert store.versions("tfidf") == ["v1", "v2"]
    assert store.versions("cbow") == []


def test_a_version_is_created_once(store):
    with pytest.raises(VersionError, match="published already"):
        store.create("tfidf", "v1", 3, {})
    assert store.open("tfidf", "v1").dim == 2


def test_a_flit_that_comes_twice_is_refused_and_nothing_changes(store):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    with pytest.raises(VersionError, match="'b' comes 2 times"):
        store.append("tfidf", "v1", [(["b"], rows(ONE)), (["b"], rows(TWO))])
    with pytest.raises(VersionError, match="has a vector of flit 'a' already"):
        store.append("tfidf", "v1", [(["c", "a"], rows(ONE, TWO))])
    assert store.open("tfidf", "v1").ids.tolist() == ["a"]


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        (["b"], rows([1.0, 0.0, 0.0]), r"shape \(1, 3\), expected \(1, 2\)"),
        (["b", "c"], rows(ONE), r"shape \(1, 2\), expected \(2, 2\)"),
        (["b"], rows([np.nan, 1.0]), "NaN or infinity"),
        (["b"], rows([np.inf, 1.0]), "NaN or infinity"),
        ([""], rows(ONE), "missing or empty"),
        ([None], rows(ONE), "missing or empty"),
        ([7], rows(ONE), "must be strings"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(store, ids, vectors, message):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    before = files_of(store)
    with pytest.raises(VersionError, match=message):
        store.append("tfidf", "v1", [(ids, vectors)])
    assert files_of(store) == before
    assert store.open("tfidf", "v1").ids.tolist() == ["a"]


def test_an_append_that_dies_leaves_the_version_as_it_was(store):
    def dying():
        yield ["b"], rows(TWO)
        raise KeyboardInterrupt

    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    before = files_of(store)
    with pytest.raises(KeyboardInterrupt):
        store.append("tfidf", "v1", dying())
    assert files_of(store) == before
    assert store.append("tfidf", "v1", [(["b"], rows(TWO))]) == 1


def test_what_a_killed_append_left_is_not_seen_and_later_removed(store):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    left = store.root / "tfidf" / "v1" / "part-00001.vectors.npy"
    left.write_bytes(b"half a vec")
    assert store.open("tfidf", "v1").ids.tolist() == ["a"]
    store.append("tfidf", "v1", [(["b"], rows(TWO))])
    store.open("tfidf", "v1").verify()
    assert store.open("tfidf", "v1").vectors(["b", "a"]).tolist() == [TWO, ONE]


def test_nothing_is_visible_before_the_manifest_is_replaced(store, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        store.append("tfidf", "v1", [(["a"], rows(ONE))])
    assert store.open("tfidf", "v1").ids.tolist() == []


def test_an_audit_that_says_no_throws_the_vectors_away(store):
    seen = []

    def audit() -> bool:
        seen.append(store.open("tfidf", "v1").ids.tolist())
        return False

    assert store.append("tfidf", "v1", [(["a"], rows(ONE))], audit) == 0
    assert seen == [[]]
    assert files_of(store) == ["manifest.json"]
    assert store.append("tfidf", "v1", [(["a"], rows(ONE))], lambda: True) == 1


def test_an_append_of_nothing_publishes_nothing(store):
    assert store.append("tfidf", "v1", []) == 0
    assert store.append("tfidf", "v1", [([], np.empty((0, 2), dtype=np.float32))]) == 0
    assert files_of(store) == ["manifest.json"]


def test_folding_parts_keeps_every_vector_and_removes_the_old_files(store):
    for i in range(5):
        store.append("tfidf", "v1", [([f"flit-{i}"], rows([i, 1]))])
    before = store.open("tfidf", "v1")
    store.compact("tfidf", "v1")
    after = store.open("tfidf", "v1")
    assert (len(before.parts), len(after.parts)) == (5, 1)
    assert after.ids.tolist() == before.ids.tolist()
    assert after.vectors(before.ids).tolist() == before.vectors(before.ids).tolist()
    assert len(files_of(store)) == 3 + 1
    after.verify()


def test_who_has_a_version_open_sees_it_unchanged(store):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    opened = store.open("tfidf", "v1")
    store.append("tfidf", "v1", [(["b"], rows(TWO))])
    store.compact("tfidf", "v1")
    assert opened.vectors(["a", "b"]).tolist() == [ONE, [0, 0]]


def test_more_parts_than_allowed_are_folded_by_themselves(tmp_path):
    store = EmbeddingStore(tmp_path, max_parts=3)
    store.create("tfidf", "v1", 2, {})
    counts = []
    for i in range(7):
        store.append("tfidf", "v1", [([f"flit-{i}"], rows(ONE))])
        counts.append(len(store.open("tfidf", "v1").parts))
    assert counts == [1, 2, 3, 1, 2, 3, 1]
    assert len(store.open("tfidf", "v1")) == 7


def test_a_part_is_streamed_in_bounded_memory(store):
    """Each batch has to be let go before the next is made."""
    made = []

    def batches():
        for i in range(3):
            made.append(i)
            yield [f"flit-{i}"], rows(ONE)

    lazily = batches()
    assert store.append("tfidf", "v1", itertools.chain(lazily)) == 3
    assert made == [0, 1, 2]


def test_a_changed_byte_is_found_by_verify_and_the_file_named(store):
    store.append("tfidf", "v1", [(["a"], rows(ONE))])
    store.open("tfidf", "v1").verify()
    path = store.root / "tfidf" / "v1" / "part-00000.vectors.npy"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(VersionError, match=r"part-00000\.vectors\.npy is damaged"):
        store.open("tfidf", "v1").verify()


@pytest.mark.parametrize("kind", ["vectors.npy", "ids.arrow", "lookup.npy"])
def test_a_truncated_or_absent_file_is_named_when_the_version_is_opened(store, kind):
    store.append("tfidf", "v1", [(["a", "b"], rows(ONE, TWO))])
    path = store.root / "tfidf" / "v1" / f"part-00000.{kind}"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(VersionError, match=f"part-00000.{kind} is damaged"):
        store.open("tfidf", "v1")
    path.unlink()
    with pytest.raises(VersionError, match="v1 lacks files that its manifest names"):
        store.open("tfidf", "v1")


def test_a_store_of_other_hashes_is_refused(store, monkeypatch):
    monkeypatch.setattr(module, "HASH_PROBE", 1)
    with pytest.raises(VersionError, match="another hash"):
        store.open("tfidf", "v1")
