"""The geometry of `rooms`: a ray caster that draws how bright each surface is, without its colour.

The room is square, with a floor, two walls and an object in the middle. The light is fixed to the
room, and the camera turns round the object. A picture is four maps, in 255ths: what each pixel sees
of the floor, the walls, the object, and the white highlight on the object. The maps add up to 255 at
most. So a weighted sum of them gives the surfaces any colours.

Every machine draws the same bits. Cosines are rounded far above the last bits in which mathematics
libraries differ. All that follows is single additions, multiplications, divisions, square roots
and comparisons, which IEEE arithmetic defines to the last bit. Sums are sums of integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.rounding import rounded

SIDE = 64  # pixels
SAMPLES = 4  # rays per pixel along each side
SHAPES = ("cube", "cylinder", "sphere", "capsule")
SCALES = np.linspace(0.75, 1.25, 8)
DEGREES = np.linspace(-30, 30, 15)
SURFACES = 4  # floor, walls, object, highlight

# Lengths in units of the object; x and z along the floor, y up; the walls are at x = z = -WALL.
WALL = 3.3
CAMERA_DISTANCE, CAMERA_HEIGHT, TARGET_HEIGHT = 7.0, 3.6, 1.05
HALF_VIEW = 0.36  # tangent of half the angle of view
LIGHT = (0.62, 0.75, 0.24)  # towards the light
CUBE_HALF_SIDE = 0.82
CYLINDER_RADIUS, CYLINDER_HEIGHT = 0.8, 1.9
SPHERE_RADIUS = 1.0
CAPSULE_RADIUS, CAPSULE_HEIGHT = 0.68, 2.5

Reals = NDArray[np.float64]
Vectors = tuple[Reals, Reals, Reals]  # x, y, z; an array for each, so that every sum is spelt out


@dataclass(frozen=True)
class Rays:
    """Rays from the camera: where they start, and their directions, of length 1."""

    start: tuple[float, float, float]
    direction: Vectors

    def at(self, distance: Reals) -> Vectors:
        """The points at these distances along the rays."""
        x, y, z = (s + distance * d for s, d in zip(self.start, self.direction, strict=True))
        return x, y, z


def dot(a: Vectors, b: Vectors | tuple[float, float, float]) -> Reals:
    """Inner products."""
    product: Reals = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def unit(x: Reals, y: Reals, z: Reals) -> Vectors:
    """The same directions with length 1."""
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def step(x: Reals) -> Reals:
    """A smooth rise from 0 at 0 to 1 at 1."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def camera(degrees: float) -> Rays:
    """Rays through the samples of every pixel, row by row, from a camera turned by this angle."""
    turn = math.radians(45 + degrees)  # at 0 degrees it looks into the corner
    cosine, sine = rounded(math.cos(turn)), rounded(math.sin(turn))
    start = (CAMERA_DISTANCE * cosine, CAMERA_HEIGHT, CAMERA_DISTANCE * sine)
    drop = CAMERA_HEIGHT - TARGET_HEIGHT
    far = math.sqrt(CAMERA_DISTANCE * CAMERA_DISTANCE + drop * drop)
    level, fall = CAMERA_DISTANCE / far, drop / far
    across = (np.arange(SIDE * SAMPLES) + 0.5) * (2 * HALF_VIEW / (SIDE * SAMPLES)) - HALF_VIEW
    right, up = across[None, :], -across[:, None]
    ahead = level + up * fall  # along the floor, towards the object
    return Rays(
        start,
        unit(right * sine - ahead * cosine, up * level - fall + 0 * right, -right * cosine - ahead * sine),
    )


def nearest(*hits: tuple[Reals, Vectors]) -> tuple[Reals, Vectors]:
    """The first surface on each ray: of distances (infinite for a miss) with their normals."""
    distance, normal = hits[0]
    for other, other_normal in hits[1:]:
        closer = other < distance
        distance = np.where(closer, other, distance)
        x, y, z = (np.where(closer, n, m) for n, m in zip(other_normal, normal, strict=True))
        normal = x, y, z
    return distance, normal


