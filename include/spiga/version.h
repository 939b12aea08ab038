// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The version of these headers (docs/versioning.md says what a change of each number means).
#define SPIGA_VERSION_MAJOR 0
#define SPIGA_VERSION_MINOR 1
#define SPIGA_VERSION_PATCH 0
#define SPIGA_VERSION "0.1.0"
