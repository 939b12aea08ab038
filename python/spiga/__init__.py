# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Facial landmarks and head pose.

    import spiga
    for face in spiga.Analyzer().analyze(picture):  # a NumPy array as OpenCV reads it, or a Pillow image
        print(face.landmarks, face.headpose.yaw_deg)

Pictures are uint8 arrays [height, width, channels]: B, G, R unless ``format`` says otherwise ("bgr", "rgb",
"bgra", "rgba", "gray"), or Pillow images, which know their format. They are not copied. Objects may be shared by
threads, which then take turns; the lock of Python is released while they compute. Wrong arguments raise
ValueError or TypeError, absent files FileNotFoundError, everything else spiga.Error.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Iterable, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _spiga
from ._spiga import Error, Face3d, __version__, blendshape_names, default_model_path

__all__ = [
    "Analyzer", "Camera", "Detection", "Error", "Face", "Face3d", "FaceEvent", "FaceModel", "FaceModelTrack", "HeadPose",
    "Landmarker", "Mesh", "Scores", "TrackedFace", "Tracker", "blendshape_names", "default_model_path", "evaluate",
]

Box = Tuple[float, float, float, float]


@dataclass(frozen=True)
class HeadPose:
    """Where the head points, as SPIGA defines it (docs/head-pose.md), relative to the camera of the face's crop."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    translation: Tuple[float, float, float]


@dataclass(frozen=True)
class Detection:
    """A face that the detector found."""

    box: Box  # x, y, width, height in pixels
    score: float  # larger is surer, in the detector's own scale
    confidence: float  # probability that this is a face, 0 to 1; NaN of a detector that cannot tell


@dataclass(frozen=True, eq=False)
class Face:
    """What the network says of a face. All lengths are pixels of the picture."""

    box: Box  # x, y, width, height
    score: float
    landmarks: np.ndarray  # [L, 2] float32: x, y in the order of landmark_ids
    uncertainty: np.ndarray  # [L] float32: expected error of each landmark
    headpose: HeadPose
    confidence: float = 1.0  # that this is a face, 0 to 1; NaN of a detector that cannot tell; 1 for given boxes


@dataclass(frozen=True, eq=False)
class TrackedFace(Face):
    """A face of a video's frame. ``id`` stays the same as long as a person is followed; ``confidence``: that its
    landmarks sit on a face."""

    id: int = 0
    found: bool = True  # False: lost for now; there are no landmarks


@dataclass(frozen=True, eq=False)
class Scores:
    """How good predicted landmarks are; errors are per cent of each face's normalising distance."""

    norm: str
    threshold: float
    nme: float
    nme_p90: float
    auc: float
    failure_rate: float
    missed: int
    face_nme: np.ndarray = field(repr=False)  # [N], NaN where missed


def _pixels(image: Any, format: Optional[str]) -> Tuple[np.ndarray, str]:
    """The image as an array, and its format's name."""
    if hasattr(image, "getbands"):  # Pillow's
        formats = {"L": "gray", "RGB": "rgb", "RGBA": "rgba"}
        if image.mode not in formats:
            image = image.convert("RGB")
        return np.asarray(image), formats[image.mode]
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image: expected a NumPy array or a Pillow image, found {type(image).__name__}")
    if format is None:
        channels = image.shape[2] if image.ndim == 3 else 1
        format = {1: "gray", 4: "bgra"}.get(channels, "bgr")
    return image, format


def _face(box: Box, score: float, confidence: float, landmarks: np.ndarray, uncertainty: np.ndarray,
          pose: tuple) -> Face:
    return Face(box, score, landmarks, uncertainty, HeadPose(*pose), confidence)


