# SPDX-License-Identifier: BSD-2-Clause
"""XXH64 with seed 0, of short records: Python has none of its own."""

import struct

P1, P2, P3, P4, P5 = (
    0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
    0x85ebca77c2b2ae63, 0x27d4eb2f165667c5)
MASK = (1 << 64) - 1


def _rotate(value, bits):
    value &= MASK
    return (value << bits | value >> 64 - bits) & MASK


def _round(acc, lane):
    return _rotate(acc + lane * P2, 31) * P1 & MASK


def _tail(value, data):
    """The last bytes, fewer than 32."""
    at = 0
    for at in range(8, len(data) + 1, 8):
        value ^= _round(0, struct.unpack_from("<Q", data, at - 8)[0])
        value = _rotate(value, 27) * P1 + P4 & MASK
    if len(data) - at >= 4:
        value ^= struct.unpack_from("<I", data, at)[0] * P1 & MASK
        value = _rotate(value, 23) * P2 + P3 & MASK
        at += 4
    for byte in data[at:]:
        value = _rotate(value ^ byte * P5 & MASK, 11) * P1 & MASK
    return value


def digest(data):
    """The checksum of at least 32 bytes."""
    if len(data) < 32:
        raise ValueError(f"{len(data)} bytes")
    lanes = [P1 + P2 & MASK, P2, 0, -P1 & MASK]
    whole = len(data) & ~31
    for at in range(0, whole, 32):
        lanes = [_round(acc, lane) for acc, lane in
                 zip(lanes, struct.unpack_from("<4Q", data, at))]
    value = sum(_rotate(acc, bits)
                for acc, bits in zip(lanes, (1, 7, 12, 18)))
    for acc in lanes:
        value = (value ^ _round(0, acc)) * P1 + P4
    value = _tail(value + len(data) & MASK, data[whole:])
    value = (value ^ value >> 33) * P2 & MASK
    value = (value ^ value >> 29) * P3 & MASK
    return value ^ value >> 32
