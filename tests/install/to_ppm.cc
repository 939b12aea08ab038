// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
// to_ppm PICTURE PPM: for test programs that read no other form.
#include <opencv2/imgcodecs.hpp>

int main(int count, char** arguments) {
  return count == 3 && cv::imwrite(arguments[2], cv::imread(arguments[1])) ? 0 : 1;
}
