"""Retrieval from planted states: the answer is known before anything is scored."""

import numpy as np
import pandas as pd
import pytest

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.probes.dtw import dtw_matrix
from phonoscope.studies import alignment_challenge as challenge
from phonoscope.studies import alignment_comparison as comparison
from phonoscope.studies import alignment_retrieval as retrieval
from phonoscope.studies.alignment_summary import of_rank, summarise

DIM = 24
OPTIONS = {"measures": ["seqsim", "mean_pooled"], "pairs": None, "n_random": 12, "seed": 0}
OPTIONS |= {"memory_mb": 64, "dtype": "float32"}


class Corpus:
    """Recordings of sentences in languages, with states that share what ``shared`` says."""

    def __init__(self, folder, languages=("en", "fi", "ru"), n=20, dropped=6):
        self.folder, self.languages = folder, languages
        self.sentences = [f"s{k:02d}" for k in range(n)]
        self.dropped = set(self.sentences[:dropped])
        self.lacking = set()
        self.rng = np.random.default_rng(0)
        self.chosen, self.pairs = folder / "chosen.parquet", folder / "pairs.parquet"

    def write(self):
        rows = [
            {"utterance_id": f"{language}-{sentence}", "language": language, "sentence_id": sentence}
            for language in self.languages
            for sentence in self.sentences
            if (language, sentence) not in self.lacking
        ]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), self.chosen)
        pairs = []
        for i, a in enumerate(self.languages):
            for b in self.languages[i + 1 :]:
                for sentence in self.sentences:
                    missing = {(a, sentence), (b, sentence)} & self.lacking
                    reason = challenge.MISSING if missing else None
                    reason = reason or (challenge.ALIKE if sentence in self.dropped else None)
                    where = {"language_a": a, "language_b": b, "sentence_id": sentence}
                    pairs.append(where | {"kept": reason is None, "reason": reason})
        tables.write(tables.from_rows(pairs, challenge.PAIRS), self.pairs)

    def embed(self, layer, noise, model="m", shards=2, dtype="float16", spoil=None):
        """States that languages share but for ``noise``; for None they are unrelated."""
        states = {}
        for sentence in self.sentences:
            frames = self.rng.normal(size=(int(self.rng.integers(5, 15)), DIM))
            for at, language in enumerate(self.languages):
                # Another pace: some frames are held, the order stays.
                held = np.sort(np.r_[np.arange(len(frames)), self.rng.integers(len(frames), size=at)])
                made = self.rng.normal(size=(len(held), DIM))
                states[f"{language}-{sentence}"] = made if noise is None else frames[held] + noise * made
        if spoil:
            states[spoil][3, 2] = np.nan
        paths = []
        for shard in range(shards):
            path = self.folder / model / str(shard) / f"layer{layer}.parquet"
            with embeddings.Writer(path, DIM, dtype, {"layer": layer}) as writer:
                for sentence in self.sentences[shard::shards]:
                    for language in self.languages:
                        if (language, sentence) not in self.lacking:
                            name = f"{language}-{sentence}"
                            writer.append(name, states[name].astype(np.float32))
            paths.append(path)
        return paths

    def score(self, paths, layer=0, model="m", **more):
        return retrieval.score(self.chosen, self.pairs, paths, OPTIONS | more, model, layer, threads=1)


@pytest.fixture
def corpus(tmp_path):
    made = Corpus(tmp_path)
    made.write()
    return made


def test_states_that_are_shared_are_always_found(corpus):
    scores, _ = corpus.score(corpus.embed(0, 0.05), measures=list(retrieval.MEASURES))
    frame = scores.to_pandas()
    assert len(frame) == 3 * 6 * (2 + 12) * 3  # measures, ordered pairs, sets, metrics
    assert (frame.value == 1).all()
    at = frame[frame.metric == "R@1"]
    assert (at.hits == at.n).all() and (at.chance == 1 / at.n).all() and (at.n == at.n_candidates).all()
    assert set(at[at.subset == "full"].n) == {20} and set(at[at.subset != "full"].n) == {14}
    assert (at.high == 1).all() and (at.low < 1).all()


