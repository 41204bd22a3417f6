// A planner behind a URL that takes chat completions as OpenAI's API has them
// (platform.openai.com/docs/api-reference/chat), which most servers of models understand.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/secret.h"
#include "fetch/fetch.h"
#include "orchestration/planning/planner.h"

namespace switchyard::orchestration {

class ChatPlanner final : public Planner {
 public:
  struct Options {
    config::Secret url = {};  // of the completions themselves: https://.../v1/chat/completions
    std::string model = {};
    config::Secret key = {};  // shown as a bearer token; empty = none
  };
  // All of it outlives the tasks.
  ChatPlanner(Options options, fetch::Fetcher& fetcher, const Clock& clock,
              telemetry::Metrics& metrics);

  std::string_view name() const override { return "url"; }
  bool MayAsk(const Call& /*call*/) const override { return true; }
  bool Waits() const override { return true; }
  switchyard::Task<Result<Heard>> Ask(Brief brief, int round, const Call& call,
                                      Deadline deadline) const override;

 private:
  const Options options_;
  fetch::Fetcher& fetcher_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
};

// The body of a request, and what the model says in the body of its answer. An answer that was cut
// off, or that the model refused to give, is an empty one. Pure.
std::string ChatRequestOf(const std::string& model, const Brief& brief);
Result<std::string> ChatAnswerIn(const std::string& body);

}  // namespace switchyard::orchestration
