/* Copyright (c) 2026, the spiga authors
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <spiga/spiga.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                                                  \
  do {                                                                                                     \
    if (!(condition)) {                                                                                    \
      fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, spiga_last_error()); \
      ++failures;                                                                                          \
    }                                                                                                      \
  } while (0)

/* The call is refused with this status and a message that says so. */
#define EXPECT_REFUSED(call, status, words)            \
  do {                                                 \
    EXPECT((call) == (status));                        \
    EXPECT(strstr(spiga_last_error(), words) != NULL); \
  } while (0)

enum { kSide = 200 };
static uint8_t pixels[kSide * kSide * 3];

static spiga_image a_picture(void) {
  spiga_image image = {pixels, kSide, kSide, 3 * kSide, SPIGA_RGB8};
  return image;
}

static void test_faces(spiga_analyzer* analyzer) {
  const spiga_image image = a_picture();
  const spiga_box boxes[2] = {{50, 60, 90, 80}, {20, 20, 100, 120}};
  spiga_faces* faces = NULL;
  size_t count = 0;
  spiga_face face;
  EXPECT(spiga_locate(analyzer, &image, boxes, 2, &faces) == SPIGA_OK);
  EXPECT(strcmp(spiga_last_error(), "") == 0);
  EXPECT(spiga_faces_count(faces, &count) == SPIGA_OK && count == 2);
  EXPECT(spiga_faces_get(faces, 1, &face) == SPIGA_OK);
  EXPECT(face.id == 1 && face.found == 1 && face.landmark_count == 68);
  EXPECT(face.box.width == 100 && face.box.height == 120);
  for (size_t i = 0; i < face.landmark_count; ++i) {
    EXPECT(isfinite(face.landmarks[i].x) && isfinite(face.landmarks[i].y) && face.uncertainty[i] > 0);
  }
  EXPECT_REFUSED(spiga_faces_get(faces, 2, &face), SPIGA_INVALID_ARGUMENT, "less than 2");
  EXPECT_REFUSED(spiga_faces_get(faces, 0, NULL), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT(spiga_faces_free(faces) == SPIGA_OK);
  EXPECT_REFUSED(spiga_faces_free(faces), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT_REFUSED(spiga_faces_count(faces, &count), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT_REFUSED(spiga_faces_free(NULL), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT(spiga_analyze(analyzer, &image, &faces) == SPIGA_OK);
  EXPECT(spiga_faces_count(faces, &count) == SPIGA_OK && count == 0); /* noise has no face */
  EXPECT(spiga_faces_free(faces) == SPIGA_OK);
}

static void test_ids(spiga_analyzer* analyzer) {
  const int32_t* ids = NULL;
  size_t count = 0;
  EXPECT(spiga_landmark_ids(analyzer, &ids, &count) == SPIGA_OK && count == 68 && ids[0] > 0);
  EXPECT_REFUSED(spiga_landmark_ids(analyzer, NULL, &count), SPIGA_INVALID_ARGUMENT, "NULL");
}

static void refuse_image(spiga_analyzer* analyzer, spiga_image image, const char* words) {
  spiga_faces* faces = (spiga_faces*)&image;
  EXPECT_REFUSED(spiga_analyze(analyzer, &image, &faces), SPIGA_INVALID_ARGUMENT, words);
  EXPECT(faces == NULL);
}

static void test_bad_pictures(spiga_analyzer* analyzer) {
  spiga_image image = a_picture();
  spiga_faces* faces = NULL;
  const spiga_box far_away = {1000, 1000, 50, 50}, flat = {10, 10, 50, 0};
  EXPECT_REFUSED(spiga_analyze(analyzer, NULL, &faces), SPIGA_INVALID_ARGUMENT, "image");
  EXPECT_REFUSED(spiga_analyze(analyzer, &image, NULL), SPIGA_INVALID_ARGUMENT, "faces");
  EXPECT_REFUSED(spiga_locate(analyzer, &image, NULL, 1, &faces), SPIGA_INVALID_ARGUMENT, "boxes");
  EXPECT_REFUSED(spiga_locate(analyzer, &image, &far_away, 1, &faces), SPIGA_INVALID_ARGUMENT, "outside");
  EXPECT_REFUSED(spiga_locate(analyzer, &image, &flat, 1, &faces), SPIGA_INVALID_ARGUMENT, "sides");
  image.data = NULL;
  refuse_image(analyzer, image, "data");
  image = a_picture();
  image.width = 0;
  refuse_image(analyzer, image, "0 x 200");
  image = a_picture();
  image.height = -5;
  refuse_image(analyzer, image, "200 x -5");
  image = a_picture();
  image.stride_bytes = 3 * kSide - 1;
  refuse_image(analyzer, image, "stride_bytes");
  image = a_picture();
  image.format = 17;
  refuse_image(analyzer, image, "format");
}

static void refuse_options(const spiga_options* options, spiga_status status, const char* words) {
  spiga_analyzer* analyzer = (spiga_analyzer*)pixels;
  EXPECT_REFUSED(spiga_analyzer_create(options, &analyzer), status, words);
  EXPECT(analyzer == NULL);
}

static void test_bad_options(void) {
  spiga_options options;
  EXPECT_REFUSED(spiga_options_init(NULL), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(spiga_analyzer_create(NULL, NULL), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT(spiga_options_init(&options) == SPIGA_OK);
  options.model = "/nowhere/model.safetensors";
  refuse_options(&options, SPIGA_NOT_FOUND, "/nowhere/model.safetensors");
  options.model = "LICENSE";
  refuse_options(&options, SPIGA_BAD_DATA, "LICENSE");
  spiga_options_init(&options);
  options.detector = "crystal ball";
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "crystal ball");
  spiga_options_init(&options);
  options.precision = 9;
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "precision");
  spiga_options_init(&options);
  options.effort = 3;
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "effort");
  spiga_options_init(&options);
  EXPECT(options.quality == SPIGA_QUALITY_NORMAL);
  options.quality = 3;
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "quality");
  spiga_options_init(&options);
  options.max_batch = 0;
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "max_batch");
  options.size = 8;
  refuse_options(&options, SPIGA_INVALID_ARGUMENT, "size");
}

static void test_tracker(void) {
  const spiga_image frame = a_picture();
  spiga_options options;
  spiga_tracker* tracker = NULL;
  spiga_faces* faces = NULL;
  size_t count = 1;
  spiga_options_init(&options);
  EXPECT(spiga_tracker_create(&options, &tracker) == SPIGA_OK);
  EXPECT(spiga_track(tracker, &frame, 0.0, &faces) == SPIGA_OK);
  EXPECT(spiga_faces_count(faces, &count) == SPIGA_OK && count == 0);
  EXPECT(spiga_faces_free(faces) == SPIGA_OK);
  EXPECT_REFUSED(spiga_track(tracker, &frame, -1.0, &faces), SPIGA_INVALID_ARGUMENT, "time");
  EXPECT(spiga_tracker_free(tracker) == SPIGA_OK);
  EXPECT_REFUSED(spiga_tracker_free(tracker), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT_REFUSED(spiga_track(tracker, &frame, 1.0, &faces), SPIGA_INVALID_ARGUMENT, "freed");
  options.detect_every = 0;
  EXPECT(spiga_tracker_create(&options, &tracker) == SPIGA_INVALID_ARGUMENT && tracker == NULL);
}

/* The landmarks of a fitted face, seen exactly. */
static void see(const spiga_face3d_values* face, const spiga_camera* camera, spiga_point* seen) {
  for (size_t i = 0; i < face->point_count; ++i) {
    const float* p = face->points_mm[i];
    seen[i].x = (float)(camera->fx * p[0] / p[2] + camera->cx);
    seen[i].y = (float)(camera->fy * p[1] / p[2] + camera->cy);
  }
}

static void test_cameras(void) {
  spiga_camera camera, scaled;
  EXPECT(spiga_camera_guess(640, 480, &camera) == SPIGA_OK);
  EXPECT(camera.fx == 640 && camera.cx == 319.5 && camera.guessed == 1);
  EXPECT(spiga_camera_from_fov(90, 640, 480, &camera) == SPIGA_OK);
  EXPECT(fabs(camera.fx - 320) < 1e-9 && camera.guessed == 0);
  EXPECT(spiga_camera_parse("500,510,320,240,0.1,0,0,0,0.01", &camera) == SPIGA_OK);
  EXPECT(camera.fy == 510 && camera.distortion[0] == 0.1 && camera.distortion[4] == 0.01 &&
         camera.width == 0);
  camera.width = 640;
  camera.height = 480;
  EXPECT(spiga_camera_for_picture(&camera, 1280, 960, &scaled) == SPIGA_OK && scaled.fx == 1000);
  EXPECT_REFUSED(spiga_camera_for_picture(&camera, 1280, 720, &scaled), SPIGA_INVALID_ARGUMENT, "640 x 480");
  EXPECT_REFUSED(spiga_camera_parse("0,0,0,0", &camera), SPIGA_INVALID_ARGUMENT, "fx is 0");
  EXPECT_REFUSED(spiga_camera_parse(NULL, &camera), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(spiga_camera_parse("absent.yml", &camera), SPIGA_NOT_FOUND, "absent.yml");
  EXPECT_REFUSED(spiga_camera_from_fov(0, 640, 480, &camera), SPIGA_INVALID_ARGUMENT, "field of view");
  EXPECT_REFUSED(spiga_camera_guess(0, 480, &camera), SPIGA_INVALID_ARGUMENT, "0 x 480");
}

static void test_face3d(spiga_analyzer* analyzer) {
  const spiga_image image = a_picture();
  const spiga_box box = {50, 60, 90, 80};
  spiga_faces* faces = NULL;
  spiga_face face;
  spiga_camera camera;
  spiga_face_model* model = NULL;
  spiga_face_model_track* track = NULL;
  spiga_face3d *first = NULL, *second = NULL, *none = NULL;
  spiga_face3d_values a, b;
  spiga_mesh mesh;
  spiga_point seen[68];
  const uint16_t(*triangles)[3] = NULL;
  const char* const* names = NULL;
  size_t count = 0, blinks = 0;
  EXPECT(spiga_camera_guess(kSide, kSide, &camera) == SPIGA_OK);
  EXPECT(spiga_locate(analyzer, &image, &box, 1, &faces) == SPIGA_OK);
  EXPECT(spiga_faces_get(faces, 0, &face) == SPIGA_OK);
  EXPECT_REFUSED(spiga_face_model_load("LICENSE", &model), SPIGA_BAD_DATA, "LICENSE");
  EXPECT_REFUSED(spiga_face_model_load("/nowhere/head", &model), SPIGA_NOT_FOUND, "/nowhere/head");
  EXPECT(spiga_face_model_load(NULL, &model) == SPIGA_OK);
  EXPECT(spiga_face_model_fit(model, face.landmarks, face.uncertainty, face.landmark_count, &camera,
                              &first) == SPIGA_OK);
  EXPECT(spiga_face3d_get(first, &a) == SPIGA_OK);
  EXPECT(a.point_count == 68 && a.landmarks_used == 68 && a.event_count == 0);
  EXPECT(spiga_blendshape_names(&names, &count) == SPIGA_OK && count == a.blendshape_count);
  EXPECT(count > 10 && strcmp(names[0], "browDownLeft") == 0);
  for (size_t i = 0; i < count; ++i) EXPECT(a.blendshapes[i] >= 0 && a.blendshapes[i] <= 1);

  /* A face that is seen as it was fitted stands where it stood. */
  see(&a, &camera, seen);
  EXPECT(spiga_face_model_fit(model, seen, NULL, 68, &camera, &second) == SPIGA_OK);
  EXPECT(spiga_face3d_get(second, &b) == SPIGA_OK);
  EXPECT(fabs(b.pose.translation_mm[2] / a.pose.translation_mm[2] - 1) < 0.05);
  EXPECT(fabs(b.pose.yaw_deg - a.pose.yaw_deg) < 5 && b.reprojection_px < 1);
  EXPECT(spiga_face3d_free(second) == SPIGA_OK);

  EXPECT(spiga_face3d_mesh(first, &mesh) == SPIGA_OK && mesh.vertex_count > 5000);
  EXPECT(fabs(camera.fx * mesh.vertices_mm[7][0] / mesh.vertices_mm[7][2] + camera.cx - mesh.pixels[7].x) <
         0.01);
  EXPECT(spiga_face_model_triangles(model, &triangles, &count) == SPIGA_OK && count > 10000);
  for (size_t i = 0; i < count; ++i) EXPECT(triangles[i][2] < mesh.vertex_count);

  EXPECT_REFUSED(spiga_face_model_fit(model, seen, NULL, 60, &camera, &none), SPIGA_INVALID_ARGUMENT,
                 "expected 68 landmarks");
  EXPECT(none == NULL);
  EXPECT_REFUSED(spiga_face_model_fit(model, NULL, NULL, 68, &camera, &none), SPIGA_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(spiga_face_model_fit(model, seen, NULL, 68, NULL, &none), SPIGA_INVALID_ARGUMENT, "NULL");
  camera.fx = 0;
  EXPECT_REFUSED(spiga_face_model_fit(model, seen, NULL, 68, &camera, &none), SPIGA_INVALID_ARGUMENT,
                 "fx is 0");
  camera.fx = camera.fy;

  /* Lids that meet for three frames of a track are a blink. */
  EXPECT(spiga_face_model_track_create(model, 1, &track) == SPIGA_OK);
  for (int f = 0; f < 60; ++f) {
    see(&a, &camera, seen);
    if (f >= 50 && f < 53)
      for (int lid = 0; lid < 2; ++lid) {
        static const int kUpper[2] = {37, 43}, kLower[2] = {41, 47};
        for (int k = 0; k < 2; ++k) seen[kUpper[lid] + k].y = seen[kLower[lid] - k].y;
      }
    EXPECT(spiga_face_model_track_next(track, seen, NULL, 68, &camera, f / 25.0, &second) == SPIGA_OK);
    EXPECT(spiga_face3d_get(second, &b) == SPIGA_OK);
    for (size_t i = 0; i < b.event_count; ++i)
      if (b.events[i].kind == SPIGA_EVENT_BLINK && fabs(b.events[i].start_s - 2) < 0.1) ++blinks;
    if (f == 51) EXPECT(b.signals.blink == 1 && b.signals.eye_open_left < 0.35f);
    EXPECT(spiga_face3d_free(second) == SPIGA_OK);
  }
  EXPECT(blinks == 1);
  EXPECT_REFUSED(spiga_face_model_track_next(track, seen, NULL, 68, &camera, 0.0, &second),
                 SPIGA_INVALID_ARGUMENT, "time");
  EXPECT(spiga_face_model_track_free(track) == SPIGA_OK);
  EXPECT_REFUSED(spiga_face_model_track_create(model, -1, &track), SPIGA_INVALID_ARGUMENT, "smooth");
  EXPECT(spiga_face_model_free(model) == SPIGA_OK);
  EXPECT(spiga_face3d_get(first, &a) == SPIGA_OK); /* does not need the model */
  EXPECT(spiga_face3d_free(first) == SPIGA_OK);
  EXPECT_REFUSED(spiga_face3d_free(first), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT_REFUSED(spiga_face_model_free(model), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT(spiga_faces_free(faces) == SPIGA_OK);
}

int main(void) {
  spiga_analyzer* analyzer = NULL;
  srand(1);
  for (size_t i = 0; i < sizeof pixels; ++i) pixels[i] = (uint8_t)(rand() >> 8);
  EXPECT(strcmp(spiga_version(), "0.1.0") == 0);
  EXPECT(spiga_analyzer_create(NULL, &analyzer) == SPIGA_OK);
  test_faces(analyzer);
  test_ids(analyzer);
  test_bad_pictures(analyzer);
  test_cameras();
  test_face3d(analyzer);
  EXPECT(spiga_analyzer_free(analyzer) == SPIGA_OK);
  EXPECT_REFUSED(spiga_analyzer_free(analyzer), SPIGA_INVALID_ARGUMENT, "freed");
  EXPECT_REFUSED(spiga_analyzer_free((spiga_analyzer*)pixels), SPIGA_INVALID_ARGUMENT, "never made");
  test_bad_options();
  test_tracker();
  if (failures == 0) puts("passed");
  return failures == 0 ? 0 : 1;
}
