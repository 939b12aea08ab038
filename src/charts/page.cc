// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "charts/page.h"

#include "base/text.h"
#include "charts/page_style.h"
#include "charts/svg.h"

namespace spiga::charts {

std::string html_page(std::string_view title, std::string_view body, std::string_view more_style) {
  const std::string name = escape(title);
  return base::concat("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>", name,
                      "</title>\n<style>", kPageStyle, more_style, "</style></head>\n<body>\n<h1>", name,
                      "</h1>\n", body, "</body>\n</html>\n");
}

}  // namespace spiga::charts
