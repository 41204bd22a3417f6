// A store that answers later, or not at all, for tests of policies.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/task.h"
#include "core/store.h"

namespace switchyard::policies::testing {

// Another store behind the memory's: each answer is a task that has to be awaited, or an error.
class RemoteStore final : public Store {
 public:
  explicit RemoteStore(Store& inner) : inner_(inner) {}
  bool down = false;

  Eventual<Drawn> Draw(std::span<const Bucket> buckets, TimePoint now) override {
    return Sent(std::move(*inner_.Draw(buckets, now)));
  }
  Eventual<Charged> Add(std::span<const Charge> charges, TimePoint now) override {
    return Sent(std::move(*inner_.Add(charges, now)));
  }
  Eventual<std::optional<Item>> Get(Key key, TimePoint now) override {
    return Sent(std::move(*inner_.Get(key, now)));
  }
  Eventual<Swapped> Swap(Key key, std::uint64_t version, std::string value, Duration keep,
                         TimePoint now) override {
    return Sent(std::move(*inner_.Swap(key, version, std::move(value), keep, now)));
  }
  Eventual<std::uint64_t> Put(Key key, std::string value, Duration keep, TimePoint now) override {
    return Sent(std::move(*inner_.Put(key, std::move(value), keep, now)));
  }
  Eventual<bool> Erase(Key key, TimePoint now) override {
    return Sent(std::move(*inner_.Erase(key, now)));
  }

 private:
  template <class T>
  Task<Result<T>> Sent(Result<T> answer) const {
    co_await net::post(co_await net::this_coro::executor, use_task);
    if (down) co_return Failure(Code::kUnavailable, Origin::kGateway, "store: no connection");
    co_return answer;
  }

  Store& inner_;
};

}  // namespace switchyard::policies::testing
