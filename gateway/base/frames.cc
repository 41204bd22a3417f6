#include "base/frames.h"

#include <array>
#include <cstdint>
#include <new>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

namespace switchyard {

void* NewFrame(std::size_t size) { return ::operator new(size); }
void FreeFrame(void* frame, std::size_t) noexcept { ::operator delete(frame); }

}  // namespace switchyard

#else

namespace switchyard {
namespace {

constexpr std::size_t kStep = 128;                         // between sizes
constexpr std::size_t kBiggest = 8 * 1024;                 // that is kept
constexpr std::size_t kKeptBytes = std::size_t{64} << 10;  // of one size, by one thread

// Trivial, so that a thread reaches its own without asking whether it was made.
struct Shelf {
  struct Free {
    Free* next;
  };
  Free* top;
  std::uint32_t count;
};
constinit thread_local std::array<Shelf, kBiggest / kStep> shelves{};

// Gives everything back when the thread ends. Frames that are freed after it are not kept.
struct Sweeper {
  ~Sweeper() {
    for (Shelf& shelf : shelves) {
      while (Shelf::Free* const free = shelf.top) {
        shelf.top = free->next;
        ::operator delete(free);
      }
      shelf.count = UINT32_MAX;
    }
  }
};

constexpr std::size_t ShelfOf(std::size_t size) { return (size - 1) / kStep; }
constexpr std::size_t SizeOf(std::size_t shelf) { return (shelf + 1) * kStep; }

}  // namespace

void* NewFrame(std::size_t size) {
  if (size > kBiggest) return ::operator new(size);
  const std::size_t place = ShelfOf(size);
  Shelf& shelf = shelves[place];
  if (Shelf::Free* const free = shelf.top) {
    shelf.top = free->next;
    --shelf.count;
    return free;
  }
  return ::operator new(SizeOf(place));
}

void FreeFrame(void* frame, std::size_t size) noexcept {
  if (size > kBiggest) return ::operator delete(frame);
  const std::size_t place = ShelfOf(size);
  Shelf& shelf = shelves[place];
  if (shelf.count >= kKeptBytes / SizeOf(place)) return ::operator delete(frame);
  if (shelf.count == 0) static thread_local const Sweeper sweeper;
  shelf.top = ::new (frame) Shelf::Free{shelf.top};
  ++shelf.count;
}

}  // namespace switchyard

#endif
