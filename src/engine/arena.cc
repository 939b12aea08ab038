// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/arena.h"

#include <sys/mman.h>

#include <iterator>
#include <new>
#include <utility>

namespace spiga::engine {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t round_up(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

std::shared_ptr<const ArenaPlan::Block> ArenaPlan::allocate(std::size_t bytes) {
  bytes = round_up(bytes == 0 ? 1 : bytes);
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
    if (gap->second < bytes) continue;
    const auto [offset, length] = *gap;
    gaps_.erase(gap);
    if (length > bytes) gaps_.emplace(offset + bytes, length - bytes);
    return std::make_shared<Block>(*this, offset, bytes);
  }
  // Grows at the end, beginning with the gap there, if any.
  std::size_t offset = size_;
  if (!gaps_.empty()) {
    const auto last = std::prev(gaps_.end());
    if (last->first + last->second == size_) {
      offset = last->first;
      gaps_.erase(last);
    }
  }
  size_ = offset + bytes;
  return std::make_shared<Block>(*this, offset, bytes);
}

void ArenaPlan::free(std::size_t offset, std::size_t bytes) {
  auto [gap, inserted] = gaps_.emplace(offset, bytes);
  const auto next = std::next(gap);
  if (next != gaps_.end() && offset + gap->second == next->first) {
    gap->second += next->second;
    gaps_.erase(next);
  }
  if (gap == gaps_.begin()) return;
  const auto previous = std::prev(gap);
  if (previous->first + previous->second == offset) {
    previous->second += gap->second;
    gaps_.erase(gap);
  }
}

Arena::Arena(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  void* data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(data);
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace spiga::engine
