"""The benchmark of the kinematics study in miniature: every study of it runs, and the sum is what counts."""

import json

import pytest

from benchmarks import kinematics


def test_every_study_of_the_benchmark_has_rows(tmp_path, capsys):
    kinematics.write_layer(tmp_path, speakers=4, seconds=48, dim=6)
    for study in kinematics.STUDIES:
        kinematics.measure(tmp_path, study, "ols")
        found = json.loads(capsys.readouterr().out)
        assert found["seconds"] > 0 and found["rows"] > 0, study
        assert len(found.get("r", [])) == (4 * 4 * 10 if study == "kinematics" else 0)


def test_the_partition_is_of_speakers_and_of_languages(tmp_path):
    from phonoscope.studies import kinematics_partition

    kinematics.write_layer(tmp_path, speakers=4, seconds=48, dim=6)
    segments = sorted(str(path) for path in (tmp_path / "segments").glob("*"))
    utterances, tracks, layer = kinematics.probes.shards(tmp_path)
    rows = kinematics_partition.score(utterances, tracks, segments, layer, kinematics.PARTITION, "b", 0)
    rows = rows.to_pandas().query("metric == 'r2_both'")
    per = rows.groupby("experiment").test.nunique()
    assert per.to_dict() == {"partition_speaker": 4, "partition_language": 8} and rows.value.notna().all()


@pytest.mark.parametrize(("partition", "within"), [(17.0, True), (17.5, False)])
def test_the_limit_is_on_the_sum(partition, within):
    seconds = {"articulation": 10.0, "kinematics": 13.0, "partition": partition}
    medians = {study: {"seconds": s, "cpu_seconds": 2 * s} for study, s in seconds.items()}
    found = kinematics.against_the_limit(medians)
    together = found["times_the_articulation_study"]["seconds"]["together"]
    assert together == pytest.approx((13 + partition) / 10) and found["within_limit"] == within
