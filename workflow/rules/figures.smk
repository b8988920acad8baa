"""Figures: one rule each, so that a change of style draws one figure again."""

STUDY_FIGURES = []
