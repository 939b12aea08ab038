// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

namespace spiga::charts {

// A whole HTML page that needs no network: head, our style and what `more_style` adds to it, the title as a
// heading, and `body`, which is HTML already. The title is escaped.
std::string html_page(std::string_view title, std::string_view body, std::string_view more_style = {});

}  // namespace spiga::charts