def test_unrelated_states_are_at_chance(corpus):
    frame = corpus.score(corpus.embed(0, None))[0].to_pandas()
    at = frame[(frame.metric == "R@1") & (frame.subset == "full")]
    # 12 directions of 2 measures, 20 queries each: more than 60 hits where 24 are due are 1e-6.
    assert at.hits.sum() < 45
    assert frame[frame.subset != "random"].draw.isna().all()


@pytest.mark.parametrize("measure", retrieval.MEASURES)
def test_ranks_are_those_of_a_naive_reference(tmp_path, measure):
    corpus = Corpus(tmp_path, n=9, dropped=2)
    corpus.lacking = {("fi", "s03"), ("en", "s07")}
    corpus.write()
    paths = corpus.embed(0, 1.2)
    scores, ranks = corpus.score(paths, measures=[measure])
    states = {}
    for path in paths:
        layer = embeddings.read(path)
        for k, name in enumerate(layer.utterance_ids):
            states[name] = layer.values[layer.utterance == k].astype(np.float64)

    def likeness(a, b):
        if measure == "mean_pooled":
            a, b = a.mean(0), b.mean(0)
            return a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        if measure == "dtw":
            return -dtw_matrix([a], [b])[0, 0]
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        precision, recall = (a @ b.T).max(1).mean(), (a @ b.T).max(0).mean()
        return 2 * precision * recall / (precision + recall)

    rows, at = ranks.to_pandas(), {}
    for (query, candidate, subset), part in rows.groupby(["query", "candidate", "subset"]):
        kept = [
            s
            for s in corpus.sentences
            if not {(query, s), (candidate, s)} & corpus.lacking
            and (subset == "full" or s not in corpus.dropped)
        ]
        assert part.sentence_id.tolist() == kept
        for sentence, rank in zip(part.sentence_id, part["rank"], strict=True):
            for s in kept:
                names = f"{query}-{sentence}", f"{candidate}-{s}"
                if frozenset(names) not in at:
                    at[frozenset(names)] = likeness(*(states[name] for name in names))
            others = [at[frozenset((f"{query}-{sentence}", f"{candidate}-{s}"))] for s in kept]
            true = others[kept.index(sentence)]
            assert rank == 1 + sum(other > true + 1e-9 for other in others if other != true)
        one = scores.to_pandas().query("query == @query and candidate == @candidate and subset == @subset")
        one = one.set_index("metric")
        assert one.hits["R@5"] == (part["rank"] <= 5).sum()
        assert one.value["MRR"] == pytest.approx((1 / part["rank"]).mean())
        assert np.isnan(one.hits["MRR"]) and np.isnan(one.low["MRR"])


def test_two_sentences_and_a_pair_without_a_challenge_set(tmp_path):
    corpus = Corpus(tmp_path, ("en", "fi"), n=2, dropped=2)
    corpus.write()
    scores, ranks = corpus.score(corpus.embed(0, 0.01, shards=1))
    frame = scores.to_pandas()
    full = frame[(frame.subset == "full") & (frame.metric == "R@1")]
    assert (full.value == 1).all() and (full.chance == 0.5).all() and (full.n == 2).all()
    empty = frame[frame.subset != "full"]
    assert (empty.n == 0).all() and empty.value.isna().all() and empty.chance.isna().all()
    for name, table in (("s", scores), ("r", ranks)):
        tables.write(table, tmp_path / f"{name}.parquet")
    found = summarise("c", "m", [tmp_path / "s.parquet"], [tmp_path / "r.parquet"])
    assert found[found.subset == "full"].value.eq(1).all() and found.p.isna().all()
    best = comparison.best_layers(found)
    assert best.full.tolist() == [1, 1] and best.challenge.isna().all()


def test_a_language_pair_without_a_common_sentence(tmp_path):
    corpus = Corpus(tmp_path, n=4, dropped=0)
    corpus.lacking = {("en", "s00"), ("en", "s01"), ("fi", "s02"), ("fi", "s03")}
    corpus.write()
    paths = corpus.embed(0, 0.1, shards=1)
    scores, ranks = (table.to_pandas() for table in corpus.score(paths))
    without = {"en", "fi"}
    none = [{a, b} == without for a, b in zip(scores["query"], scores.candidate, strict=True)]
    assert scores[none].value.isna().all() and (scores[none].n == 0).all()
    assert (
        scores[~np.array(none)].value.eq(1).all()
        and not ranks.candidate[ranks["query"] == "en"].eq("fi").any()
    )
    with pytest.raises(InputError, match="in common"):
        corpus.score(paths, pairs=[["en", "fi"]])


