// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <map>
#include <memory>

namespace spiga::engine {

// Places blocks in one range of memory so that those that live at the same time do not overlap. Only does the
// arithmetic: the same sequence of calls gives the same offsets. Blocks are multiples of 64 bytes; first fit.
class ArenaPlan {
 public:
  // While it lives, nobody else gets these bytes.
  class Block {
   public:
    Block(ArenaPlan& plan, std::size_t offset, std::size_t bytes)
        : plan_(plan), offset_(offset), bytes_(bytes) {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() { plan_.free(offset_, bytes_); }
    std::size_t offset() const { return offset_; }

   private:
    ArenaPlan& plan_;
    std::size_t offset_;
    std::size_t bytes_;
  };

  // The plan must outlive the block.
  std::shared_ptr<const Block> allocate(std::size_t bytes);
  // Bytes that all blocks so far fit in.
  std::size_t size() const { return size_; }

 private:
  void free(std::size_t offset, std::size_t bytes);

  std::map<std::size_t, std::size_t> gaps_;  // offset -> bytes, never touching each other, all below size_
  std::size_t size_ = 0;
};

// Address space of a size; memory comes with the first touch, zeroed.
class Arena {
 public:
  Arena() = default;
  // Throws std::bad_alloc.
  explicit Arena(std::size_t bytes);
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace spiga::engine
