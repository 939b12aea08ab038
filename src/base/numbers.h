// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

// Numbers as text, "." whatever the locale. Every output of the program goes through here.
namespace spiga::base {

// The number with that many decimals; "-0.00" becomes "0.00". Nothing where it is not finite.
void append_fixed(std::string& out, double value, int decimals);
// The same, and `otherwise` where it is not finite.
std::string fixed(double value, int decimals, std::string_view otherwise = "");

// At most that many decimals, without zeros at the end: 2.50 is "2.5", 3.00 is "3".
std::string compact(double value, int decimals, std::string_view otherwise = "");

// "3.0e-04" with one decimal.
std::string scientific(double value, int decimals);

// Seconds as "0:07", "12:34" or "1:02:03".
std::string duration_text(double seconds);

}  // namespace spiga::base
