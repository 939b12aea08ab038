/* Copyright (c) 2026, the spiga authors
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPIGA_SPIGA_H
#define SPIGA_SPIGA_H

/* Facial landmarks and head pose, for C and every language that calls C (docs/c.md).
 *
 * Handles are opaque; 0 is none. A handle that was freed, or never made, is refused with
 * SPIGA_INVALID_ARGUMENT by every function, spiga_*_free included. Every function may be called from any
 * thread; calls on one handle wait for one another, so give each thread its own for speed. No exception and
 * no signal leaves this library. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum spiga_status {
  SPIGA_OK = 0,
  SPIGA_INVALID_ARGUMENT = 1, /* the caller asked for something that makes no sense */
  SPIGA_NOT_FOUND = 2,        /* a file is absent or unreadable */
  SPIGA_IO = 3,               /* reading or writing failed half-way */
  SPIGA_BAD_DATA = 4,         /* a file is there but is not what it should be */
  SPIGA_UNSUPPORTED = 5,      /* well-formed, but not something this build or machine can do */
  SPIGA_OUT_OF_MEMORY = 6,
  SPIGA_INTERNAL = 7 /* a fault of the library */
} spiga_status;

typedef enum spiga_pixel_format {
  SPIGA_BGR8 = 0,
  SPIGA_RGB8 = 1,
  SPIGA_BGRA8 = 2,
  SPIGA_RGBA8 = 3,
  SPIGA_GRAY8 = 4
} spiga_pixel_format;

typedef enum spiga_precision {
  SPIGA_PRECISION_AUTOMATIC = 0, /* int8 where the model file has scales and the processor VNNI and no AMX;
                                    else bf16 where the processor computes it natively, f32 elsewhere */
  SPIGA_PRECISION_F32 = 1,
  SPIGA_PRECISION_BF16 = 2,
  SPIGA_PRECISION_INT8 = 3 /* needs model files with scales (spiga quantize) and a processor with VNNI */
} spiga_precision;

/* How hard faces are looked for: docs/detector.md has each one's recall and cost. */
typedef enum spiga_effort {
  SPIGA_EFFORT_FAST = 0,
  SPIGA_EFFORT_NORMAL = 1,
  SPIGA_EFFORT_THOROUGH = 2
} spiga_effort;

/* How many looks of the network each face gets: docs/benchmark.md has the gain and the cost. */
typedef enum spiga_quality {
  SPIGA_QUALITY_FAST = 0,   /* one */
  SPIGA_QUALITY_NORMAL = 1, /* turned and doubtful faces are looked at again, upright */
  SPIGA_QUALITY_BEST = 2    /* the mean of mirrored and shifted upright looks */
} spiga_quality;

/* Somebody's pixels, read during the call only. Row y starts at data + y * stride_bytes. */
typedef struct spiga_image {
  const uint8_t* data;
  int32_t width;
  int32_t height;
  int64_t stride_bytes; /* at least width * channels */
  int32_t format;       /* spiga_pixel_format */
} spiga_image;

typedef struct spiga_point {
  float x; /* pixels, to the right */
  float y; /* pixels, down */
} spiga_point;

typedef struct spiga_box {
  float x, y; /* top left corner */
  float width, height;
} spiga_box;

typedef struct spiga_face {
  int32_t id;       /* of a tracked face: one per person as long as it is followed; else its index */
  int32_t found;    /* of a tracked face: 0 where it is lost for now, and has no landmarks; else 1 */
  float score;      /* the detector's, in its own scale */
  float confidence; /* that this is a face, 0 to 1; NaN of a detector that cannot tell (docs/detector.md); of
                       a tracked face: that its landmarks sit on a face (docs/video.md) */
  spiga_box box;
  float yaw_deg, pitch_deg, roll_deg; /* docs/head-pose.md */
  float translation[3];
  size_t landmark_count;
  const spiga_point* landmarks; /* [landmark_count] in picture pixels; live as long as the spiga_faces */
  const float* uncertainty;     /* [landmark_count] expected error of each in pixels */
} spiga_face;

