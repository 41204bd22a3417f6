#include "orchestration/planning/chat.h"

#include <utility>

#include <boost/json.hpp>

#include "auth/strict_json.h"
#include "telemetry/histogram.h"
#include "telemetry/metrics.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr int kOk = 200;

std::unexpected<Error> NoAnswer(std::string why) {
  return Failure(Code::kProtocol, Origin::kServer, std::move(why));
}

}  // namespace

// No temperature and no bound on tokens: servers differ in what they call these, and what they
// take. Time and bytes bound the answer.
std::string ChatRequestOf(const std::string& model, const Brief& brief) {
  const json::object schema{
      {"name", "plan"}, {"strict", true}, {"schema", json::parse(PlanSchema())}};
  return json::serialize(json::object{
      {"model", model},
      {"messages", json::array{json::object{{"role", "system"}, {"content", RulesOf(brief)}},
                               json::object{{"role", "user"}, {"content", DataOf(brief)}}}},
      {"response_format", json::object{{"type", "json_schema"}, {"json_schema", schema}}},
      {"stream", false}});
}

Result<std::string> ChatAnswerIn(const std::string& body) {
  const auto object = auth::ReadObject(body);
  if (!object) return NoAnswer("its answer is no JSON object: " + object.error());
  const json::value* const choices = object->if_contains("choices");
  const json::array* const list = choices == nullptr ? nullptr : choices->if_array();
  const json::object* const choice =
      list == nullptr || list->empty() ? nullptr : list->front().if_object();
  const json::value* const message = choice == nullptr ? nullptr : choice->if_contains("message");
  if (message == nullptr || !message->is_object()) {
    return NoAnswer("its answer has no choices with a message");
  }
  const json::string* const end = auth::StringIn(*choice, "finish_reason");
  const json::string* const content = auth::StringIn(message->get_object(), "content");
  const bool whole = end == nullptr || *end == "stop";
  return whole && content != nullptr ? std::string(*content) : std::string();
}

ChatPlanner::ChatPlanner(Options options, fetch::Fetcher& fetcher, const Clock& clock,
                         telemetry::Metrics& metrics)
    : options_(std::move(options)), fetcher_(fetcher), clock_(clock), metrics_(metrics) {}

switchyard::Task<Result<Heard>> ChatPlanner::Ask(Brief brief, int round, const Call& /*call*/,
                                                 Deadline deadline) const {
  const TimePoint begun = clock_.Now();
  fetch::Request request{
      .method = "POST",
      .url = options_.url.Reveal(),
      .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
      .body = ChatRequestOf(options_.model, brief),
      .max_bytes = kMostAnswer,
      .own_time = true};
  if (!options_.key.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + options_.key.Reveal()});
  }
  Result<fetch::Response> response = co_await fetcher_.Fetch(std::move(request), deadline);
  metrics_.HistogramOf("switchyard_orchestration_planner_seconds").Observe(clock_.Now() - begun);
  if (!response) co_return Failure(std::move(response.error()));
  if (response->status != kOk) {
    co_return Failure(Code::kUnavailable, Origin::kServer,
                      "its answer was " + std::to_string(response->status));
  }
  Result<std::string> words = ChatAnswerIn(response->body);
  if (!words) co_return Failure(std::move(words.error()));
  co_return Heard{.words = std::move(*words), .round = round};
}

}  // namespace switchyard::orchestration
