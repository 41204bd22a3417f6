// audit: {record: true, lists: false, arguments: true, redact: [pin, /card/number]}
//
// Leaves a record of each call in the audit log (`audit.path` at the top of the configuration; off
// without it): who called what, with a digest of the arguments, what was decided by which rule, and
// what came of it, also when it was refused further in, answered from the cache, or dropped by the
// client. A call of which no record can be kept does not begin, unless audit.on_failure says so.
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/event.h"
#include "config/config.h"
#include "config/endpoint_path.h"
#include "config/section.h"
#include "policies/audit/arguments.h"
#include "policies/lib/arguments.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"
#include "telemetry/call_series.h"
#include "telemetry/trace.h"

namespace switchyard::policies::audit {
namespace {

using switchyard::audit::Event;
using switchyard::audit::Sink;
namespace tel = switchyard::telemetry;

struct Config {
  bool record = true;
  bool lists = false;
  bool arguments = false;
  std::size_t max_arguments = 4096;
  std::vector<std::string> redact = {};
  Redaction redaction = Redaction();  // of `redact`
};

bool Records(const Config& config, const Call& call) {
  if (!config.record || call.forsaken || call.message.kind() != mcp::Kind::kRequest) return false;
  const mcp::MethodInfo& method = call.method();
  return method.IsForServer() || (method.route == mcp::Route::kList && config.lists);
}

std::string TraceOf(const Call& call) {
  std::string_view raw = call.message.Get(mcp::MetaKey::kTraceParent);
  if (raw.size() >= 2) raw = raw.substr(1, raw.size() - 2);
  const std::optional<tel::TraceContext> parent = tel::TraceContext::Parse(raw);
  const std::array<char, 32> id = (parent ? *parent : tel::TraceContext::NewRoot()).trace_id();
  return {id.data(), id.size()};
}

// A query may be a key to what it names.
std::string WithoutQuery(std::string uri) {
  const std::size_t query = uri.find('?');
  if (query != std::string::npos) uri.replace(query + 1, std::string::npos, "***");
  return uri;
}

void NameItem(const Call& call, Event& event) {
  const mcp::Message& message = call.message;
  const auto name = [&call](mcp::Key key) {
    return call.target.name.empty() ? call.message.GetString(key) : call.target.name;
  };
  switch (call.method().route) {
    case mcp::Route::kTool:
      event.item_key = "tool";
      event.item = name(mcp::Key::kName);
      break;
    case mcp::Route::kPrompt:
      event.item_key = "prompt";
      event.item = name(mcp::Key::kName);
      break;
    case mcp::Route::kResource:
      event.item_key = "resource";
      event.item = WithoutQuery(name(mcp::Key::kUri));
      break;
    case mcp::Route::kReference: {
      const Definition* item = call.target.definition;
      const bool prompt = item != nullptr && item->kind == ItemKind::kPrompt;
      event.item_key = prompt ? "prompt" : "resource";
      event.item = WithoutQuery(call.target.name);
      break;
    }
    case mcp::Route::kTask:
      event.item_key = "task";  // its id is a key to it
      event.item = switchyard::audit::SessionName(message.GetString(mcp::Key::kTaskId));
      break;
    default: break;
  }
}

// Which of the built-in service's agents the call names: the one that acts, where it names several;
// by all names that the service takes for it at the top of the arguments. Whom the tasks of a batch
// and the parts of a split one name is in these alone (docs/policies/audit.md).
constexpr std::array<std::string_view, 8> kActing = {"coordinator_agent_id",
                                                     "coordinator_model_id",
                                                     "requesting_agent_id",
                                                     "evaluating_agent_id",
                                                     "sender_id",
                                                     "agent_id",
                                                     "creator",
                                                     "id"};

std::string ActingAs(const json_schema::JsonDoc::Read& read) {
  if (!read) return "";
  for (const std::string_view key : kActing) {
    const std::uint32_t value = read->Find(0, key);
    // As the service does, which takes null for not there, and the other name then.
    if (value == 0 || (*read)[value].kind != json_schema::JsonDoc::Kind::kString) continue;
    std::string scratch;
    return std::string(read->Text(value, scratch));
  }
  return "";
}

void TellArguments(const Config& config, const Call& call, Event& event) {
  const mcp::Route route = call.method().route;
  if (route != mcp::Route::kTool && route != mcp::Route::kPrompt) return;
  const std::string_view raw = call.message.Get(mcp::Key::kArguments);
  const json_schema::JsonDoc::Read& read = ReadArguments(raw);
  event.digest = DigestOf(raw, read);
  if (call.target.server == config::Orchestration::kServer) event.acting_as = ActingAs(read);
  if (!config.arguments) return;
  std::optional<std::string> text = CanonicalText(read, &config.redaction);
  if (text && text->size() <= config.max_arguments) {
    event.arguments = std::move(*text);
  } else {
    event.arguments_left_out = text ? text->size() : raw.size();
  }
}

// Before anything changes the call.
std::unique_ptr<Event> Begun(const Config& config, const Call& call) {
  const Principal& caller = *call.caller;
  auto made = std::make_unique<Event>();
  Event& event = *made;
  event.issuer = caller.issuer;
  event.subject = caller.subject;
  event.client = caller.client;
  if (call.client != nullptr) {
    event.session = switchyard::audit::SessionName(call.client->session);
    event.agent = call.client->name;
  }
  event.endpoint = config::PathOfEndpoint(call.endpoint);
  event.server = call.target.server;
  event.method = call.method().name;
  NameItem(call, event);
  TellArguments(config, call, event);
  return made;
}

// Its record, which is written when it ends. Whoever destroys it before has cancelled the call.
class Pending {
 public:
  Pending(Sink& sink, const Clock& clock, const Call& call, std::unique_ptr<Event> event)
      : sink_(&sink), clock_(&clock), call_(&call), begin_(clock.Now()), event_(std::move(event)) {}
  Pending(Pending&& other) noexcept
      : sink_(other.sink_),
        clock_(other.clock_),
        call_(std::exchange(other.call_, nullptr)),
        begin_(other.begin_),
        event_(std::move(other.event_)) {}
  Pending& operator=(Pending&&) = delete;
  ~Pending() { End("cancelled"); }

