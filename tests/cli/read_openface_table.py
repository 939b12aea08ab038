#!/usr/bin/python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Reads `spiga analyze --csv-style openface` as scripts for OpenFace do, in pandas.

    tests/cli/read_openface_table.py SPIGA

In the project's root. Skipped (status 77) where there is no pandas.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import pandas
except ImportError:
    print("python3-pandas is not installed")
    sys.exit(77)

ORDER = ["frame", "face_id", "timestamp", "confidence", "success", "gaze_", "eye_lmk_", "pose_T", "pose_R", "x_", "y_", "X_", "Y_",
         "Z_", "p_scale", "p_r", "p_t", r"p_\d", r"AU\d\d_r", r"AU\d\d_c"]


def place(column):
    """Which of OpenFace's groups a column belongs to."""
    return max(i for i, stem in enumerate(ORDER) if re.match(stem, column))


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        for i in range(4):
            shutil.copy("samples/astronaut.jpg", os.path.join(folder, f"f{i}.jpg"))
        table_file = os.path.join(folder, "table.csv")
        # Pictures of one colour: frames without a face.
        for i in range(4, 8):
            with open(os.path.join(folder, f"f{i}.ppm"), "wb") as file:
                file.write(b"P6 512 512 255\n" + bytes(3 * 512 * 512))
        subprocess.run([program, "analyze", folder, "--sequence", "--fps", "10", "--max-faces", "1", "-o", os.devnull, "--csv", table_file,
                        "--csv-style", "openface"], check=True)
        table = pandas.read_csv(table_file)
    assert list(table.frame) == list(range(1, 9)), table.frame
    assert abs(table.timestamp - (table.frame - 1) / 10).max() < 1e-3
    assert list(table.success[:4]) == [1] * 4 and list(table.success[-2:]) == [0, 0], table.success  # a face is lost after two frames
    assert all(kind.kind in "if" for kind in table.dtypes), table.dtypes
    assert not table.isna().any().any()
    places = [place(column) for column in table.columns]
    assert places == sorted(places), "another order than OpenFace's"
    for stem, count in (("x_", 68), ("y_", 68), ("X_", 68), ("Y_", 68), ("Z_", 68), ("pose_", 6), ("p_", 6)):
        assert sum(column.startswith(stem) for column in table.columns) >= count, stem
    seen = table[:4]
    assert (seen.confidence > 0.5).all()
    # Radians and millimetres: an upright head that looks at the camera, about half a metre away.
    assert (seen[["pose_Rx", "pose_Ry", "pose_Rz"]].abs() < 0.35).all().all()
    assert seen.pose_Tz.between(200, 5000).all()
    assert (abs(seen.Z_30 - seen.pose_Tz) < 30).all(), "the nose tip is the head's origin"
    assert (abs(seen.p_tx - seen.x_30) < 15).all() and (abs(seen.p_ty - seen.y_30) < 15).all()
    units = [column for column in table.columns if column.startswith("AU")]
    assert units and seen[units].ge(0).all().all() and seen[units].le(5).all().all()
    lost = table[table.success == 0].drop(columns=["frame", "face_id", "timestamp", "confidence"])
    assert (lost == 0).all().all()
    print("read", len(table), "rows of", len(table.columns), "columns")


main(sys.argv[1])
