#include "example_server.h"

#include <algorithm>
#include <array>
#include <poll.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "example_features.h"

namespace switchyard {
namespace {

using namespace example;

constexpr std::array<Text, 4> kLegacy = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr Text kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr Text kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr Text kClientInfoKey = "io.modelcontextprotocol/clientInfo";
constexpr Text kServerInfoKey = "io.modelcontextprotocol/serverInfo";

constexpr Text kInstructions = "Example server of the Switchyard gateway: time, echo, add, count.";
constexpr std::int64_t kTtlMs = 3'600'000;  // all that is listed here is fixed for the process
constexpr std::size_t kMaxRunning = 1000;   // counts at one time

constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601;
constexpr int kUnsupportedVersion = -32022;

// Collects the answers of a batch; the last request to let go of it sends them.
struct Batch {
  explicit Batch(std::string& o) : out(o) {}
  Batch(const Batch&) = delete;
  ~Batch() {
    if (!replies.empty()) out.append(json::serialize(replies)).push_back('\n');
  }

  std::string& out;
  json::array replies;
};
using BatchPtr = std::shared_ptr<Batch>;

struct Request {
  const json::value& id;
  const json::object& params;
  Face face;
  BatchPtr batch;
};

struct Counting {
  json::value id, token;  // token null: nobody asked for progress
  Face face;
  BatchPtr batch;
  std::int64_t step, to;
  Duration interval;
  TimePoint due;
};

bool IsWord(const json::value* v) {  // what ids and progress tokens may be
  return v && (v->is_string() || v->is_int64() || v->is_uint64());
}

const json::object& MetaOf(const json::object& params) {
  static const json::object kNone;
  const json::object* meta = ObjectAt(params, "_meta");
  return meta ? *meta : kNone;
}

json::object ServerInfo(Face face) {
  json::object info{{"name", "switchyard-example"}, {"version", "1.0.0"}};
  if (face.since("2025-06-18")) info["title"] = "Switchyard example";
  return info;
}

json::object Capabilities(Face face) {
  json::object all{
      {"tools", json::object{}}, {"prompts", json::object{}}, {"resources", json::object{}}};
  if (face.since("2025-03-26")) all["completions"] = json::object{};
  return all;
}

Outcome Discover(Face face) {
  json::array versions{kModern};
  for (Text version : kLegacy) versions.emplace_back(version);
  return json::object{{"supportedVersions", std::move(versions)},
                      {"capabilities", Capabilities(face)},
                      {"instructions", kInstructions}};
}

}  // namespace

struct ExampleServer::State {
  explicit State(const Clock& c) : clock(c) {}

  struct Method {
    Text name;
    bool legacy, modern;
    bool cacheable;  // the modern result carries ttlMs and cacheScope
    Outcome (*handle)(State&, const Request&);
  };
  static const Method* FindMethod(Text name);

  Outcome Initialize(const Request& request);
  Outcome CallTool(const Request& request);
  Outcome StartCount(const Request& request, const json::object& arguments);

  std::expected<Face, RpcError> FaceOf(Text method, const json::object& params) const;
  Outcome Dispatch(Text method, const Request& request);
  void ReceiveBatch(const json::array& messages);
  void ReceiveOne(const json::value& message, const BatchPtr& batch);
  void Cancelled(const json::object& params);
  void Send(const BatchPtr& batch, json::object body);
  void Fail(const json::value* id, const BatchPtr& batch, RpcError error);
  void Finish(const json::value& id, const BatchPtr& batch, Face face, json::object result);
  bool Step(Counting& counting);  // true: that was the last one

