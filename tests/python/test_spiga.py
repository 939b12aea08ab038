# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""The Python module as people use it. Runs in the project's root with PYTHONPATH at the module."""
import contextlib
import gc
import io
import math
import os
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import spiga

try:
    from PIL import Image
except ImportError:
    Image = None

BOX = (40, 50, 120, 130)


def picture(seed=0, shape=(240, 220, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


class Locating(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.landmarker = spiga.Landmarker()

    def locate(self, image, **options):
        return self.landmarker.locate(image, [BOX], **options)[0]

    def test_gives_arrays_that_live_on(self):
        face = self.locate(picture())
        self.assertEqual((face.landmarks.shape, face.landmarks.dtype), ((68, 2), np.float32))
        self.assertEqual((face.uncertainty.shape, face.uncertainty.dtype), ((68,), np.float32))
        self.assertEqual(face.box, BOX)
        self.assertTrue(np.isfinite(face.landmarks).all() and (face.uncertainty > 0).all())
        self.assertTrue(math.isfinite(face.headpose.yaw_deg) and len(face.headpose.translation) == 3)
        kept = face.landmarks.copy()
        points = face.landmarks
        del face
        gc.collect()
        self.locate(picture(1))
        np.testing.assert_array_equal(points, kept)

    def test_takes_slices_without_copying_and_other_formats(self):
        whole = picture(2, (400, 500, 3))
        part = whole[70:310, 90:310]
        expected = self.locate(part.copy()).landmarks
        np.testing.assert_array_equal(self.locate(part).landmarks, expected)
        swapped = np.ascontiguousarray(part[..., ::-1])
        np.testing.assert_array_equal(self.locate(swapped, format="rgb").landmarks, expected)
        four = np.dstack([part, np.zeros(part.shape[:2], np.uint8)])
        np.testing.assert_array_equal(self.locate(four).landmarks, expected)
        read_only = part.copy()
        read_only.flags.writeable = False
        np.testing.assert_array_equal(self.locate(read_only).landmarks, expected)

    def test_takes_gray_pictures(self):
        gray = picture(3, (240, 220))
        expected = self.locate(np.dstack([gray] * 3)).landmarks
        np.testing.assert_array_equal(self.locate(gray).landmarks, expected)

    def test_many_boxes_keep_their_order(self):
        boxes = np.array([BOX, (10, 10, 60, 60), (100, 90, 80, 100)], np.float64)
        faces = self.landmarker.locate(picture(), boxes)
        self.assertEqual([face.box[0] for face in faces], [40, 10, 100])
        self.assertEqual(self.landmarker.locate(picture(), []), [])
        np.testing.assert_allclose(faces[0].landmarks, self.locate(picture()).landmarks, atol=0.05)

    def test_names_its_landmarks(self):
        self.assertEqual(self.landmarker.database, "300wpublic")
        self.assertEqual(len(self.landmarker.landmark_ids), 68)
        self.assertIn(self.landmarker.precision, ("f32", "bf16"))

    def refused(self, kind, words, image, boxes=(BOX,), **options):
        with self.assertRaisesRegex(kind, words):
            self.landmarker.locate(image, boxes, **options)

    def test_refuses_what_is_no_picture(self):
        self.refused(TypeError, "uint8.*float64", picture().astype(float))
        self.refused(TypeError, "uint8.*int8", picture().astype(np.int8))
        self.refused(TypeError, "found str", "picture.jpg")
        self.refused(TypeError, "found NoneType", None)
        self.refused(ValueError, r"shape \(240, 220, 2\)", picture()[..., :2].copy())
        self.refused(ValueError, "shape", np.zeros((3,), np.uint8))
        self.refused(ValueError, "shape", np.zeros((2, 3, 4, 3), np.uint8))
        self.refused(ValueError, "expected pixels, found shape", np.zeros((0, 10, 3), np.uint8))
        self.refused(ValueError, "expected pixels, found shape", np.zeros((10, 0, 3), np.uint8))
        self.refused(ValueError, "format", picture(), format="cmyk")
        self.refused(ValueError, "format 'gray'", picture(), format="gray")

    def test_refuses_pixels_that_are_not_adjacent(self):
        for image in (picture()[..., ::-1], picture()[:, ::2], picture()[::-1], picture().transpose(1, 0, 2),
                      np.asfortranarray(picture())):
            self.refused(ValueError, "ascontiguousarray", image)

    def test_refuses_boxes_that_make_no_sense(self):
        self.refused(ValueError, r"shape \(N, 4\)", picture(), [[1, 2, 3]])
        self.refused(ValueError, r"shape \(N, 4\)", picture(), np.zeros(4))
        self.refused(ValueError, "sides", picture(), [(10, 10, 0, 20)])
        self.refused(ValueError, "finite", picture(), [(10, float("nan"), 20, 20)])
        self.refused(ValueError, "outside", picture(), [(1000, 10, 20, 20)])
        self.refused((ValueError, TypeError), "", picture(), ["abcd"])

    def test_serves_threads_at_once(self):
        expected = self.locate(picture()).landmarks
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.locate(picture()).landmarks)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for found in results:
            np.testing.assert_array_equal(found, expected)
        self.assertEqual(len(results), 4)

    def test_releases_the_lock_of_python(self):
        image, boxes = picture(), [BOX] * 64
        done = threading.Event()
        steps = 0

        def work():
            self.landmarker.locate(image, boxes)
            done.set()

        thread = threading.Thread(target=work)
        thread.start()
        while not done.is_set():
            steps += 1
            time.sleep(0.001)
        thread.join()
        self.assertGreater(steps, 20)  # with the lock held the loop would stand still


class Analyzing(unittest.TestCase):
    def test_finds_no_face_in_noise(self):
        self.assertEqual(spiga.Analyzer().analyze(picture()), [])

    @unittest.skipIf(Image is None, "Pillow is not installed")
    def test_finds_the_astronaut(self):
        analyzer = spiga.Analyzer()
        photo = Image.open("samples/astronaut.jpg")
        (face,) = analyzer.analyze(photo)
        x, y, width, height = face.box
        inside = (face.landmarks > (x - width / 4, y - height / 4)) & (face.landmarks < (x + 1.25 * width, y + 1.25 * height))
        self.assertTrue(inside.all())
        self.assertLess(abs(face.headpose.yaw_deg), 10)
        (found,) = analyzer.detect(photo)
        self.assertEqual((found.box, found.score, found.confidence), (face.box, face.score, face.confidence))
        self.assertTrue(0.9 < face.confidence <= 1, face.confidence)
        self.assertEqual(analyzer.locate(photo, [face.box])[0].confidence, 1)
        bgr = np.ascontiguousarray(np.asarray(photo.convert("RGB"))[..., ::-1])
        np.testing.assert_array_equal(analyzer.analyze(bgr)[0].landmarks, face.landmarks)
        np.testing.assert_array_equal(analyzer.analyze(photo.convert("RGBA"))[0].landmarks, face.landmarks)

    def test_refuses_options_that_make_no_sense(self):
        for options in ({"detector": "none"}, {"precision": "f8"}, {"effort": "none"}, {"sampling": "cubic"},
                        {"quality": "finest"}, {"max_batch": 0}, {"min_face_px": -1}):
            with self.assertRaises(ValueError, msg=options):
                spiga.Analyzer(**options)
        with self.assertRaises(TypeError):
            spiga.Analyzer(threads="many")

    def test_says_which_file_is_wrong(self):
        with self.assertRaisesRegex(FileNotFoundError, "/nowhere/model"):
            spiga.Analyzer("/nowhere/model")
        with self.assertRaisesRegex(spiga.Error, "LICENSE"):
            spiga.Landmarker("LICENSE")


class Tracking(unittest.TestCase):
    @unittest.skipIf(Image is None, "Pillow is not installed")
    def test_follows_a_face(self):
        photo = Image.open("samples/astronaut.jpg")
        tracker = spiga.Tracker()
        ids = set()
        for number in range(4):
            (face,) = tracker.next(photo, number / 25)
            self.assertTrue(face.found)
            self.assertEqual(face.landmarks.shape, (68, 2))
            ids.add(face.id)
        self.assertEqual(ids, {0})
        with self.assertRaisesRegex(ValueError, "time"):
            tracker.next(photo, 0)

    def test_refuses_options_that_make_no_sense(self):
        with self.assertRaises(ValueError):
            spiga.Tracker(detect_every=0)


class FaceInSpace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = spiga.FaceModel()
        cls.camera = spiga.Camera.guess(640, 480)
        located = spiga.Landmarker().locate(picture(), [BOX])[0]
        cls.face = cls.model.fit(located.landmarks, cls.camera, located.uncertainty)

    def seen(self):
        p = self.face.points_mm
        return p[:, :2] / p[:, 2:] * [self.camera.fx, self.camera.fy] + [self.camera.cx, self.camera.cy]

    def test_gives_pose_points_and_blendshapes(self):
        face = self.face
        np.testing.assert_allclose(face.rotation @ face.rotation.T, np.eye(3), atol=1e-6)
        self.assertAlmostEqual(float(np.linalg.norm(face.quaternion)), 1, 6)
        self.assertEqual((face.points_mm.shape, face.points_mm.dtype), ((68, 3), np.float32))
        self.assertEqual(list(face.blendshapes), spiga.blendshape_names())
        self.assertTrue(all(0 <= value <= 1 for value in face.blendshapes.values()))
        self.assertEqual(len(face.expression), len(self.model.expression_names))
        self.assertIn("eye_opening_left_mm", face.signals)

    def test_a_face_seen_as_it_was_fitted_stands_where_it_stood(self):
        again = self.model.fit(self.seen(), self.camera)
        self.assertLess(abs(again.translation_mm[2] / self.face.translation_mm[2] - 1), 0.05)
        self.assertLess(abs(again.yaw_deg - self.face.yaw_deg), 5)
        self.assertLess(again.reprojection_px, 1)

    def test_landmarks_that_are_missing_do_not_count(self):
        seen = self.seen()
        seen[:17] = np.nan
        self.assertEqual(self.model.fit(seen, self.camera).landmarks_used, 51)

    def test_meshes_are_arrays(self):
        mesh = self.model.mesh(self.face, self.camera)
        v = mesh.vertices_mm
        self.assertEqual(v.shape[1], 3)
        np.testing.assert_allclose(mesh.pixels[:, 0], v[:, 0] / v[:, 2] * self.camera.fx + self.camera.cx, atol=0.01)
        self.assertEqual(self.model.triangles.dtype, np.uint16)
        self.assertLess(int(self.model.triangles.max()), len(v))

    def test_tracks_tell_of_blinks(self):
        track = spiga.FaceModelTrack(self.model)
        told = []
        for frame in range(60):
            seen = self.seen()
            if 50 <= frame < 53:
                seen[[37, 38, 43, 44], 1] = seen[[41, 40, 47, 46], 1]
            face = track.next(seen, self.camera, frame / 25)
            told += track.events
            if frame == 51:
                self.assertTrue(face.signals["blink"])
        self.assertEqual([(event.kind, round(event.start_s)) for event in told if event.start_s > 1.5], [("blink", 2)])

    def test_cameras(self):
        camera = spiga.Camera.parse("500,510,320,240,0.1,0,0,0,0.01")
        self.assertEqual((camera.fy, camera.distortion[4]), (510, 0.01))
        self.assertAlmostEqual(spiga.Camera.from_fov(90, 640, 480).fx, 320)
        self.assertEqual(camera._replace(width=640, height=480).for_picture(1280, 960).fx, 1000)
        for wrong in ("0,0,0,0", "nan,1,1,1", "1,2,3"):
            self.assertRaises(ValueError, spiga.Camera.parse, wrong)
        self.assertRaises(FileNotFoundError, spiga.Camera.parse, "absent.yml")

    def test_refuses_what_cannot_be_fitted(self):
        for words, landmarks, camera, uncertainty in (
                ("expected shape", np.zeros(68), self.camera, None),
                ("expected 68 landmarks", np.zeros((60, 2)), self.camera, None),
                ("68 uncertainties", self.seen(), self.camera, np.ones(3)),
                ("fx is 0", self.seen(), spiga.Camera(0, 0, 0, 0), None)):
            with self.assertRaisesRegex(ValueError, words):
                self.model.fit(landmarks, camera, uncertainty)
        self.assertRaises(FileNotFoundError, spiga.FaceModel, "absent.safetensors")
        self.assertRaises(spiga.Error, spiga.FaceModel, "LICENSE")


class Evaluating(unittest.TestCase):
    def setUp(self):
        self.truth = np.random.default_rng(1).uniform(0, 200, (5, 68, 2))

    def test_scores_arrays(self):
        distance = np.linalg.norm(self.truth[:, 36] - self.truth[:, 45], axis=1)
        shift = np.zeros_like(self.truth)
        shift[..., 0] = (0.02 * distance)[:, None]
        scores = spiga.evaluate(self.truth, self.truth + shift, norm="corners")
        self.assertAlmostEqual(scores.nme, 2)
        np.testing.assert_allclose(scores.face_nme, 2)
        self.assertEqual(scores.missed, 0)

    def test_counts_missed_faces(self):
        predicted = self.truth.copy()
        predicted[2] = np.nan
        scores = spiga.evaluate(self.truth, predicted)
        self.assertEqual((scores.missed, scores.failure_rate), (1, 20))
        self.assertTrue(np.isnan(scores.face_nme[2]))

    def test_refuses_what_cannot_be_scored(self):
        for arrays, words in (((self.truth, self.truth[:3]), "one shape"), ((self.truth[0], self.truth[0]), "shapes"),
                              ((self.truth[:, :5], self.truth[:, :5]), "68"), ((self.truth[:0], self.truth[:0]), "N > 0")):
            with self.assertRaisesRegex(ValueError, words):
                spiga.evaluate(*arrays)
        with self.assertRaisesRegex(ValueError, "norm"):
            spiga.evaluate(self.truth, self.truth, norm="ears")


class Documentation(unittest.TestCase):
    @unittest.skipIf(Image is None, "Pillow is not installed")
    def test_the_example_runs(self):
        code = subprocess.run([sys.executable, "tests/install/example.py", "docs/python.md", "python"], check=True,
                              capture_output=True, text=True).stdout
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "docs/python.md", "exec"), {})
        self.assertIn("(68, 2) float32", out.getvalue())
        self.assertIn("frame 2 person 0", out.getvalue())
        self.assertRegex(out.getvalue(), r"NME \d+\.\d\d %")

    def test_everything_public_is_explained(self):
        self.assertTrue(os.path.exists(spiga.default_model_path()))
        for name in spiga.__all__:
            self.assertTrue(getattr(spiga, name).__doc__ or name in ("Error", "default_model_path"), name)


if __name__ == "__main__":
    unittest.main()
