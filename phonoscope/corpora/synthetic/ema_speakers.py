"""The eight invented speakers whose vocal tracts say every corpus of articulatory synthesis."""

# Anatomy: the 13 parameters of VocalTractLab in its order and units (cm, degrees): lip width, mandible
# height, lower and upper molars height, palate height and depth, hard and soft palate length, pharynx
# length, larynx length and width, vocal fold length, oral-pharyngeal angle. `points_cm`: distance of TT,
# TB and TD from the tip along the tongue. `tilt_deg`: error of the bite-plane alignment. `voice`: lung
# pressure (share of 800 Pa), glottal gap added (cm), aspiration added (dB), pitch range (share).
_MALE = (1.30, 1.50, 0.50, 0.50, 1.60, 3.60, 4.70, 2.37, 6.35, 3.20, 3.30, 1.20, -98.0)
_FEMALE = (1.10, 1.40, 0.50, 0.50, 1.48, 3.35, 4.30, 2.35, 5.30, 2.60, 2.90, 1.00, -97.0)


def _speaker(name, language, sex, scale, f0_hz, rate, voice, points_cm, tilt_deg):
    anatomy = list(_MALE if sex == "m" else _FEMALE)
    for index, factor in scale.items():
        anatomy[index] = round(anatomy[index] * factor, 3)
    pressure, breathiness_cm, aspiration_db, pitch_range = voice
    return {
        "speaker": name,
        "sex": sex,
        "native_language": language,
        "anatomy": anatomy,
        "f0_hz": f0_hz,
        "pitch_range": pitch_range,
        "rate": rate,
        "pressure": pressure,
        "breathiness_cm": breathiness_cm,
        "aspiration_db": aspiration_db,
        "points_cm": points_cm,
        "tilt_deg": tilt_deg,
    }


SPEAKERS = (
    _speaker("tal1_f", "Talmi", "f", {},
             f0_hz=196, rate=1.00, voice=(0.95, 0.004, 2, 1.0), points_cm=(1.2, 2.6, 4.1), tilt_deg=2.0),
    _speaker("tal2_m", "Talmi", "m", {},
             f0_hz=112, rate=1.08, voice=(1.00, 0.000, 0, 0.8), points_cm=(1.3, 2.9, 4.7), tilt_deg=-1.5),
    _speaker("tal3_f", "Talmi", "f", {6: 1.05, 8: 0.98, 0: 0.92},
             f0_hz=218, rate=0.92, voice=(0.90, 0.006, 4, 1.3), points_cm=(1.1, 2.4, 3.9), tilt_deg=4.0),
    _speaker("tal4_m", "Talmi", "m", {6: 0.95, 8: 1.06, 9: 1.05, 5: 1.04},
             f0_hz=98, rate=0.96, voice=(1.05, 0.002, 1, 1.1), points_cm=(1.4, 3.0, 4.8), tilt_deg=0.5),
    _speaker("vos1_f", "Vosun", "f", {6: 0.97, 8: 1.04, 0: 1.1},
             f0_hz=184, rate=1.06, voice=(1.00, 0.002, 1, 0.9), points_cm=(1.3, 2.7, 4.2), tilt_deg=-3.0),
    _speaker("vos2_m", "Vosun", "m", {6: 1.04, 8: 0.96, 4: 0.95},
             f0_hz=124, rate=0.94, voice=(0.95, 0.004, 3, 1.2), points_cm=(1.2, 2.7, 4.5), tilt_deg=1.0),
    _speaker("vos3_f", "Vosun", "f", {5: 0.96, 4: 0.95, 9: 0.95},
             f0_hz=206, rate=1.12, voice=(0.92, 0.005, 2, 1.1), points_cm=(1.15, 2.5, 4.0), tilt_deg=-0.5),
    _speaker("vos4_m", "Vosun", "m", {6: 0.98, 7: 1.05, 9: 0.96},
             f0_hz=106, rate=1.02, voice=(1.02, 0.001, 0, 1.0), points_cm=(1.25, 2.8, 4.7), tilt_deg=3.0),
)  # fmt: skip