def test_chosen_pairs_only_each_once_in_both_directions(corpus):
    scores, _ = corpus.score(corpus.embed(0, 0.5), pairs=[["ru", "en"], ["en", "ru"]])
    frame = scores.to_pandas()
    assert set(zip(frame["query"], frame.candidate, strict=True)) == {("en", "ru"), ("ru", "en")}
    with pytest.raises(InputError, match="sv"):
        corpus.score(corpus.embed(1, 0.5), pairs=[["sv", "en"]])


def test_the_result_does_not_depend_on_shards_memory_or_pairs(corpus, tmp_path):
    whole = Corpus(tmp_path / "other")
    (tmp_path / "other").mkdir()
    whole.write()
    one = whole.score(whole.embed(0, 0.9, shards=1))
    parts = corpus.score(corpus.embed(0, 0.9, shards=3), memory_mb=1)
    assert one[0].equals(parts[0]) and one[1].equals(parts[1])
    alone = corpus.score(corpus.embed(1, None), pairs=[["fi", "ru"]])[0].to_pandas()
    among = corpus.score([corpus.folder / "m" / str(k) / "layer1.parquet" for k in range(2)])[0].to_pandas()
    among = among[~among["query"].eq("en") & ~among.candidate.eq("en")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)


def test_states_that_are_not_finite_stop_the_job(corpus):
    paths = corpus.embed(0, 0.1, dtype="float32", spoil="fi-s04")
    for measure in retrieval.MEASURES:
        with pytest.raises(InputError, match="fi-s04"):
            corpus.score(paths, measures=[measure])


def test_a_recording_without_states_is_named(corpus):
    with pytest.raises(InputError, match="en-s01"):
        corpus.score(corpus.embed(0, 0.1)[:1])


@pytest.fixture
def studied(corpus):
    """Two models: languages share next to nothing in the one, and more with every layer in the other."""
    sheets, ranks, frames = [], [], {}
    for model, levels in {"sound": (None, 1.6), "meaning": (2.0, 0.4, 0.1)}.items():
        scored, ranked = [], []
        for layer, noise in enumerate(levels):
            paths = corpus.embed(layer, noise, model)
            for name, table in zip(("s", "r"), corpus.score(paths, layer, model, n_random=40), strict=True):
                path = corpus.folder / f"{model}-{layer}-{name}.parquet"
                tables.write(table, path)
                (scored if name == "s" else ranked).append(path)
        frames[model] = summarise("c", model, scored, ranked)
        sheets.append(corpus.folder / f"{model}.csv")
        comparison.sheets.write(frames[model], sheets[-1])
        ranks += ranked
    return corpus, sheets, ranks, frames


def test_the_summary_adds_up(studied):
    corpus, _, ranks, frames = studied
    frame = frames["meaning"]
    rows = tables.read(ranks).to_pandas()
    rows = rows[(rows.model == "meaning") & (rows.layer == 0) & (rows.measure == "seqsim")]
    for subset, n in (("full", 120), ("challenge", 84)):
        for metric in ("R@1", "R@5", "MRR"):
            mine = frame[(frame.layer == 0) & (frame.measure == "seqsim") & (frame.metric == metric)]
            mine = mine[(mine.subset == subset) & (mine["query"] == "all")].iloc[0]
            values = of_rank(rows[rows.subset == subset]["rank"], metric)
            assert mine.value == pytest.approx(values.mean()) and mine.n == n
            if values.std():
                assert mine.ci_low < mine.value < mine.ci_high
    drawn = tables.read(corpus.folder / "meaning-0-s.parquet").to_pandas()
    drawn = drawn[(drawn.subset == "random") & (drawn.measure == "seqsim") & (drawn.metric == "R@1")]
    mine = frame[(frame.layer == 0) & (frame.measure == "seqsim") & (frame.metric == "R@1")]
    pooled = drawn.groupby("draw").hits.sum() / drawn.groupby("draw").n.sum()
    row = mine[(mine.subset == "random") & (mine["query"] == "all")].iloc[0]
    assert row.value == pytest.approx(pooled.mean()) and row.draws == 40
    assert row.ci_low == pytest.approx(np.quantile(pooled, 0.025))
    at = mine[(mine.subset == "challenge") & (mine["query"] == "all")].iloc[0]
    assert at.p == pytest.approx((1 + (pooled <= at.value + 1e-12).sum()) / 41)
    one = drawn[(drawn["query"] == "fi") & (drawn.candidate == "en")]
    row = mine[(mine.subset == "random") & (mine["query"] == "fi") & (mine.candidate == "en")].iloc[0]
    assert row.value == pytest.approx(one.value.mean()) and row.ci_high == pytest.approx(
        one.value.quantile(0.975)
    )


