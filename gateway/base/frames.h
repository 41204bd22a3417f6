// Memory of coroutine frames. A call is some twenty frames of a few sizes, most of them above the
// 1020 bytes up to which Asio keeps any, so each would go to the allocator and back. Here a thread
// keeps those it freed, by size, and hands them out again: two dozen instructions instead of some
// two hundred for the two. Bounded by bytes a size; what is too much or too big goes to the
// allocator. A frame may be freed on another thread than it was made on.
//
// Sanitizers see each frame made and freed as it is.
#pragma once

#include <cstddef>

#include <boost/asio/detail/thread_info_base.hpp>

namespace switchyard {

// Never null; throws std::bad_alloc. Aligned as operator new aligns.
void* NewFrame(std::size_t size);
// `size` as it was asked for.
void FreeFrame(void* frame, std::size_t size) noexcept;

}  // namespace switchyard

// How Asio's coroutines get there: included wherever there are any, by base/task.h.
namespace boost::asio::detail {

template <>
inline void* thread_info_base::allocate(awaitable_frame_tag, thread_info_base*, std::size_t size,
                                        std::size_t) {
  return switchyard::NewFrame(size);
}

template <>
inline void thread_info_base::deallocate(awaitable_frame_tag, thread_info_base*, void* frame,
                                         std::size_t size) {
  switchyard::FreeFrame(frame, size);
}

}  // namespace boost::asio::detail
