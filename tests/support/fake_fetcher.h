// A fetcher that answers from a script and notes what it was asked. One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "fetch/fetch.h"

namespace switchyard::tests {

class FakeFetcher final : public fetch::Fetcher {
 public:
  using Answer = std::function<Result<fetch::Response>(const fetch::Request&)>;

  explicit FakeFetcher(Answer answer = nullptr) : answer_(std::move(answer)) {}

  Task<Result<fetch::Response>> Fetch(fetch::Request request, Deadline deadline) override {
    asked.push_back(request);
    deadlines.push_back(deadline);
    if (wait) co_await wait();
    if (answer_ == nullptr) {
      co_return Failure(Code::kUnavailable, Origin::kServer, "connect: refused");
    }
    co_return answer_(request);
  }

  void Answers(Answer answer) { answer_ = std::move(answer); }
  // With 200 and this body, whatever is asked.
  void Answers(std::string body) {
    answer_ = [body = std::move(body)](const fetch::Request&) -> Result<fetch::Response> {
      return fetch::Response{.status = 200, .body = body};
    };
  }

  std::vector<fetch::Request> asked;
  std::vector<Deadline> deadlines;
  std::function<Task<void>()> wait;  // before it answers; null = at once

 private:
  Answer answer_;
};

}  // namespace switchyard::tests