def test_models_are_compared_on_the_same_queries(studied):
    corpus, sheets, ranks, _ = studied
    left = corpus.folder / "left.parquet"
    from phonoscope.studies.alignment_sentences import LEFT_OUT

    tables.write(
        tables.from_rows([{"language": "en", "reason": "empty transcript", "items": 2}], LEFT_OUT), left
    )
    published = corpus.folder / "p.csv"
    published.write_text(
        "paper,experiment,model,condition,metric,value_low,value_high,precision,source\n"
        "2505.19606v1,retrieval full set,big/model,en-fi,R@1,,0.80,approximate,x\n"
        "2505.19606v1,retrieval challenge set,big/model,all pairs,R@1,0.0,0.1,range,x\n"
        "2505.19606v1,retrieval distant pairs,ASR-only,distant pairs,R@1,0.0,0.1,range,x\n"
        "2505.19606v1,early exit,big/model,x,CER,0.0,0.1,range,x\n"
    )
    found = comparison.compare(
        ["c"],
        sheets,
        [ranks],
        [corpus.pairs],
        [left],
        published,
        {"meaning": "big/model"},
        {"c": "2505.19606"},
    )
    table = found["contrast"]
    assert set(table["at"]) == {"best", "layer"}
    # Best layers once, and the two layer numbers that both have; all pairs and six directions.
    assert len(table) == 2 * 2 * (1 + 2) * (1 + 6)
    rows = tables.read(ranks).to_pandas()
    row = table[(table["at"] == "layer") & (table.layer_a == 1) & (table.measure == "seqsim")]
    row = row[(row.subset == "full") & (row["query"] == "fi") & (row.candidate == "ru")].iloc[0]
    mine = rows[(rows.layer == 1) & (rows.measure == "seqsim") & (rows.subset == "full")]
    mine = mine[(mine["query"] == "fi") & (mine.candidate == "ru")]
    hits = mine.assign(hit=mine["rank"] == 1).pivot(index="sentence_id", columns="model", values="hit")
    b, c = (hits.sound & ~hits.meaning).sum(), (hits.meaning & ~hits.sound).sum()
    assert (row.only_a, row.only_b, row.n) == (b, c, 20) and row.model_a == "sound"
    from scipy.stats import binomtest

    assert row.p == pytest.approx(binomtest(int(b), int(b + c), 0.5).pvalue if b + c else 1)
    everywhere = rows[(rows.layer == 1) & (rows.measure == "seqsim") & (rows.subset == "full")]
    share = everywhere.assign(hit=everywhere["rank"] == 1).pivot_table("hit", "sentence_id", "model")
    difference = share.sound - share.meaning
    row = table[(table["at"] == "layer") & (table.layer_a == 1) & (table.measure == "seqsim")]
    row = row[(row.subset == "full") & (row["query"] == "all")].iloc[0]
    assert row.test == "sign flips" and row.mean_difference == pytest.approx(difference.mean())
    assert row.note.startswith(f"{(difference.abs() > 1e-9).sum()} of 20 sentences differ")
    flips = np.random.default_rng(0).choice([-1, 1], (20000, 20)) @ difference.to_numpy()
    assert row.p == pytest.approx(np.mean(np.abs(flips) >= abs(difference.sum()) - 1e-9), abs=0.02)
    assert (table.p_holm.dropna() >= table.p[table.p_holm.notna()]).all()
    best = found["best"].set_index(["model", "measure"])
    assert best.full["meaning", "seqsim"] == 1 and best.full["sound", "seqsim"] < 1
    shown = found["published"]
    assert len(shown) == 3 and shown.comparable.str.startswith("yes").tolist() == [True, True, False]
    assert shown.verdict.tolist() == ["ranges do not overlap", "ranges do not overlap", ""]
    counts = found["left_out"]
    assert counts[counts.reason == "in the challenge set"]["items"].tolist() == [14] * 3
    assert counts["items"].sum() == 3 * 20 + 2
    assert len(found["challenge"]) == 60
    assert found["challenge"].in_set.eq("yes").sum() == 3 * 14
    for name, frame in found.items():
        comparison.sheets.write(frame, corpus.folder / f"{name}.csv")
        assert len(comparison.sheets.read(corpus.folder / f"{name}.csv")) == len(frame)