def entry(a: Reals, b: Reals, c: Reals) -> Reals:
    """The smaller root t of a t^2 + 2 b t + c, infinite where there is none."""
    inside = b * b - a * c
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0.0))) / a, np.inf)


def hit_ball(rays: Rays, height: float, radius: float) -> tuple[Reals, Vectors]:
    """A ball whose centre is at this height above the middle."""
    x, y, z = rays.start[0], rays.start[1] - height, rays.start[2]
    b = dot(rays.direction, (x, y, z))
    distance = entry(np.ones_like(b), b, np.full_like(b, x * x + y * y + z * z - radius * radius))
    px, py, pz = rays.at(np.where(distance < np.inf, distance, 0.0))
    return distance, (px / radius, (py - height) / radius, pz / radius)


def hit_tube(rays: Rays, low: float, high: float, radius: float) -> tuple[Reals, Vectors]:
    """The side of an upright cylinder between two heights."""
    (x, _, z), (dx, _, dz) = rays.start, rays.direction
    distance = entry(dx * dx + dz * dz, dx * x + dz * z, np.full_like(dx, x * x + z * z - radius * radius))
    px, py, pz = rays.at(np.where(distance < np.inf, distance, 0.0))
    distance = np.where((py >= low) & (py <= high), distance, np.inf)
    return distance, (px / radius, np.zeros_like(px), pz / radius)


def hit_plane(rays: Rays, axis: int, position: float) -> Reals:
    """Distances to the plane where this coordinate is `position`, infinite where it is not ahead."""
    along = rays.direction[axis]
    gap = position - rays.start[axis]
    ahead = along * gap > 0
    return np.where(ahead, gap / np.where(ahead, along, 1.0), np.inf)


def hit_face(
    rays: Rays, axis: int, position: float, within: tuple[float, float, float]
) -> tuple[Reals, Vectors]:
    """The part of a plane seen from its positive side, where the other coordinates are within bounds."""
    distance = hit_plane(rays, axis, position)
    point = rays.at(np.where(distance < np.inf, distance, 0.0))
    for other in {0, 1, 2} - {axis}:
        distance = np.where(np.abs(point[other]) <= within[other], distance, np.inf)
    x, y, z = (np.full_like(distance, float(k == axis)) for k in range(3))
    return distance, (x, y, z)


def hit_object(rays: Rays, shape: int, scale: float) -> tuple[Reals, Vectors]:
    """Distances and normals of the object of this shape and scale; it stands on the floor."""
    if SHAPES[shape] == "cube":  # the camera sees no other sides
        half = CUBE_HALF_SIDE * scale
        bounds = (half, 2 * half, half)
        return nearest(
            hit_face(rays, 0, half, bounds),
            hit_face(rays, 1, 2 * half, bounds),
            hit_face(rays, 2, half, bounds),
        )
    if SHAPES[shape] == "cylinder":
        radius, height = CYLINDER_RADIUS * scale, CYLINDER_HEIGHT * scale
        lid, normal = hit_face(rays, 1, height, (np.inf, np.inf, np.inf))
        x, _, z = rays.at(np.where(lid < np.inf, lid, 0.0))
        lid = np.where(x * x + z * z <= radius * radius, lid, np.inf)
        return nearest(hit_tube(rays, 0.0, height, radius), (lid, normal))
    if SHAPES[shape] == "sphere":
        return hit_ball(rays, SPHERE_RADIUS * scale, SPHERE_RADIUS * scale)
    radius, height = CAPSULE_RADIUS * scale, CAPSULE_HEIGHT * scale
    return nearest(
        hit_tube(rays, radius, height - radius, radius),
        hit_ball(rays, radius, radius),
        hit_ball(rays, height - radius, radius),
    )


def spine(shape: int, scale: float) -> tuple[float, float, float]:
    """Lowest and highest point and radius of the upright rod whose shadow the object throws."""
    if SHAPES[shape] == "cube":
        return 0.0, 2 * CUBE_HALF_SIDE * scale, 1.1 * CUBE_HALF_SIDE * scale
    if SHAPES[shape] == "cylinder":
        return 0.0, CYLINDER_HEIGHT * scale, CYLINDER_RADIUS * scale
    if SHAPES[shape] == "sphere":
        return SPHERE_RADIUS * scale, SPHERE_RADIUS * scale, SPHERE_RADIUS * scale
    return CAPSULE_RADIUS * scale, (CAPSULE_HEIGHT - CAPSULE_RADIUS) * scale, CAPSULE_RADIUS * scale