  const Clock& clock;
  std::string out;
  Text session;                   // the revision initialize agreed on; empty before
  std::vector<Counting> running;  // below `out`: a batch that goes still writes there
};

const ExampleServer::State::Method* ExampleServer::State::FindMethod(Text name) {
  using R = const Request&;
  static constexpr std::array<Method, 11> kMethods = {{
      {"initialize", true, false, false, [](State& s, R r) { return s.Initialize(r); }},
      {"ping", true, false, false, [](State&, R) -> Outcome { return json::object{}; }},
      {"server/discover", false, true, true, [](State&, R r) { return Discover(r.face); }},
      {"tools/list", true, true, true, [](State&, R r) { return ListTools(r.params, r.face); }},
      {"tools/call", true, true, false, [](State& s, R r) { return s.CallTool(r); }},
      {"prompts/list", true, true, true, [](State&, R r) { return ListPrompts(r.params, r.face); }},
      {"prompts/get", true, true, false, [](State&, R r) { return GetPrompt(r.params); }},
      {"resources/list", true, true, true,
       [](State&, R r) { return ListResources(r.params, r.face); }},
      {"resources/templates/list", true, true, true,
       [](State&, R r) { return ListTemplates(r.params, r.face); }},
      {"resources/read", true, true, true,
       [](State&, R r) { return ReadResource(r.params, r.face); }},
      {"completion/complete", true, true, false, [](State&, R r) { return Complete(r.params); }},
  }};
  const auto* found = std::ranges::find(kMethods, name, &Method::name);
  return found == kMethods.end() ? nullptr : found;
}

Outcome ExampleServer::State::Initialize(const Request& request) {
  const json::string* asked = StringAt(request.params, "protocolVersion");
  if (!asked) return Refuse(kInvalidParams, "protocolVersion must be a string");
  if (request.batch) return Refuse(kInvalidRequest, "initialize must not be part of a batch");
  const auto* known = std::ranges::find(kLegacy, Text(*asked));
  session = known == kLegacy.end() ? kLegacy.front() : *known;
  Face face{session};
  return json::object{{"protocolVersion", session},
                      {"capabilities", Capabilities(face)},
                      {"serverInfo", ServerInfo(face)},
                      {"instructions", kInstructions}};
}

Outcome ExampleServer::State::CallTool(const Request& request) {
  const json::string* name = StringAt(request.params, "name");
  if (!name) return Refuse(kInvalidParams, "name must be a string");
  const json::object* arguments = ObjectAt(request.params, "arguments");
  if (!arguments) return Refuse(kInvalidParams, "arguments must be an object");
  if (*name == "add") return Add(*arguments, request.face);
  if (*name == "count") return StartCount(request, *arguments);
  if (*name == "echo") return Echo(*arguments);
  if (*name == "time") return TimeNow(*arguments, clock, request.face);
  return Refuse(kInvalidParams, "unknown tool");
}

Outcome ExampleServer::State::StartCount(const Request& request, const json::object& arguments) {
  std::expected<CountPlan, Text> plan = PlanCount(arguments);
  if (!plan) return ToolError(plan.error());
  if (running.size() >= kMaxRunning) return ToolError("too many counts are running");
  if (std::ranges::find(running, request.id, &Counting::id) != running.end()) {
    return Refuse(kInvalidRequest, "this id is in use by a running request");
  }
  const json::value* token = MetaOf(request.params).if_contains("progressToken");
  running.push_back({.id = request.id,
                     .token = IsWord(token) ? *token : json::value(),
                     .face = request.face,
                     .batch = request.batch,
                     .step = 0,
                     .to = plan->to,
                     .interval = plan->interval,
                     .due = clock.Now() + plan->interval});
  return std::nullopt;
}

bool ExampleServer::State::Step(Counting& counting) {
  counting.step++;
  counting.due += counting.interval;
  if (!counting.token.is_null()) {
    json::object params{
        {"progressToken", counting.token}, {"progress", counting.step}, {"total", counting.to}};
    if (counting.face.since("2025-03-26")) {
      params["message"] = "counted to " + std::to_string(counting.step);
    }
    // not through the batch: a notification is worth nothing when it comes with the answer
    Send(nullptr, {{"method", "notifications/progress"}, {"params", std::move(params)}});
  }
  if (counting.step < counting.to) return false;
  Finish(counting.id, counting.batch, counting.face,
         TextContent("counted to " + std::to_string(counting.to)));
  return true;
}

// The era of a message: the modern one says so in `_meta`, every other belongs to the session.
std::expected<Face, RpcError> ExampleServer::State::FaceOf(Text method,
                                                           const json::object& params) const {
  const json::object* meta = ObjectAt(params, "_meta");
  if (!meta) return Refuse(kInvalidParams, "_meta must be an object");
  bool modern = meta->contains(kVersionKey) || meta->contains(kCapabilitiesKey) ||
                meta->contains(kClientInfoKey);
  if (!modern) {
    if (!session.empty()) return Face{session};
    if (method == "initialize" || method == "ping") return Face{kLegacy.front()};
    return Refuse(kInvalidParams, "neither a session nor _meta " + std::string(kVersionKey) +
                                      ": send initialize or a " + std::string(kModern) +
                                      " request");
  }
  const json::string* version = StringAt(*meta, kVersionKey);
  if (!version) {
    return Refuse(kInvalidParams, "_meta " + std::string(kVersionKey) + " must be a string");
  }
  const json::value* capabilities = meta->if_contains(kCapabilitiesKey);
  if (!capabilities || !capabilities->is_object()) {
    return Refuse(kInvalidParams, "_meta " + std::string(kCapabilitiesKey) + " must be an object");
  }
  if (*version != kModern) {
    return Refuse(kUnsupportedVersion, "unsupported protocol version",
                  {{"supported", json::array{kModern}}, {"requested", *version}});
  }
  return Face{kModern};
}

Outcome ExampleServer::State::Dispatch(Text name, const Request& request) {
  const Method* method = FindMethod(name);
  if (!method || !(request.face.modern() ? method->modern : method->legacy)) {
    return Refuse(kMethodNotFound, "method not found: " + std::string(name));
  }
  Outcome outcome = method->handle(*this, request);
  if (outcome && *outcome && method->cacheable && request.face.modern()) {
    (**outcome)["ttlMs"] = kTtlMs;
    (**outcome)["cacheScope"] = "public";
  }
  return outcome;
}

void ExampleServer::State::ReceiveBatch(const json::array& messages) {
  if (session != "2025-03-26" || messages.empty()) {
    return Fail(nullptr, nullptr, {kInvalidRequest, "a batch needs a 2025-03-26 session"});
  }
  BatchPtr batch = std::make_shared<Batch>(out);
  for (const json::value& message : messages) ReceiveOne(message, batch);
}

void ExampleServer::State::ReceiveOne(const json::value& value, const BatchPtr& batch) {
  const json::object* message = value.if_object();
  if (!message) return Fail(nullptr, batch, {kInvalidRequest, "a message must be an object"});
  const json::value *id = message->if_contains("id"), *method = message->if_contains("method");
  const json::value* known = IsWord(id) ? id : nullptr;
  const json::string* version = StringAt(*message, "jsonrpc");
  if (!version || *version != "2.0") {
    return Fail(known, batch, {kInvalidRequest, "jsonrpc must be 2.0"});
  }
  // an answer: this server asks nothing, so there is nobody waiting for one
  if (!method && (message->contains("result") || message->contains("error"))) return;
  if (!method || !method->is_string()) {
    return Fail(known, batch, {kInvalidRequest, "method must be a string"});
  }
  if (id && !known) {
    return Fail(nullptr, batch, {kInvalidRequest, "id must be a string or an integer"});
  }
  Text name = method->get_string();
  const json::object* params = ObjectAt(*message, "params");
  if (!id) {
    if (params && name == "notifications/cancelled") Cancelled(*params);
    return;
  }
  if (!params) return Fail(id, batch, {kInvalidParams, "params must be an object"});
  std::expected<Face, RpcError> face = FaceOf(name, *params);
  if (!face) return Fail(id, batch, std::move(face.error()));
  Outcome outcome = Dispatch(name, {*id, *params, *face, batch});
  if (!outcome) return Fail(id, batch, std::move(outcome.error()));
  if (*outcome) Finish(*id, batch, *face, std::move(**outcome));
}

void ExampleServer::State::Cancelled(const json::object& params) {
  const json::value* id = params.if_contains("requestId");
  if (id) std::erase_if(running, [id](const Counting& c) { return c.id == *id; });
}

void ExampleServer::State::Send(const BatchPtr& batch, json::object body) {
  json::object message{{"jsonrpc", "2.0"}};
  message.insert(body.begin(), body.end());
  if (batch) {
    batch->replies.emplace_back(std::move(message));
  } else {
    out.append(json::serialize(message)).push_back('\n');
  }
}

void ExampleServer::State::Fail(const json::value* id, const BatchPtr& batch, RpcError error) {
  json::object body{{"code", error.code}, {"message", error.message}};
  if (!error.data.empty()) body["data"] = std::move(error.data);
  json::object message;
  if (id) message["id"] = *id;  // an id that could not be read is left out, never null
  message["error"] = std::move(body);
  Send(batch, std::move(message));
}

void ExampleServer::State::Finish(const json::value& id, const BatchPtr& batch, Face face,
                                  json::object result) {
  if (face.modern()) {
    result["resultType"] = "complete";
    result["_meta"] = json::object{{kServerInfoKey, ServerInfo(face)}};
  }
  Send(batch, {{"id", id}, {"result", std::move(result)}});
}

ExampleServer::ExampleServer(const Clock& clock) : state_(std::make_unique<State>(clock)) {}
ExampleServer::~ExampleServer() = default;

void ExampleServer::Receive(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return;
  json::error_code error;
  json::value value = json::parse(line, error);
  if (error) return state_->Fail(nullptr, nullptr, {kParseError, "the line is not JSON"});
  value.is_array() ? state_->ReceiveBatch(value.get_array()) : state_->ReceiveOne(value, nullptr);
}

void ExampleServer::RefuseLongLine() {
  state_->Fail(nullptr, nullptr, {kInvalidRequest, "a line is limited to 4 MiB"});
}

void ExampleServer::Tick() {
  TimePoint now = state_->clock.Now();
  std::erase_if(state_->running, [&](Counting& c) { return c.due <= now && state_->Step(c); });
}

std::optional<Duration> ExampleServer::UntilNextStep() const {
  if (state_->running.empty()) return std::nullopt;
  TimePoint next = std::ranges::min(state_->running, {}, &Counting::due).due;
  return std::max(Duration::zero(), Duration(next - state_->clock.Now()));
}

std::string ExampleServer::TakeOutput() { return std::exchange(state_->out, {}); }

}  // namespace switchyard
