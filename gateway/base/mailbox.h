// A queue with one waiting reader: how an event loop callback hands something to a coroutine.
// One thread: that of the executor on which Take() is awaited. Take() is cancellable; at most one
// Take() at a time. Put() resumes the reader through its executor, never inside Put(). An empty one
// holds no memory: idle connections and streams have several.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/container/small_vector.hpp>

#include "base/task.h"

namespace switchyard {

template <class T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  // A reader that still waits is cancelled.
  ~Mailbox() {
    if (waiter_) Resume(net::error::operation_aborted, How::kPosted);
  }

  void Put(T value) {
    queue_.push_back(std::move(value));
    if (waiter_) Resume({}, How::kPosted);
  }

  // The same, but the reader runs before this returns: one turn of the loop less. Only as the last
  // act of a completion handler, since the reader may destroy whatever the caller stands on.
  void PutAndRun(T value) {
    queue_.push_back(std::move(value));
    if (waiter_) Resume({}, How::kAtOnce);
  }

  bool empty() const { return taken_ == queue_.size(); }
  std::size_t size() const { return queue_.size() - taken_; }

  Task<T> Take() {
    if (empty()) co_await Wait();
    T value = std::move(queue_[taken_++]);
    if (empty()) {
      queue_.clear();
      taken_ = 0;
    } else if (taken_ >= kCompactAt && taken_ * 2 >= queue_.size()) {
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    co_return value;
  }

 private:
  enum class How : bool { kPosted, kAtOnce };
  using Waiter = std::move_only_function<void(boost::system::error_code, How)>;
  static constexpr std::size_t kCompactAt = 64;

  void Resume(boost::system::error_code error, How how) {
    Waiter waiter = std::exchange(waiter_, nullptr);
    waiter(error, how);
  }

  Task<void> Wait() {
    UseTask token;
    return net::async_initiate<UseTask, void(boost::system::error_code)>(
        [this](auto handler) {
          auto slot = net::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) {
            slot.assign([this](net::cancellation_type) {
              if (waiter_) Resume(net::error::operation_aborted, How::kPosted);
            });
          }
          auto executor = net::get_associated_executor(handler);
          waiter_ = [handler = std::move(handler), executor](boost::system::error_code error,
                                                             How how) mutable {
            net::get_associated_cancellation_slot(handler).clear();
            if (how == How::kAtOnce) {
              std::move(handler)(error);
              return;
            }
            net::post(executor, [handler = std::move(handler), error]() mutable {
              std::move(handler)(error);
            });
          };
        },
        token);
  }

  boost::container::small_vector<T, 1> queue_;
  std::size_t taken_ = 0;  // of queue_'s front
  Waiter waiter_;
};

}  // namespace switchyard
