"""CSV sheets of results: one way to write them, and one to read them back as they were."""

import pandas as pd

from phonoscope import tables

# All else is text, also where it looks like a number (a speaker "01", a task "1", a group "NA").
_NUMBERS = """
r ci_low ci_high chance n_speakers n_test seconds best_layer leak r_frames r_utterances
mean_difference statistic p p_holm value measured difference
n_recordings n_left_out n_samples sd_mm missing_share zero_share largest_jump_mm length_difference_s
macro_f1 unheard shuffled majority mean_f1 f1_at_span f1_best rank fold
n_classes n_items n_folds n_focus near_edge n_occluded items share flat_share
span_ms span_low span_high best_ms flat_ms reach_ms offset_ms window_ms width_ms
occlusion_ms occlusion_low occlusion_high acoustic_ms acoustic_low acoustic_high kept
published_ms difference_ms
n hits n_candidates draws r1_a r1_b only_a only_b layer_a layer_b measured_low measured_high
distance threshold by_chance
full full_low full_high full_chance challenge challenge_low challenge_high challenge_chance
random random_low random_high random_chance
change change_low change_high not_ended cer
relative_depth low high
cosine similarity auc auc_low auc_high frames n_pairs n_sentences p_permutation by_time statistic_time
same other chance_difference ratio ratio_low ratio_high ceiling of_ceiling of_ceiling_low of_ceiling_high
before after gain gain_low gain_high closed closed_low closed_high lost lost_low lost_high
p_time p_time_holm start_a_s end_a_s start_b_s end_b_s
r2 control n_models pearson pearson_low pearson_high spearman spearman_low spearman_high steiger_z n_tasks
articulation_best articulation_layer articulation_mean articulation_chance
phones_best phones_layer phones_mean phones_shuffled phones_majority
same_texts other_texts shared
"""


def write(frame, path):
    """Write ``frame`` as CSV with six decimals, moved into place."""
    with tables.beside(path) as partial:
        frame.round(6).to_csv(partial, index=False, lineterminator="\n")


def read(path):
    """Read a sheet; ``layer`` is a number unless the sheet also has the layers "all" or "best"."""
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    for column in frame.columns.intersection(_NUMBERS.split()):
        frame[column] = pd.to_numeric(frame[column].replace("", None))
    if "layer" in frame and not frame.layer.isin(["all", "best", ""]).any():
        frame["layer"] = pd.to_numeric(frame.layer)
    return frame