  void Saw(const mcp::Message& message) {
    if (!message.is_response() || call_ == nullptr) return;
    if (message.kind() == mcp::Kind::kError) {
      event_->code = tel::ErrorCode::OfRpc(message.error_code()).word();
      return End("error");
    }
    if (message.Get(mcp::Key::kResultType) == R"("input_required")") return End("input_required");
    End(message.Get(mcp::Key::kIsError) == "true" ? "tool_error" : "ok");
  }

  void Failed(const Error& error) {
    constexpr std::size_t kLongest = 256;
    if (call_ == nullptr) return;
    event_->code = tel::ErrorCode::Of(error.code).word();
    const CallNotes* const notes = call_->notes.get();
    const bool hidden =
        error.code == Code::kNotFound && notes != nullptr && notes->decision == "hidden";
    // What is said of wrong arguments may quote them.
    if (error.origin == Origin::kGateway && error.code != Code::kInvalid) {
      event_->reason = error.message.substr(0, kLongest);
    }
    if (error.code == Code::kCancelled) return End("cancelled");
    if (hidden || error.code == Code::kForbidden || error.code == Code::kUnauthenticated) {
      return End("denied");
    }
    const bool refused = error.origin != Origin::kServer &&
                         (error.code == Code::kRateLimited || error.code == Code::kInvalid);
    End(refused ? "refused" : "error");
  }

