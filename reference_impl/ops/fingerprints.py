"""The two hash functions of strings that are part of saved models: hash buckets are numbers that weights stand at.

Both give 64 unsigned bits and are the same on every machine:

* :func:`fingerprint64`, FarmHash's Fingerprint64, for what TensorFlow calls *fast*;
* :func:`siphash`, SipHash-2-4 with a key of two numbers, for what it calls *strong*.
"""

from __future__ import annotations

from collections.abc import Sequence

_MASK = 0xFFFFFFFFFFFFFFFF
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _rotate(value: int, bits: int) -> int:
    """To the right."""
    return (value >> bits | value << (64 - bits)) & _MASK


def _fetch(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _mix(value: int) -> int:
    return value ^ value >> 47


def _pair(u: int, v: int, factor: int) -> int:
    a = _mix((u ^ v) * factor & _MASK)
    return _mix((v ^ a) * factor & _MASK) * factor & _MASK


def fingerprint64(data: bytes) -> int:
    """FarmHash's Fingerprint64 of ``data``. There is a formula for each range of lengths."""
    if len(data) <= 16:
        return _to_16(data)
    if len(data) <= 32:
        return _to_32(data)
    return _to_64(data) if len(data) <= 64 else _longer(data)


def _to_16(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2 & _MASK
    if size >= 8:
        a, b = _fetch(data, 0) + _K2 & _MASK, _fetch(data, size - 8)
        return _pair(_rotate(b, 37) * factor + a & _MASK, (_rotate(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        return _pair(size + (_fetch(data, 0, 4) << 3), _fetch(data, size - 4, 4), factor)
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[size - 1] << 2)
        return _mix((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK
    return _K2


def _halves(data: bytes, factor: int) -> tuple[int, int, int]:
    """What the first 16 and the last 16 bytes become, and the first factor of it."""
    size = len(data)
    first = _K1 if size <= 32 else _K2
    a, b = _fetch(data, 0) * first & _MASK, _fetch(data, 8)
    c, d = _fetch(data, size - 8) * factor & _MASK, _fetch(data, size - 16) * _K2 & _MASK
    return _rotate(a + b & _MASK, 43) + _rotate(c, 30) + d & _MASK, a + _rotate(b + _K2 & _MASK, 18) + c & _MASK, a


def _to_32(data: bytes) -> int:
    factor = _K2 + len(data) * 2 & _MASK
    u, v, _ = _halves(data, factor)
    return _pair(u, v, factor)


def _to_64(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2 & _MASK
    y, v, a = _halves(data, factor)
    z = _pair(y, v, factor)
    e, f = _fetch(data, 16) * factor & _MASK, _fetch(data, 24)
    g, h = (y + _fetch(data, size - 32)) * factor & _MASK, (z + _fetch(data, size - 24)) * factor & _MASK
    return _pair(
        _rotate(e + f & _MASK, 43) + _rotate(g, 30) + h & _MASK, e + _rotate(f + a & _MASK, 18) + g & _MASK, factor
    )


def _weak(data: bytes, start: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_fetch(data, start + 8 * i) for i in range(4))
    a = a + w & _MASK
    b = _rotate(b + a + z & _MASK, 21)
    c = a
    a = a + x + y & _MASK
    return a + z & _MASK, b + _rotate(a, 44) + c & _MASK


def _longer(data: bytes) -> int:
    size = len(data)
    x, y = 81, 81 * _K1 + 113 & _MASK
    z = _mix(y * _K2 + 113 & _MASK) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _fetch(data, 0) & _MASK
    end = (size - 1) // 64 * 64
    factor, nine = _K1, 1
    for start in (*range(0, end, 64), end + (size - 1 & 63) - 63):
        if start == end + (size - 1 & 63) - 63:
            # The last 64 bytes once more, mixed with what came out so far.
            factor, nine = _K1 + ((z & 0xFF) << 1) & _MASK, 9
            first = w[0] + (size - 1 & 63) & _MASK
            v = (v[0] + first & _MASK, v[1])
            w = (first + v[0] & _MASK, w[1])
        x = _rotate(x + y + v[0] + _fetch(data, start + 8) & _MASK, 37) * factor & _MASK
        y = _rotate(y + v[1] + _fetch(data, start + 48) & _MASK, 42) * factor & _MASK
        x ^= w[1] * nine & _MASK
        y = y + v[0] * nine + _fetch(data, start + 40) & _MASK
        z = _rotate(z + w[0] & _MASK, 33) * factor & _MASK
        v = _weak(data, start, v[1] * factor & _MASK, x + w[0] & _MASK)
        w = _weak(data, start + 32, z + w[1] & _MASK, y + _fetch(data, start + 16) & _MASK)
        z, x = x, z
    return _pair(_pair(v[0], w[0], factor) + _mix(y) * _K0 + z & _MASK, _pair(v[1], w[1], factor) + x & _MASK, factor)


def concatenated(first: int, second: int) -> int:
    """The fingerprint that crossing columns makes of two."""
    factor = 0xC6A4A7935BD1E995
    result = first ^ factor ^ _mix(second * factor & _MASK) * factor & _MASK
    result = _mix(result * factor & _MASK) * factor & _MASK
    return _mix(result)


def siphash(data: bytes, key: Sequence[int]) -> int:
    """SipHash-2-4 of ``data`` with a key of two 64-bit numbers."""
    low, high = (part & _MASK for part in key)
    state = [low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D, low ^ 0x6C7967656E657261, high ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    words = [_fetch(data, start) for start in range(0, whole, 8)]
    words.append(_fetch(data, whole, len(data) - whole) | (len(data) & 0xFF) << 56)
    for word in words:
        state[3] ^= word
        _round(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _round(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(state: list[int], times: int) -> None:
    a, b, c, d = state
    for _ in range(times):
        a, c = a + b & _MASK, c + d & _MASK
        b, d = _rotate(b, 51) ^ a, _rotate(d, 48) ^ c
        a, c = _rotate(a, 32) + d & _MASK, c + b & _MASK
        b, d = _rotate(b, 47) ^ c, _rotate(d, 43) ^ a
        c = _rotate(c, 32)
    state[:] = [a, b, c, d]
