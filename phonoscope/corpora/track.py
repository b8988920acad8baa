"""What every reader returns: the movement of sensors in millimetres on one clock."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Track:
    """Sensor positions of one recording, in the axes of its file.

    Parameters
    ----------
    rate : float
        Samples per second.
    start_s : float
        Time of the first sample, in seconds from the start of the audio.
    sensors : dict of str to array of shape (n_samples, 3)
        x, y and z in mm (float64), NaN where the file holds no value.
    partial : bool
        Whether the EMA was cut to a part of the audio, so that their lengths differ by right.
    """

    rate: float
    start_s: float
    sensors: dict
    partial: bool = False

    def __post_init__(self):
        shapes = {name: np.shape(values) for name, values in self.sensors.items()}
        if len(set(shapes.values())) > 1 or any(
            len(shape) != 2 or shape[1] != 3 for shape in shapes.values()
        ):
            raise ValueError(f"sensors must be arrays of one shape (n_samples, 3), not {shapes}")
        if not self.rate > 0:
            raise ValueError(f"the sampling rate must be positive, not {self.rate}")

    @property
    def n_samples(self):
        """Samples per sensor; 0 where there is no sensor."""
        return max((len(values) for values in self.sensors.values()), default=0)

    @property
    def end_s(self):
        """End of the last sample's period, in seconds from the start of the audio."""
        return self.start_s + self.n_samples / self.rate
