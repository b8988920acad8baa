"""Whatever a file holds: its reader answers soon, in little memory, with whole tables or one line."""

import shutil

import pytest
from hypothesis import given, settings
from spoiling import mutations, seeds
from spoiling.formats import FORMATS

# What a recording of a second takes besides its file: filters, resampling, tables.
CONSTANT = 24 * 2**20

# Formats with an inner form: spoiled within what keeps its outer form whole.
INNER = {
    "emu_json": [mutations.spoiled_tree(seeds.bundle()).map(seeds.as_json)],
    "bundle_audio": [mutations.spoiled_tree(seeds.bundle()).map(seeds.as_json)],
    "annotation": [mutations.spoiled_tree(seeds.annotation()).map(seeds.as_json)],
    "embeddings": [mutations.spoiled_tree(seeds.embeddings_say()).map(seeds.embeddings)],
    "pt": [
        mutations.spoiled(seeds.pickled(seeds.spire_content())).map(seeds.zipped),
        mutations.spoiled_tree(seeds.spire_content()).map(seeds.pickled).map(seeds.zipped),
    ],
    "mat_compressed": [mutations.spoiled(seeds.mat()[128:]).map(seeds.deflated_mat)],
    "recordings_parquet": [mutations.spoiled_table(seeds.recordings_table()).map(seeds.parquet)],
    "segments_parquet": [mutations.spoiled_table(seeds.segments_table()).map(seeds.parquet)],
    "ema_parquet": [mutations.spoiled_table(seeds.ema_table()).map(seeds.parquet)],
}

# Formats that say how much they hold, so that a part of a file can be told from a whole one.
COUNTED = (
    *("est_binary", "est_ascii", "mat", "mat_compressed", "pt", "emu_json", "annotation", "flac"),
    *(
        "textgrid_long",
        "textgrid_short",
        "recordings_parquet",
        "segments_parquet",
        "ema_parquet",
        "embeddings",
    ),
)
# Text that takes forever where a pattern goes back and forth in it.
ENDLESS = {name: word * (300_000 // len(word)) for name, word in
           {"a": b"a", "9": b"9", "space": b" ", "quote": b'"', "words": b"_ a"}.items()}  # fmt: skip


def judge(nursery, form, folder, size):
    """Read the spoiled file in ``folder``; fail unless it was read or refused as it should be."""
    answer = nursery.read(form.reading, folder)
    assert answer["outcome"] in ("read", "refused"), f"{folder}: {answer['text']}"
    if answer["outcome"] == "refused":
        text = answer["text"]
        assert text.isprintable() and answer["named"] and len(text) < 3500, f"{folder}: {text[:5000]}"
    if answer["peak"] > CONSTANT + form.times * size:
        # What is loaded at its first use, whatever the file, is not loaded again.
        answer = nursery.read(form.reading, folder)
    assert answer["peak"] <= CONSTANT + form.times * size, f"{folder}: {answer}"
    return answer


@pytest.fixture(scope="module")
def laid(nursery, tmp_path_factory):
    """A function: a format's folder, where its valid file has been read, and the file to spoil."""
    places = {}

    def lay(name):
        if name not in places:
            folder = tmp_path_factory.mktemp(name)
            path = FORMATS[name].lay(folder)
            path.write_bytes(FORMATS[name].valid())
            nursery.warm_up(FORMATS[name].reading, folder)
            places[name] = folder, path
        return places[name]

    return lay


@pytest.fixture
def fuzz(nursery, laid):
    """A function that judges a format's file with many contents."""

    def run(name, contents, profile="fuzz"):
        folder, path = laid(name)
        if path.is_dir():
            path.rmdir()

        @settings(settings.get_profile(profile))
        @given(contents.map(mutations.Content))
        def each(content):
            path.write_bytes(content)
            judge(nursery, FORMATS[name], folder, len(content))

        each()

    return run


@pytest.mark.parametrize("name", FORMATS)
def test_spoiled_bytes(fuzz, name):
    fuzz(name, mutations.spoiled(FORMATS[name].valid()))


@pytest.mark.parametrize(("name", "which"), [(name, i) for name in INNER for i in range(len(INNER[name]))])
def test_spoiled_within(fuzz, name, which):
    fuzz(name, INNER[name][which])


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_spoiled_bytes_for_longer(fuzz, name):
    fuzz(name, mutations.spoiled(FORMATS[name].valid()), "fuzz-deep")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "which"), [(name, i) for name in INNER for i in range(len(INNER[name]))])
def test_spoiled_within_for_longer(fuzz, name, which):
    fuzz(name, INNER[name][which], "fuzz-deep")


@pytest.mark.parametrize("name", COUNTED)
def test_a_part_is_never_taken_for_the_whole(nursery, laid, name):
    folder, path = laid(name)
    whole = FORMATS[name].valid()
    # All lengths near the ends, and others between.
    # The last number of a text may be shorter than it was, and what ends a file may be a space.
    end = len(whole.rstrip()) - (12 if name == "est_ascii" else 1)
    lengths = {*range(0, 60, 7), *range(0, end, max(1, len(whole) // 40)), *range(end - 10, end)}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        answer = judge(nursery, FORMATS[name], folder, length)
        assert answer["outcome"] == "refused", f"the first {length} of {len(whole)} bytes"


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("name", FORMATS)
def test_time_grows_with_the_file(nursery, laid, name, kind):
    folder, path = laid(name)
    lines = FORMATS[name].valid().split(b"\n")
    for content in (
        ENDLESS[kind],
        b"\n".join([*lines[: len(lines) // 2], ENDLESS[kind], *lines[len(lines) // 2 :]]),
    ):
        path.write_bytes(content)
        judge(nursery, FORMATS[name], folder, len(content))


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_in_its_place_and_nothing_at_all(nursery, laid, name, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(laid(name)[0], copy)
    path = copy / FORMATS[name].place
    path.unlink()
    assert judge(nursery, FORMATS[name], copy, 0)["outcome"] == "refused" or name == "segments_parquet"
    path.mkdir()
    assert judge(nursery, FORMATS[name], copy, 0)["outcome"] == "refused"
