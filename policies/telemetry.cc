// telemetry: {log: true}
//
// Measures each call from its arrival to its last message, counts how it ended, and writes its line
// of the call log: also when it failed, was refused further in, or was dropped by the client.
#include <algorithm>

#include "config/endpoint_path.h"
#include "config/section.h"
#include "core/for_agent.h"
#include "mcp/error_map.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"
#include "telemetry/call_log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace switchyard::policies::telemetry {
namespace {

namespace tel = switchyard::telemetry;

struct Config {
  bool log = true;
};

// What all calls share; outlives them.
struct Shared {
  const SettingsOf<Config> settings;
  const Clock& clock;
  tel::Metrics& metrics;
  tel::CallLog* log;
};

std::array<char, 32> TraceIdOf(const Call& call) {
  if (call.notes != nullptr && call.notes->trace.size() == 32) {  // its record says the same
    std::array<char, 32> noted;
    std::ranges::copy(call.notes->trace, noted.begin());
    return noted;
  }
  std::string_view raw = call.message.Get(mcp::MetaKey::kTraceParent);
  if (raw.size() >= 2) raw = raw.substr(1, raw.size() - 2);
  const std::optional<tel::TraceContext> parent = tel::TraceContext::Parse(raw);
  return (parent ? *parent : tel::TraceContext::NewRoot()).trace_id();
}

// Of the message that the edge makes of it. Not on the way of a call that is answered.
std::size_t SizeOf(const Error& error, const Call& call) {
  const std::string_view id = call.message.id();
  return (IsForAgent(call, error) ? mcp::ToolErrorMessage(id, error) : mcp::ErrorMessage(id, error))
      .size();
}

// One call under measurement. Whoever destroys it before its end has cancelled the call.
class Observation {
 public:
  Observation(const Shared& shared, const Call& call)
      : shared_(&shared),
        call_(&call),
        series_(&shared.metrics.Calls(LabelsOf(config::PathOfEndpoint(call.endpoint), call))),
        begin_(shared.clock.Now()) {
    series_->CountBegin();
  }
  Observation(Observation&& other) noexcept
      : shared_(other.shared_),
        call_(std::exchange(other.call_, nullptr)),
        series_(other.series_),
        begin_(other.begin_),
        bytes_out_(other.bytes_out_) {}
  Observation& operator=(Observation&&) = delete;
  ~Observation() { End({.outcome = tel::Outcome::kCancelled}); }

  void Saw(const mcp::Message& message) {
    bytes_out_ += message.size();
    if (!message.is_response()) return;
    if (message.kind() == mcp::Kind::kError) {
      return End({.outcome = tel::Outcome::kError,
                  .error = tel::ErrorCode::OfRpc(message.error_code()),
                  .message = message.error()});
    }
    const bool failed = message.Get(mcp::Key::kIsError) == "true";
    End({.outcome = failed ? tel::Outcome::kToolError : tel::Outcome::kOk});
  }
  void Failed(const Error& error) {
    const bool cancelled = error.code == Code::kCancelled;
    if (!cancelled && call_ != nullptr) bytes_out_ += SizeOf(error, *call_);
    End({.outcome = cancelled ? tel::Outcome::kCancelled : tel::Outcome::kError,
         .error = tel::ErrorCode::Of(error.code),
         .message = error.message,
         .detail = error.detail});
  }
  void Ended() { End({.outcome = tel::Outcome::kOk}); }  // a notification has no response

 private:
  struct Verdict {
    tel::Outcome outcome;
    tel::ErrorCode error = tel::ErrorCode::Of(Code::kInternal);
    std::string_view message = {}, detail = {};
  };

  static tel::Metrics::CallLabels LabelsOf(std::string_view endpoint, const Call& call) {
    const mcp::MethodInfo& method = call.method();
    std::string_view tool;
    if (method.route == mcp::Route::kTool) {
      // Never a name that only the client knows: labels must be a closed set.
      tool = "unknown";
      if (call.target.definition != nullptr) tool = call.target.definition->name;
    }
    return {.endpoint = endpoint,
            .server = call.target.server,
            .tool = tool,
            .method = method.name.empty() ? "unknown" : method.name};
  }

  void End(const Verdict& verdict) {
    if (call_ == nullptr) return;
    const Call& call = *std::exchange(call_, nullptr);
    const Duration duration = shared_->clock.Now() - begin_;
    series_->CountEnd({.outcome = verdict.outcome,
                       .error = verdict.error,
                       .duration = duration,
                       .bytes_in = call.message.size(),
                       .bytes_out = bytes_out_});
    if (shared_->log != nullptr && shared_->log->on() && shared_->settings(call).log) {
      Log(call, verdict, duration);
    }
  }

  void Log(const Call& call, const Verdict& verdict, Duration duration) const {
    const mcp::MethodInfo& method = call.method();
    const std::array<char, 32> trace = TraceIdOf(call);
    const std::string endpoint = config::PathOfEndpoint(call.endpoint);
    std::string asked;  // what is not in the catalog is logged as the client named it
    const bool named = method.key == mcp::TargetKey::kName;
    if (named && call.target.name.empty()) asked = call.message.GetString(mcp::Key::kName);
    tel::CallLine line{
        .time = shared_->clock.WallNow(),
        .endpoint = endpoint,
        .subject = call.caller->subject,
        .client = call.client != nullptr ? std::string_view(call.client->name) : "",
        .era = call.client == nullptr || mcp::IsModern(call.client->version) ? "modern" : "legacy",
        .server = call.target.server,
        .tool = named ? std::string_view(asked.empty() ? call.target.name : asked) : "",
        .method = method.name.empty() ? call.message.method_name() : method.name,
        .stand_in = call.stand_in,
        .trace = {trace.data(), trace.size()},
        .outcome = verdict.outcome,
        .code = {},
        .message = verdict.message,
        .detail = verdict.detail,
        .duration = duration,
        .bytes_in = call.message.size(),
        .bytes_out = bytes_out_,
        .attempts = call.attempts};
    if (verdict.outcome == tel::Outcome::kError) line.code = verdict.error.word();
    shared_->log->Write(line);
  }

  const Shared* shared_;
  const Call* call_;  // null once it ended
  tel::CallSeries* series_;
  TimePoint begin_;
  std::size_t bytes_out_ = 0;
};

class WatchedReply final : public Reply {
 public:
  WatchedReply(ReplyPtr inner, Observation observation)
      : observation_(std::move(observation)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      observation_.Failed(next.error());
    } else if (!*next) {
      observation_.Ended();
    } else {
      observation_.Saw(**next);
    }
    co_return next;
  }

 private:
  Observation observation_;  // outlives inner_: what is cancelled ends before it is counted
  ReplyPtr inner_;
};

class Telemetry final : public Policy {
 public:
  explicit Telemetry(const PolicyDeps& deps)
      : shared_{.settings = SettingsOf<Config>(deps),
                .clock = deps.clock,
                .metrics = deps.metrics,
                .log = deps.call_log} {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    Observation observation(shared_, call);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      observation.Failed(reply.error());
      co_return reply;
    }
    if (const mcp::Message* whole = (*reply)->Whole()) {
      observation.Saw(*whole);
      co_return reply;
    }
    ReplyPtr watched = std::make_unique<WatchedReply>(std::move(*reply), std::move(observation));
    co_return watched;
  }

 private:
  const Shared shared_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.IsOnUnsaid();
  section.Take("log", config->log);
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Telemetry>(deps);
}

}  // namespace switchyard::policies::telemetry
