#include "support/surface.h"

#include <utility>

#include "support/standard_tools.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kModernVersion = "2026-07-28";
constexpr std::string_view kVersionKey = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
constexpr std::string_view kCapabilitiesKey =
    "/params/_meta/io.modelcontextprotocol~1clientCapabilities";

bool IsListMethod(std::string_view method) { return method.ends_with("/list"); }

std::string Notification(std::string_view method, std::string_view params) {
  return R"({"jsonrpc":"2.0","method":)" + Quote(method) + R"(,"params":{)" + std::string(params) +
         "}}";
}

}  // namespace

Turn::Turn(Surface& surface, std::string raw, std::string scope)
    : surface_(surface),
      raw_(std::move(raw)),
      scope_(std::move(scope)),
      message_(Parse(raw_)),
      modern_(!At(message_, kVersionKey).is_null()) {}

json::value Turn::param(std::string_view name) const {
  return At(message_, "/params/" + std::string(name));
}

json::value Turn::argument(std::string_view name) const {
  return At(message_, "/params/arguments/" + std::string(name));
}

std::string Turn::label() const { return TextAt(message_, "/params/arguments/label"); }

void Turn::Result(std::string_view members) {
  std::string result(members);
  const auto add = [&result](std::string_view member) {
    if (!result.empty()) result += ',';
    result += member;
  };
  const std::string asked = method();
  if (modern_) {
    add(R"("resultType":"complete")");
    if (IsListMethod(asked) || asked == "server/discover" || asked == "resources/read") {
      add(R"("ttlMs":60000,"cacheScope":"public")");
    }
  }
  Finish(R"({"jsonrpc":"2.0","id":)" + id() + R"(,"result":{)" + result + "}}", 0);
}

void Turn::Text(std::string_view text) {
  Result(R"("content":[{"type":"text","text":)" + Quote(text) + "}]");
}

void Turn::Error(int code, std::string_view message, std::string_view data) {
  std::string error = R"("code":)" + std::to_string(code) + R"(,"message":)" + Quote(message);
  if (!data.empty()) error.append(R"(,"data":)").append(data);
  Finish(R"({"jsonrpc":"2.0","id":)" + id() + R"(,"error":{)" + error + "}}", code);
}

void Turn::Notify(std::string_view method, std::string_view params) {
  Send(Notification(method, params));
}

void Turn::Progress(double progress, double total) {
  const json::value token = At(message_, "/params/_meta/progressToken");
  if (token.is_null()) return;
  Notify("notifications/progress", R"("progressToken":)" + json::serialize(token) +
                                       R"(,"progress":)" + std::to_string(progress) +
                                       R"(,"total":)" + std::to_string(total));
}

int Turn::WaitFor(const Event& event, std::chrono::milliseconds patience) {
  const int which =
      WaitForAny({Set(event), Set(cancelled_), Set(surface_.stopping()), Gone(socket())}, patience);
  if (which == 3) cancelled_.Set();
  return which;
}

bool Turn::Wait(const Event& event) {
  const int which = WaitFor(event, kPatience);
  if (which < 0) surface_.Complain(method() + " waited too long");
  return which == 0;
}

bool Turn::WaitUnhurried(const Event& event) { return WaitFor(event, std::chrono::hours(1)) == 0; }

void Turn::NeverAnswer() {
  const Event never;
  Wait(never);
}

// Says what is wrong with its id and token, too.
void Surface::Register(Turn& turn) {
  const std::string key = turn.scope() + " " + turn.id();
  const json::value token = At(turn.message(), "/params/_meta/progressToken");
  const std::string held = token.is_null() ? "" : turn.scope() + " " + json::serialize(token);
  const std::scoped_lock lock(mutex_);
  in_flight_.emplace(key, &turn);
  if (in_flight_.count(key) > 1) complaints_.push_back("id used twice at a time: " + key);
  if (!turn.modern() && !used_ids_.insert(key).second) {
    complaints_.push_back("id reused within a session: " + key);
  }
  if (!held.empty() && !tokens_.insert(held).second) {
    complaints_.push_back("progress token used twice: " + held);
  }
}

void Surface::Forget(Turn& turn) {
  const json::value token = At(turn.message(), "/params/_meta/progressToken");
  const std::scoped_lock lock(mutex_);
  std::erase_if(in_flight_, [&turn](const auto& entry) { return entry.second == &turn; });
  tokens_.erase(turn.scope() + " " + json::serialize(token));
}

Surface::Surface(std::string name) : name_(std::move(name)) { AddStandardTools(*this); }

