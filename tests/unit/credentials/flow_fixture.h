// What the tests of ConnectFlow and LoginFlow share: links, a browser, and a thread for their
// tasks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/task.h"
#include "credentials/links.h"
#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {

class FlowFixture : public ::testing::Test {
 protected:
  void Run() {
    context_.restart();
    context_.run();
  }
  template <class T>
  static Task<void> Into(Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
  }
  template <class T>
  T Of(Task<T> task) {
    std::optional<T> out;
    Spawn(context_.get_executor(), "test", Into(std::move(task), out));
    Run();
    return std::move(*out);
  }
  std::string TokenFor(const Whose& whose, const std::vector<std::string>& scopes = {}) {
    const std::string url = links_.UrlFor("s", whose, scopes);
    return url.substr(url.rfind('/') + 1);
  }

  static inline const std::string kBrowser = std::string(32, 'b');
  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  Links links_{clock_};
  std::vector<oauth::Fields> forms_;  // that came to the token endpoint
  std::function<void()> meanwhile_;   // while it answers
};

}  // namespace switchyard::credentials
