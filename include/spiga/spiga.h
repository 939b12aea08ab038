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
  SPIGA_PRECISION_AUTOMATIC = 0, /* bf16 where the processor computes it natively, f32 elsewhere */
  SPIGA_PRECISION_F32 = 1,
  SPIGA_PRECISION_BF16 = 2
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

#ifdef __cplusplus
}
#endif

#endif