void Surface::AddTool(const std::string& tool, Handler handler, std::string members) {
  if (members.empty()) members = R"("inputSchema":{"type":"object"})";
  std::string definition = R"({"name":)" + Quote(tool) + R"(,"description":)" +
                           Quote(tool + " of " + name_) + "," + members + "}";
  const std::scoped_lock lock(mutex_);
  tools_[tool] = Tool{.definition = std::move(definition), .run = std::move(handler)};
}

void Surface::RemoveTool(const std::string& tool) {
  const std::scoped_lock lock(mutex_);
  tools_.erase(tool);
}

void Surface::OnMethod(const std::string& method, Handler handler) {
  const std::scoped_lock lock(mutex_);
  overrides_[method] = std::move(handler);
}

void Surface::SetCursor(std::function<std::string(std::string cursor)> next) {
  const std::scoped_lock lock(mutex_);
  cursor_ = std::move(next);
}

void Surface::Changed(std::string_view kind) {
  const std::scoped_lock lock(mutex_);
  for (Listener* listener : listeners_) {
    if (!listener->interest.kinds.contains(std::string(kind))) continue;
    listener->news.emplace_back("notifications/" + std::string(kind) + "/list_changed", "");
    listener->wake.Set();
  }
  if (on_change_) {
    on_change_(R"({"jsonrpc":"2.0","method":"notifications/)" + std::string(kind) +
               R"(/list_changed"})");
  }
}

void Surface::OnChange(std::function<void(std::string)> tell) {
  const std::scoped_lock lock(mutex_);
  on_change_ = std::move(tell);
}

Event& Surface::Named(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  std::unique_ptr<Event>& event = events_[name];
  if (event == nullptr) event = std::make_unique<Event>();
  return *event;
}

void Surface::Speak(bool modern, bool legacy) {
  const std::scoped_lock lock(mutex_);
  modern_ = modern;
  legacy_ = legacy;
}

bool Surface::speaks(Era era) const {
  const std::scoped_lock lock(mutex_);
  return era == Era::kModern ? modern_ : legacy_;
}

void Surface::Complain(std::string what) {
  const std::scoped_lock lock(mutex_);
  complaints_.push_back(std::move(what));
}

std::vector<std::string> Surface::complaints() const {
  const std::scoped_lock lock(mutex_);
  return complaints_;
}

std::vector<std::string> Surface::methods() const {
  const std::scoped_lock lock(mutex_);
  return methods_;
}

void Surface::Check(const Turn& turn) {
  const std::string method = turn.method();
  const json::value id = At(turn.message(), "/id");
  if (!id.is_string() && !id.is_int64() && !id.is_uint64())
    Complain(method + " with id " + turn.id());
  if (TextAt(turn.message(), "/jsonrpc") != "2.0") Complain(method + " is no JSON-RPC 2.0");
  if (turn.modern()) {
    if (TextAt(turn.message(), kVersionKey) != kModernVersion)
      Complain(method + " names a wrong version");
    if (!At(turn.message(), kCapabilitiesKey).is_object()) Complain(method + " lacks capabilities");
    return;
  }
  const json::value meta = turn.param("_meta");
  for (const char* key : {"clientCapabilities", "clientInfo", "logLevel"}) {
    if (meta.is_object() &&
        meta.as_object().contains(std::string("io.modelcontextprotocol/") + key)) {
      Complain("modern metadata in a legacy " + method);
    }
  }
  const std::scoped_lock lock(mutex_);
  if (method == "initialize") {
    if (!sessions_.insert(turn.scope()).second) complaints_.push_back("initialize twice");
  } else if (method != "ping" && !sessions_.contains(turn.scope())) {
    complaints_.push_back(method + " before initialize");
  }
}

void Surface::Begin(Turn& turn) {
  {
    const std::scoped_lock lock(mutex_);
    methods_.push_back(turn.method());
  }
  if (!speaks(turn.modern() ? Era::kModern : Era::kLegacy)) return;
  Check(turn);
  Register(turn);
}

void Surface::Serve(Turn& turn) {
  if (!speaks(turn.modern() ? Era::kModern : Era::kLegacy)) {
    turn.Error(-32601, "Method not found");
    return;
  }
  Handler instead;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = overrides_.find(turn.method());
    if (found != overrides_.end()) instead = found->second;
  }
  instead ? instead(turn) : Dispatch(turn);
  Forget(turn);
}

void Surface::OnNotification(const json::value& message, const std::string& scope) {
  const std::string method = TextAt(message, "/method");
  const std::scoped_lock lock(mutex_);
  methods_.push_back(method);
  if (method != "notifications/cancelled") return;
  const std::string key = scope + " " + json::serialize(At(message, "/params/requestId"));
  const auto [begin, end] = in_flight_.equal_range(key);
  for (auto entry = begin; entry != end; ++entry) entry->second->Cancel();
}

}  // namespace switchyard::tests