/* What to load. Call spiga_options_init first, which fills in the defaults. */
typedef struct spiga_options {
  size_t size;           /* of this struct, by which library and header agree; spiga_options_init writes it */
  const char* model;     /* model file; NULL: the default model */
  const char* detector;  /* NULL: "builtin"; "": none, for spiga_locate alone */
  int32_t precision;     /* spiga_precision, of both networks */
  int32_t threads;       /* of one call of either network; 0: all */
  int32_t max_batch;     /* faces of one network call */
  int32_t effort;        /* spiga_effort */
  float min_face_px;     /* smallest face looked for; 0: as the effort says */
  float score_threshold; /* detections that score below are dropped */
  double smooth;         /* trackers: how strongly trembling is taken out; 0: not at all */
  int32_t detect_every;  /* trackers: frames from one run of the detector to the next */
  int32_t quality;       /* spiga_quality, of analyzers; trackers look once */
} spiga_options;

typedef struct spiga_analyzer spiga_analyzer; /* pictures to faces */
typedef struct spiga_tracker spiga_tracker;   /* a video's frames to faces with ids */
typedef struct spiga_faces spiga_faces;       /* what was found in one picture */

/* "0.1.0": of the library that runs, which may be newer than this header. */
const char* spiga_version(void);

/* One line about this thread's last call that did not return SPIGA_OK; "" where all did. Good until the
 * thread's next call. */
const char* spiga_last_error(void);

spiga_status spiga_options_init(spiga_options* options);

/* options may be NULL. On failure *analyzer becomes NULL. */
spiga_status spiga_analyzer_create(const spiga_options* options, spiga_analyzer** analyzer);
spiga_status spiga_analyzer_free(spiga_analyzer* analyzer);

/* Finds faces and their landmarks, surest first. The caller frees *faces; on failure it becomes NULL. */
spiga_status spiga_analyze(spiga_analyzer* analyzer, const spiga_image* image, spiga_faces** faces);

/* The landmarks of faces in boxes of the caller, in their order. */
spiga_status spiga_locate(spiga_analyzer* analyzer, const spiga_image* image, const spiga_box* boxes,
                          size_t count, spiga_faces** faces);

/* Landmarks per face, and the ids that the database gives them: *ids lives as long as the analyzer. */
spiga_status spiga_landmark_ids(spiga_analyzer* analyzer, const int32_t** ids, size_t* count);

spiga_status spiga_tracker_create(const spiga_options* options, spiga_tracker** tracker);
spiga_status spiga_tracker_free(spiga_tracker* tracker);

/* The faces of the next frame. Times are in seconds and must not run backwards. */
spiga_status spiga_track(spiga_tracker* tracker, const spiga_image* frame, double time_s,
                         spiga_faces** faces);

spiga_status spiga_faces_count(const spiga_faces* faces, size_t* count);
spiga_status spiga_faces_get(const spiga_faces* faces, size_t index, spiga_face* face);
spiga_status spiga_faces_free(spiga_faces* faces);

/* The face in three dimensions (docs/face3d.md): a morphable head fitted to 68 landmarks in the order of the
 * 300-W mark-up, under a perspective camera. */

typedef struct spiga_camera {
  double fx, fy, cx, cy; /* pixels; (0, 0) is the top left pixel */
  double distortion[5];  /* OpenCV's k1, k2, p1, p2, k3 */
  int32_t width, height; /* of the pictures that it was calibrated on; 0: of any */
  int32_t guessed;       /* 1: nobody gave it */
} spiga_camera;

/* x_camera = rotation x_head + translation_mm; both frames x to the right, y down, z away from the camera. */
typedef struct spiga_camera_pose {
  double rotation[3][3]; /* rows */
  double quaternion[4];  /* w, x, y, z */
  double translation_mm[3];
  double yaw_deg, pitch_deg, roll_deg; /* docs/head-pose.md, before this camera */
  double openface_rad[3];              /* pose_Rx, pose_Ry, pose_Rz */
} spiga_camera_pose;

typedef struct spiga_signals {
  float eye_opening_left_mm, eye_opening_right_mm; /* between the lids; left is the person's left */
  float eye_open_left, eye_open_right;             /* as a share of the open eye, 0 to 1 */
  int32_t blink;                                   /* 1: both eyes are closed or nearly so */
  float mouth_opening_mm;
  float smile, brow_raise; /* 0 to 1 */
} spiga_signals;

