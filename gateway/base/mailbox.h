// A queue with one waiting reader: how an event loop callback hands something to a coroutine.
// One thread: that of the executor on which Take() is awaited. Take() is cancellable; at most one
// Take() at a time. Put() resumes the reader through its executor, never inside Put().
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/task.h"

namespace switchyard {

template <class T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;

  void Put(T value) {
    queue_.push_back(std::move(value));
    if (waiter_) Resume({});
  }

  bool empty() const { return queue_.empty(); }
  std::size_t size() const { return queue_.size(); }

  Task<T> Take() {
    if (queue_.empty()) co_await Wait();
    T value = std::move(queue_.front());
    queue_.pop_front();
    co_return value;
  }

 private:
  using Waiter = std::move_only_function<void(boost::system::error_code)>;

  void Resume(boost::system::error_code error) {
    Waiter waiter = std::exchange(waiter_, nullptr);
    waiter(error);
  }

  Task<void> Wait() {
    UseTask token;
    return net::async_initiate<UseTask, void(boost::system::error_code)>(
        [this](auto handler) {
          auto slot = net::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) {
            slot.assign([this](net::cancellation_type) {
              if (waiter_) Resume(net::error::operation_aborted);
            });
          }
          auto executor = net::get_associated_executor(handler);
          waiter_ = [handler = std::move(handler),
                     executor](boost::system::error_code error) mutable {
            net::get_associated_cancellation_slot(handler).clear();
            net::post(executor, [handler = std::move(handler), error]() mutable {
              std::move(handler)(error);
            });
          };
        },
        token);
  }

  std::deque<T> queue_;
  Waiter waiter_;
};

}  // namespace switchyard