@pytest.mark.parametrize("measure", ["seqsim", "dtw"])
def test_too_little_memory_names_the_option_and_the_recordings(measure):
    a = [np.ones((2000, 64), np.float32), np.ones((3, 64), np.float32)]
    names, options = (["fi_1", "fi_2"], ["ru_1", "ru_2"]), {"memory_mb": 1, "dtype": "float32"}
    with pytest.raises(InputError, match="fi_1 and ru_1: memory_mb 1 is too little") as error:
        retrieval.likeness(measure, a, a, names, options, threads=4)
    enough = int(error.value.fix.split("alignment.retrieval.memory_mb to ")[1].split()[0])
    assert enough > 1 and "fewer threads" in error.value.fix and "memory_bytes" not in str(error.value)
    found = retrieval.likeness(measure, a, a, names, options | {"memory_mb": enough}, threads=4)
    assert found.shape == (2, 2)


def test_published_p_of_pairs_of_words_is_beside_ours(tmp_path):
    published = tmp_path / "p.csv"
    published.write_text(
        "paper,experiment,model,condition,metric,value_low,value_high,precision,source\n"
        "2505.19606v1,SeqSimInterp,big/model,matched vs random,paired t-test p,,0.001,bound,x\n"
    )
    case = {"corpus": "c", "model": "m", "language_a": "all", "language_b": "all", "measure": "similarity"}
    rows = [
        case | {"layer": 0, "difference": 0.1, "p": 0.5, "p_permutation": 0.4},
        case | {"layer": 1, "difference": 0.3, "p": 1e-6, "p_permutation": 0.0005},
        case | {"layer": 1, "difference": 0.9, "p": 0.9, "p_permutation": 0.9, "measure": "distance"},
        case | {"layer": 1, "difference": 0.9, "p": 0.9, "p_permutation": 0.9, "language_a": "en"},
    ]
    nothing = pd.DataFrame(columns=["corpus", "model", "measure", "metric", "subset", "query", "layer"])

    def shown(rows, papers):
        words = None if rows is None else pd.DataFrame(rows)
        hub = {"m": "big/model"}
        return comparison.with_published(published, nothing, nothing, hub, papers, words).iloc[0]

    found = shown(rows, {"c": "2505.19606"})
    assert (found.layer, found.p, found.p_permutation, found.value_high) == (1, 1e-6, 0.0005, 0.001)
    assert found.comparable.startswith("yes") and found.verdict == "both p within the bound"
    rows[1]["p_permutation"] = 0.01
    assert shown(rows, {"c": "2505.19606"}).verdict == "above the bound: permutation"
    rows[0]["difference"], rows[1]["difference"] = -0.5, -0.3
    assert shown(rows, {"c": "2505.19606"}).verdict == "not more alike than random pairs"
    assert shown(rows, {"c": None}).comparable == "no: other corpus" and shown(rows, {"c": None}).p == 1e-6
    assert shown(None, {"c": "2505.19606"}).comparable == "no: not measured here"


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (5, 1), (4, 4), (0, 12), (213, 260)])
def test_mcnemar_is_the_binomial_test(a, b):
    from scipy.stats import binomtest

    expected = binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    assert comparison.mcnemar(a, b) == pytest.approx(expected, abs=1e-12)
