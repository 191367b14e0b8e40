"""BN254 in Python's integers: the reference that shares no line with the card's or the prover's arithmetic."""

from __future__ import annotations

from typing import Optional

FQ = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""The base field: coordinates of points."""
FR = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""The scalar field."""
R = 1 << 256
"""The Montgomery factor of every element that the card sees."""

Point = Optional[tuple[int, int]]
"""An affine point of G1 in plain coordinates; `None` is the point at infinity."""
GENERATOR: Point = (1, 2)


def encode(value: int, prime: int = FQ) -> bytes:
    """An element in Montgomery form, 32 little-endian bytes."""
    return (value * R % prime).to_bytes(32, "little")


def decode(data: bytes, prime: int = FQ) -> int:
    """The value of an element in Montgomery form."""
    return int.from_bytes(data, "little") * pow(R, -1, prime) % prime


def encode_point(point: Point) -> bytes:
    """A point as in card memory: x, then y, in Montgomery form; zeros for infinity."""
    return bytes(64) if point is None else encode(point[0]) + encode(point[1])


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % FQ == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, FQ)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, FQ)
    x = (slope * slope - a[0] - b[0]) % FQ
    return x, (slope * (a[0] - x) - a[1]) % FQ


def multiply(point: Point, factor: int) -> Point:
    """`factor` times a point."""
    result: Point = None
    for bit in bin(factor)[2:] if factor else "":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def decode_projective(data: bytes) -> Point:
    """A point as an MSM's result has it: X, Y, Z in Montgomery form; 96 zero bytes and Z = 0 are infinity."""
    x, y, z = (decode(data[32 * index : 32 * index + 32]) for index in range(3))
    if z == 0:
        return None
    inverse = pow(z, -1, FQ)
    return x * inverse % FQ, y * inverse % FQ


def combine(sums: bytes, window_bits: int) -> Point:
    """The result of an MSM of one adder from its bit sums."""
    result: Point = None
    windows = -(-255 // window_bits)
    if len(sums) != 96 * window_bits * windows:
        raise ValueError(f"{len(sums)} bytes are not the bit sums of {windows} windows of {window_bits} bits")
    for index in reversed(range(window_bits * windows)):
        result = add(add(result, result), decode_projective(sums[96 * index : 96 * index + 96]))
    return result