typedef enum spiga_event_kind {
  SPIGA_EVENT_BLINK = 0,
  SPIGA_EVENT_NOD = 1,
  SPIGA_EVENT_SHAKE = 2
} spiga_event_kind;

typedef struct spiga_face_event {
  int32_t kind; /* spiga_event_kind */
  double start_s, end_s;
} spiga_face_event;

/* What it points to lives as long as the spiga_face3d. */
typedef struct spiga_face3d_values {
  spiga_camera_pose pose;
  float reprojection_px;  /* root of the mean squared distance of landmarks to the fitted head */
  int32_t landmarks_used; /* landmarks that the fit rests on */
  spiga_signals signals;
  const float (*points_mm)[3]; /* [point_count] landmarks before the camera */
  size_t point_count;
  const float* blendshapes; /* [blendshape_count], 0 to 1; spiga_blendshape_names names them */
  size_t blendshape_count;
  const spiga_face_event* events; /* [event_count] of tracks: what has happened since the last frame */
  size_t event_count;
} spiga_face3d_values;

typedef struct spiga_mesh {
  const float (*vertices_mm)[3]; /* [vertex_count] before the camera */
  const spiga_point* pixels;     /* [vertex_count] where the camera sees them */
  size_t vertex_count;
} spiga_mesh;

typedef struct spiga_face_model spiga_face_model;             /* the morphable head */
typedef struct spiga_face_model_track spiga_face_model_track; /* one person's face in a video */
typedef struct spiga_face3d spiga_face3d;                     /* one fitted face */

/* Focal length as long as the longer side; for pictures whose camera nobody knows. */
spiga_status spiga_camera_guess(int32_t width, int32_t height, spiga_camera* camera);
/* fov_deg: across the picture's width, 1 to 170. */
spiga_status spiga_camera_from_fov(double fov_deg, int32_t width, int32_t height, spiga_camera* camera);
/* "fx,fy,cx,cy", with five distortion coefficients behind them where there are any, or a YAML file of
 * OpenCV's calibration. */
spiga_status spiga_camera_parse(const char* numbers_or_file, spiga_camera* camera);
/* The camera for pictures of that size, scaled where it was calibrated on another of the same shape. */
spiga_status spiga_camera_for_picture(const spiga_camera* camera, int32_t width, int32_t height,
                                      spiga_camera* scaled);

/* path may be NULL: the head that is installed with the library. */
spiga_status spiga_face_model_load(const char* path, spiga_face_model** model);
/* Fitted faces and tracks do not need it any more. */
spiga_status spiga_face_model_free(spiga_face_model* model);
/* Corners of each triangle of a mesh, counter-clockwise seen from outside; live as long as the model. */
spiga_status spiga_face_model_triangles(spiga_face_model* model, const uint16_t (**triangles)[3],
                                        size_t* count);

/* landmarks: [count], count 68, in picture pixels; those that are not finite do not count. uncertainty:
 * [count] expected errors in pixels, or NULL. The caller frees *face; on failure it becomes NULL. Calls on
 * one model do not wait for one another. */
spiga_status spiga_face_model_fit(spiga_face_model* model, const spiga_point* landmarks,
                                  const float* uncertainty, size_t count, const spiga_camera* camera,
                                  spiga_face3d** face);

/* smooth: how strongly expressions are steadied; 1 is usual, 0 not at all. */
spiga_status spiga_face_model_track_create(spiga_face_model* model, double smooth,
                                           spiga_face_model_track** track);
spiga_status spiga_face_model_track_free(spiga_face_model_track* track);
/* The face in the next frame; times in seconds must not run backwards. A failure leaves the track as it was.
 */
spiga_status spiga_face_model_track_next(spiga_face_model_track* track, const spiga_point* landmarks,
                                         const float* uncertainty, size_t count, const spiga_camera* camera,
                                         double time_s, spiga_face3d** face);

spiga_status spiga_face3d_get(const spiga_face3d* face, spiga_face3d_values* values);
/* The whole head; lives as long as the spiga_face3d. */
spiga_status spiga_face3d_mesh(const spiga_face3d* face, spiga_mesh* mesh);
spiga_status spiga_face3d_free(spiga_face3d* face);

/* ARKit's names of the blendshapes; they live for good. */
spiga_status spiga_blendshape_names(const char* const** names, size_t* count);

#ifdef __cplusplus
}
#endif

#endif