class Landmarker:
    """From boxes to landmarks and head pose."""

    def __init__(self, model: Union[str, os.PathLike[str]] = "", *, precision: str = "automatic",
                 threads: int = 1, max_batch: int = 8, sampling: str = "bilinear", quality: str = "fast") -> None:
        """Loads a model file, by default spiga's own. ``precision``: automatic, f32, bf16 or int8; ``threads`` of one
        call, 0 for all; ``max_batch``: faces of one network call; ``sampling``: bilinear, or nearest as the
        published tools; ``quality``: looks of the network at each face: fast, one; normal, turned and doubtful
        faces again, upright; best, the mean of four."""
        self._load(model, "", 0.0, 0.0, "normal", precision, threads, max_batch, sampling, quality)

    def _load(self, model: Any, *options: Any) -> None:
        self._native = _spiga.Analyzer(str(model), *options)

    def locate(self, image: Any, boxes: Iterable[Sequence[float]], *, format: Optional[str] = None) -> list[Face]:
        """The faces in boxes [N, 4] of x, y, width, height, in their order."""
        pixels, name = _pixels(image, format)
        array = np.asarray(boxes if isinstance(boxes, np.ndarray) else list(boxes), dtype=np.float32)
        return [_face(*face) for face in self._native.locate(pixels, array.reshape(-1, 4) if array.size == 0 else array, name)]

    @property
    def database(self) -> str:
        """What the landmarks are: "300wpublic", "wflw", ..."""
        return self._native.database

    @property
    def landmark_ids(self) -> list[int]:
        """The database's ids of the landmarks, in order."""
        return self._native.landmark_ids

    @property
    def precision(self) -> str:
        """What ``automatic`` came to: f32, bf16 or int8."""
        return self._native.precision


class Analyzer(Landmarker):
    """From pictures to faces: detector and landmarker."""

    def __init__(self, model: Union[str, os.PathLike[str]] = "", *, detector: str = "builtin",
                 min_face_px: float = 0, score_threshold: float = 0.1, effort: str = "normal",
                 precision: str = "automatic", threads: int = 1, max_batch: int = 8,
                 sampling: str = "bilinear", quality: str = "normal") -> None:
        """As Landmarker; ``min_face_px``: smallest face looked for, 0 leaves it to ``effort``: fast, normal or
        thorough; ``score_threshold``: higher is stricter."""
        self._load(model, detector, min_face_px, score_threshold, effort, precision, threads, max_batch, sampling,
                   quality)

    def analyze(self, image: Any, *, format: Optional[str] = None) -> list[Face]:
        """The picture's faces, surest first."""
        return [_face(*face) for face in self._native.analyze(*_pixels(image, format))]

    def detect(self, image: Any, *, format: Optional[str] = None) -> list[Detection]:
        """Where the faces are, surest first."""
        return [Detection(*found) for found in self._native.detect(*_pixels(image, format))]


class Tracker:
    """Follows the faces of one video: gives them ids, and steadies landmarks and head pose."""

    def __init__(self, analyzer: Optional[Analyzer] = None, *, smooth: float = 1.0, detect_every: int = 6,
                 keep_lost_s: float = 1.0) -> None:
        """``smooth``: how strongly trembling is taken out, 0 not at all; ``detect_every``: frames from one run of
        the detector to the next; ``keep_lost_s``: a face found again within this time keeps its id."""
        self._analyzer = analyzer if analyzer is not None else Analyzer()
        self._native = _spiga.Tracker(self._analyzer._native, smooth, detect_every, keep_lost_s)

    def next(self, frame: Any, time_s: float, *, format: Optional[str] = None) -> list[TrackedFace]:
        """The faces of the next frame. Times are seconds and must not run backwards."""
        pixels, name = _pixels(frame, format)
        return [TrackedFace(box, score, landmarks, uncertainty, HeadPose(*pose), confidence, id, found)
                for id, confidence, found, (box, score, _, landmarks, uncertainty, pose)
                in self._native.next(pixels, time_s, name)]


