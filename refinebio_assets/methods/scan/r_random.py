"""R's normal random numbers: ``set.seed(seed); rnorm(n)`` with R's default generators.

The stream has been the same since R 1.7: Mersenne Twister, and inversion with 53-bit uniforms.
numpy's own twister is used; what is written here is how R seeds it and how R turns words into normals.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_STATE_WORDS = 624
_SCRAMBLES = 50
_WORD_TO_UNIT = 2.3283064365386963e-10
"""R's MT_genrand scale, 2^-32."""
_SMALLEST = 2.328306437080797e-10
"""R's ``fixup``: uniforms stay within the open interval (0, 1)."""
_BIG = 134_217_728
"""2^27: R joins two uniforms to one of 53 bits."""


def rnorm(n: int, seed: int) -> Vector:
    """Return the ``n`` standard normal numbers that R draws right after ``set.seed(seed)``.

    Source: R 4.2, ``src/main/RNG.c`` and ``src/nmath/snorm.c`` (``INVERSION``).
    """
    uniform = _uniform(2 * n, seed)
    joined = np.floor(_BIG * uniform[0::2]) + uniform[1::2]
    return _normal_quantile(joined / _BIG)


def _uniform(n: int, seed: int) -> Vector:
    generator = np.random.MT19937()
    generator.state = {"bit_generator": "MT19937", "state": {"key": _state(seed), "pos": _STATE_WORDS}}
    words = np.asarray(generator.random_raw(n), dtype=np.float64)
    return np.clip(words * _WORD_TO_UNIT, _SMALLEST, 1 - _SMALLEST)


def _state(seed: int) -> npt.NDArray[np.uint32]:
    word = seed % 2**32
    for _ in range(_SCRAMBLES):
        word = (69_069 * word + 1) % 2**32
    words = []
    for _ in range(_STATE_WORDS + 1):
        word = (69_069 * word + 1) % 2**32
        words.append(word)
    return np.array(words[1:], dtype=np.uint32)  # the first is R's position, which it overwrites


# Wichura (1988), algorithm AS 241 (PPND16): coefficients of the three rational functions, lowest power first.
_CENTER = (
    (
        3.3871328727963666080,
        133.14166789178437745,
        1971.5909503065514427,
        13731.693765509461125,
        45921.953931549871457,
        67265.770927008700853,
        33430.575583588128105,
        2509.0809287301226727,
    ),
    (
        1.0,
        42.313330701600911252,
        687.18700749205790830,
        5394.1960214247511077,
        21213.794301586595867,
        39307.895800092710610,
        28729.085735721942674,
        5226.4952788528545610,
    ),
)
_SHOULDER = (
    (
        1.42343711074968357734,
        4.63033784615654529590,
        5.76949722146069140550,
        3.64784832476320460504,
        1.27045825245236838258,
        0.241780725177450611770,
        0.0227238449892691845833,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187,
        1.67638483018380384940,
        0.689767334985100004550,
        0.148103976427480074590,
        0.0151986665636164571966,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_TAIL = (
    (
        6.65790464350110377720,
        5.46378491116411436990,
        1.78482653991729133580,
        0.296560571828504891230,
        0.0265321895265761230930,
        0.00124266094738807843860,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        0.599832206555887937690,
        0.136929880922735805310,
        0.0148753612908506148525,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)


def _normal_quantile(probability: Vector) -> Vector:
    """Return R's ``qnorm`` of probabilities in (0, 1)."""
    distance = probability - 0.5
    center = np.abs(distance) <= 0.425
    quantile = np.empty_like(probability)
    above, below = _polynomials(_CENTER, 0.180625 - distance[center] ** 2)
    quantile[center] = distance[center] * above / below  # in R's order: the last bit depends on it
    outside = probability[~center]
    radius = np.sqrt(-np.log(np.minimum(outside, 1 - outside)))
    shoulder, tail = _polynomials(_SHOULDER, radius - 1.6), _polynomials(_TAIL, radius - 5)
    size = np.where(radius <= 5, shoulder[0] / shoulder[1], tail[0] / tail[1])
    quantile[~center] = np.copysign(size, distance[~center])
    return quantile


def _polynomials(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Vector) -> list[Vector]:
    return [np.asarray(np.polynomial.polynomial.polyval(at, one), np.float64) for one in coefficients]
