"""Phonoscope: what do speech models know, layer by layer?"""