def room_light(diffuse: float, first_edge: Reals, second_edge: Reals) -> Reals:
    """Brightness of floor or wall, darker towards the two edges at these distances."""
    first, second = step(first_edge / 1.3), step(second_edge / 1.3)
    return (0.45 + 0.55 * diffuse) * (0.8 + 0.2 * first) * (0.8 + 0.2 * second)


def shadow(x: Reals, z: Reals, shape: int, scale: float) -> Reals:
    """What part of the light reaches these points of the floor."""
    low, high, radius = spine(shape, scale)
    lx, lz = -LIGHT[0] / LIGHT[1], -LIGHT[2] / LIGHT[1]  # where the shadow of height 1 falls
    along = np.clip((x * lx + z * lz) / (lx * lx + lz * lz), low, high)
    dx, dz = x - along * lx, z - along * lz
    thrown = step(1.6 - np.sqrt(dx * dx + dz * dz) / radius)
    touching = step(1.5 - np.sqrt(x * x + z * z) / radius)
    return (1.0 - 0.38 * thrown) * (1.0 - 0.3 * touching)


def object_light(rays: Rays, point: Vectors, normal: Vectors) -> tuple[Reals, Reals]:
    """Brightness and white highlight at points of the object."""
    facing = 0.5 + 0.5 * dot(normal, LIGHT)
    bright = (0.34 + 0.66 * facing * facing * facing) * (0.75 + 0.25 * step(point[1] / 0.8))
    halfway = unit(*(light - d for light, d in zip(LIGHT, rays.direction, strict=True)))
    gleam = np.maximum(dot(normal, halfway), 0.0)
    for _ in range(5):  # to the power of 32
        gleam = gleam * gleam
    gleam = 0.6 * gleam
    return bright * (1.0 - gleam), gleam


def brightness_maps(rays: Rays, shape: int, scale: float) -> NDArray[np.uint8]:
    """The picture's maps (pixels, surfaces), row by row: floor, walls, object, highlight."""
    floor, left, back = (hit_plane(rays, axis, at) for axis, at in ((1, 0.0), (0, -WALL), (2, -WALL)))
    room = np.minimum(floor, np.minimum(left, back))
    hit, normal = hit_object(rays, shape, scale)
    seen = hit < room
    x, y, z = rays.at(room)
    on_floor, on_left = ~seen & (floor == room), ~seen & (left == room) & (floor > room)
    on_back = ~seen & ~on_floor & ~on_left
    bright, gleam = object_light(rays, rays.at(np.where(seen, hit, 0.0)), normal)
    surfaces = (
        np.where(on_floor, room_light(LIGHT[1], x + WALL, z + WALL) * shadow(x, z, shape, scale), 0.0),
        np.where(on_left, room_light(LIGHT[0], y, z + WALL), 0.0)
        + np.where(on_back, room_light(LIGHT[2], y, x + WALL), 0.0),
        np.where(seen, bright, 0.0),
        np.where(seen, gleam, 0.0),
    )
    samples = np.stack([np.floor(255 * np.clip(s, 0.0, 1.0)).astype(np.int64) for s in surfaces], axis=-1)
    pixels = samples.reshape(SIDE, SAMPLES, SIDE, SAMPLES, SURFACES).sum(axis=(1, 3))
    maps: NDArray[np.uint8] = (pixels // SAMPLES**2).astype(np.uint8).reshape(SIDE * SIDE, SURFACES)
    return maps


def geometry_rows() -> Iterator[NDArray[np.uint8]]:
    """All pictures, orientation fastest, then shape, then scale, as rows of bytes."""
    views = [camera(float(degrees)) for degrees in DEGREES]
    for scale, shape in np.ndindex(len(SCALES), len(SHAPES)):
        for rays in views:
            yield brightness_maps(rays, shape, float(SCALES[scale])).reshape(1, -1)
