"""What the atlas says of each study: names of its curves, what a number means, and what chance gives."""

SPECIFICITY = "specificity"

# Per study: curves (measures of the table, the main one first), further numbers at the best layer (extra),
# and words. Studies that were not run are left out of the page.
STUDIES = {
    "articulation": {
        "title": "Articulation",
        "unit": "Pearson r",
        "curves": ["r_same_speaker", "r_new_speaker"],
        "labels": {"r_same_speaker": "same speaker (E1)", "r_new_speaker": "new speaker (E4)"},
        "chance": "chance: EMA shifted in time",
        "extra": {},
        "specificity": "r of the native language that is read best, less that of the one read worst",
        "docs": "methods.md",
        "help": (
            "How well the movements of tongue and lips can be read from a layer by a linear map: the mean"
            " over speakers and sensors of the correlation between measured and predicted movement, 1 if "
            "it is read exactly. Same speaker: the map was fitted on other recordings of the speaker; new"
            " speaker: on other speakers. Intervals are 95 % bootstraps over speakers. Chance is the same"
            " on movements that were shifted in time, close to 0."
        ),
        "specificity_help": (
            "Mean r of the native language that is read best less that of the one read worst, each fitted"
            " on its own speakers (E5). Such a difference is never below 0: chance is what comes out when"
            " native languages are shuffled over speakers. It may also lie in the speakers, who differ "
            "between languages."
        ),
    },
    "kinematics": {
        "title": "Transfer",
        "unit": "Pearson r",
        "curves": [
            *["r_same_language", "r_other_language", "r_within", "r_other_speaker"],
            *["r_same_native", "r_other_native"],
        ],
        "labels": {
            "r_same_language": "other speakers, same language spoken",
            "r_other_language": "other speakers, other language spoken",
            "r_same_native": "another speaker, same native language",
            "r_other_native": "another speaker, other native language",
            "r_within": "same speaker",
            "r_other_speaker": "another speaker",
        },
        "chance": "chance: EMA shifted in time",
        "extra": {},
        "specificity": "share of r that is lost from speakers of the same language to those of another",
        "docs": "kinematics.md",
        "help": (
            "How well a map that was fitted on other speakers reads a speaker's movements: on their "
            "recordings in the language that is spoken, or in another one. Where languages are not compared "
            "as spoken, the map is that of one speaker of the same or of another native language, who may "
            "speak the same language there. Beside it, the map of the speaker's own other recordings, "
            "which are fewer. "
            "Intervals are 95 % bootstraps over the speakers that are read. Chance is the same on "
            "movements that were shifted in time."
        ),
        "specificity_help": (
            "The share of r that is lost from one spoken language to another (or, where the curves say so, "
            "from one native language to another): (same - other) / same, at the layer"
            " that reads other speakers best. 0: the map carries over to another language as well as to "
            "another speaker of its own; 1: nothing of it does. Native language is not what is said: "
            "speakers of two languages move alike in both."
        ),
    },
    "tone": {
        "title": "Tone",
        "unit": "macro-F1",
        "curves": ["macro_f1"],
        "labels": {"macro_f1": "macro-F1", "span_ms": "span (ms)"},
        "chance": "chance: shuffled labels",
        "extra": {
            "span": {
                "title": "span",
                "measure": "span_ms",
                "unit": "ms",
                "means": "how wide a stretch of sound the best layer's reading of a tone depends on",
                "missing": "no span was measured",
                "beside": "acoustic_span_ms",
                "beside_label": "sound",
            }
        },
        "specificity": "macro-F1 on the language it was tuned to, less that of models tuned to others",
        "docs": "tone.md",
        "help": (
            "How well the tones of syllables can be told from a layer, on speakers or syllables that the "
            "probe has not seen: macro-F1 is 1 if every tone is told right, and the tones count alike. "
            "Chance is the same probe on shuffled labels. The span is how wide a stretch of time, in ms, "
            "that reading depends on at the best layer (by gradients); beside it the span that the sound "
            "itself needs, and the one of a flat profile, which says nothing. Intervals are 95 % "
            "bootstraps over folds."
        ),
        "specificity_help": (
            "For models tuned to one of the languages: macro-F1 there, less the mean of the models that "
            "were tuned from the same base in the same way to other languages, on the same tones. 0: a "
            "model of another language tells these tones as well."
        ),
    },
    "alignment": {
        "title": "Alignment",
        "unit": "R@1",
        "curves": ["R@1_full", "R@1_challenge"],
        "labels": {
            "R@1_full": "all sentences",
            "R@1_challenge": "challenge set, without look-alikes",
            "R@1_random": "random sets of the challenge set's size",
        },
        "chance": "chance: 1 / sentences",
        "extra": {},
        "specificity": "R@1 of random sets of the challenge set's size, less R@1 of the challenge set",
        "docs": "alignment.md",
        "help": (
            "How often the nearest sentence of another language, by the similarity of the layer's frames,"
            " is the translation: 1 if always. The challenge set leaves out pairs with words that sound "
            "alike in both languages; it is smaller, so that its chance is higher. Intervals are 95 % "
            "bootstraps over sentences."
        ),
        "specificity_help": (
            "What retrieval owes to words that sound alike: R@1 of random sets of the challenge set's "
            "size (which are as easy by chance) less R@1 of the challenge set. 0: the languages meet by "
            "something else than sound, or not at all. In brackets, the same with the random sets between"
            " which 95 % of them lie; p is how often a random set scores as low as the challenge set."
        ),
    },
}