class Camera(NamedTuple):
    """A pinhole camera with OpenCV's distortion (k1, k2, p1, p2, k3), in pixels; (0, 0) is the top left pixel."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    width: int = 0  # of the pictures that it was calibrated on; 0: of any
    height: int = 0
    guessed: bool = False

    @staticmethod
    def parse(numbers_or_file: Union[str, os.PathLike[str]]) -> Camera:
        """"fx,fy,cx,cy", with five distortion coefficients behind them where there are any, or a YAML file of
        OpenCV's calibration."""
        return Camera(*_spiga.parse_camera(str(numbers_or_file)))

    @staticmethod
    def from_fov(fov_deg: float, width: int, height: int) -> Camera:
        """The camera that sees ``fov_deg`` degrees across the picture's width."""
        return Camera(*_spiga.camera_from_fov(fov_deg, width, height))

    @staticmethod
    def guess(width: int, height: int) -> Camera:
        """For pictures whose camera nobody knows: focal length as long as the longer side."""
        return Camera(*_spiga.guessed_camera(width, height))

    def for_picture(self, width: int, height: int) -> Camera:
        """The camera for pictures of that size, scaled where it was calibrated on another of the same shape."""
        return Camera(*_spiga.camera_for_picture(self, width, height))


class FaceEvent(NamedTuple):
    """Something that a face did: "blink", "nod" or "shake"."""

    kind: str
    start_s: float
    end_s: float


class Mesh(NamedTuple):
    """The fitted head's vertices."""

    vertices_mm: np.ndarray  # [V, 3] before the camera
    pixels: np.ndarray  # [V, 2] where the camera sees them


class FaceModel:
    """A morphable head, fitted to 68 landmarks in the order of the 300-W mark-up (docs/face3d.md)."""

    def __init__(self, path: Union[str, os.PathLike[str]] = "") -> None:
        """Loads a head file, by default spiga's own."""
        self._native = _spiga.FaceModel(str(path))

    def fit(self, landmarks: Any, camera: Camera, uncertainty: Any = None) -> Face3d:
        """Fits the head to the landmarks [68, 2] of one face in picture pixels; those that are NaN do not count.
        ``uncertainty`` [68]: the expected error of each in pixels."""
        return self._native.fit(landmarks, uncertainty, camera)

    def mesh(self, face: Face3d, camera: Camera) -> Mesh:
        """The whole head of a fitted face. ``camera``: the one of the fit."""
        return Mesh(*self._native.mesh(face, camera))

    @property
    def triangles(self) -> np.ndarray:
        """[T, 3] corners of the mesh's triangles, indices into its vertices, counter-clockwise from outside."""
        return self._native.triangles

    @property
    def expression_names(self) -> list[str]:
        """ICT-FaceKit's names of the expression shapes, in the order of ``Face3d.expression``."""
        return self._native.expression_names


class FaceModelTrack:
    """One person's face in a video: identity is held, expressions are told against the person's own rest."""

    def __init__(self, model: FaceModel, *, smooth: float = 1.0) -> None:
        """``smooth``: how strongly expressions are steadied, 0 not at all."""
        self._native = _spiga.FaceModelTrack(model._native, smooth)
        self.events: list[FaceEvent] = []

    def next(self, landmarks: Any, camera: Camera, time_s: float, uncertainty: Any = None) -> Face3d:
        """The face in the next frame, as FaceModel.fit. Times are seconds and must not run backwards. ``events``
        has what the face has done since the frame before."""
        face, events = self._native.next(landmarks, uncertainty, camera, time_s)
        self.events = [FaceEvent(*event) for event in events]
        return face


def evaluate(truth: Any, predicted: Any, *, database: str = "300wpublic", norm: str = "",
             threshold: Optional[float] = None) -> Scores:
    """Scores predicted landmarks [N, L, 2] against annotated ones, both in the order of the database's ids; a
    face of NaN was missed. ``norm``: corners, pupils, bbox, ...; by default the database's own."""
    return Scores(**_spiga.evaluate(truth, predicted, database, norm, threshold))