 private:
  void End(std::string_view outcome) {
    if (call_ == nullptr) return;
    const Call& call = *std::exchange(call_, nullptr);
    event_->time = clock_->WallNow();
    // Where it went in the end: another member of a group, or past what its caller may not know of.
    if (!call.target.server.empty()) event_->server = call.target.server;
    event_->duration = clock_->Now() - begin_;
    event_->outcome = outcome;
    event_->answered_by = call.stand_in;
    event_->attempts = call.attempts;
    if (const CallNotes* notes = call.notes.get()) {
      event_->decided_by = notes->decided_by;
      event_->decision = notes->decision;
      event_->rule = notes->rule;
      event_->approval = notes->approval;
      event_->approver = notes->approver;
      event_->trace = notes->trace;
      event_->calls = notes->cost.calls;
      event_->bytes = notes->cost.bytes;
      event_->tokens = notes->cost.tokens;
      event_->money = notes->cost.money;
      event_->milliseconds = notes->cost.milliseconds;
      if (event_->answered_by.empty()) event_->answered_by = notes->answered_by;
    }
    sink_->Put(std::move(event_));
  }

  Sink* sink_;
  const Clock* clock_;
  const Call* call_;  // null once it ended
  TimePoint begin_;
  std::unique_ptr<Event> event_;
};

class RecordedReply final : public Reply {
 public:
  RecordedReply(ReplyPtr inner, Pending pending)
      : pending_(std::move(pending)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      pending_.Failed(next.error());
    } else if (*next) {
      pending_.Saw(**next);
    }
    co_return next;
  }

 private:
  Pending pending_;  // outlives inner_: what a cancelled call cost is settled first
  ReplyPtr inner_;
};

class Audit final : public Policy {
 public:
  explicit Audit(const PolicyDeps& deps) : settings_(deps), clock_(deps.clock), sink_(deps.audit) {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Config& config = settings_(call);
    if (sink_ == nullptr || !sink_->on() || !Records(config, call)) return next.Handle(call);
    switch (sink_->Admit()) {
      case Sink::Admission::kOff: break;
      case Sink::Admission::kRefused: return Refuse();
      case Sink::Admission::kGranted: return Recorded(call, next, config);
    }
    return next.Handle(call);
  }

  // A log that is opened or closed makes all sets anew.
  bool IsOff(const PolicySet& set) const override {
    return sink_ == nullptr || !sink_->on() || !settings_(set).record;
  }

 private:
  static Task<Result<ReplyPtr>> Refuse() {
    co_return Failure(
        Error{.code = Code::kUnavailable,
              .retryable = true,
              .message = "the audit log cannot be written at present, and no call runs without a "
                         "record: try again later, or ask whoever runs this gateway",
              .for_agent = true});
  }

  // `config` lives as long as the call's target.
  Task<Result<ReplyPtr>> Recorded(Call& call, Service& next, const Config& config) const {
    if (call.notes == nullptr) call.notes = std::make_shared<CallNotes>();
    if (call.notes->trace.empty()) call.notes->trace = TraceOf(call);
    Pending pending(*sink_, clock_, call, Begun(config, call));
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      pending.Failed(reply.error());
      co_return reply;
    }
    if (const mcp::Message* whole = (*reply)->Whole()) {
      pending.Saw(*whole);
      co_return reply;
    }
    ReplyPtr recorded = std::make_unique<RecordedReply>(std::move(*reply), std::move(pending));
    co_return recorded;
  }

  const SettingsOf<Config> settings_;
  const Clock& clock_;
  Sink* const sink_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  constexpr std::size_t kMostArguments = std::size_t{64} << 10;
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.IsOnUnsaid();
  section.Take("record", config->record);
  if (!config->record) section.IsOff("record: false");
  section.Take("lists", config->lists);
  section.Take("arguments", config->arguments);
  section.TakeBytes("max_arguments", config->max_arguments, 64, kMostArguments);
  // Nearer levels hide more, never less.
  if (const auto more = section.Strings("redact")) {
    config->redact.insert(config->redact.end(), more->begin(), more->end());
  }
  section.Shows("redact", fmt::format("[{}]", fmt::join(config->redact, ", ")));
  config->redaction = Redaction(config->redact);
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) { return std::make_shared<Audit>(deps); }

}  // namespace switchyard::policies::audit
