// The methods of a fake server.
#include <charconv>
#include <utility>

#include "support/surface.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kCapabilities =
    R"("capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},)"
    R"("resources":{"listChanged":true,"subscribe":true},"completions":{},"logging":{}})";

}  // namespace

void Surface::Dispatch(Turn& turn) {
  const std::string method = turn.method();
  if (method == "server/discover" && turn.modern()) return Discover(turn);
  if (method == "subscriptions/listen" && turn.modern()) return ListenModern(turn);
  if (method == "initialize" && !turn.modern()) return Initialize(turn);
  if ((method == "ping" || method == "logging/setLevel") && !turn.modern()) return turn.Result("");
  if (method == "tools/list") return List(turn, "tools");
  if (method == "prompts/list") return List(turn, "prompts");
  if (method == "resources/list") return List(turn, "resources");
  if (method == "resources/templates/list") return List(turn, "resourceTemplates");
  if (method == "tools/call") return CallTool(turn);
  if (method == "prompts/get") return GetPrompt(turn);
  if (method == "resources/read") return ReadResource(turn);
  if (method == "completion/complete") return Complete(turn);
  if (method.ends_with("subscribe") && !turn.modern()) return Subscribe(turn);
  Complain("unknown method " + method);
  turn.Error(-32601, "Method not found");
}

void Surface::Discover(Turn& turn) {
  const bool legacy = speaks(Era::kLegacy);
  turn.Result(std::string(R"("supportedVersions":["2026-07-28")") +
              (legacy ? R"(,"2025-11-25"],)" : "],") + std::string(kCapabilities) +
              R"(,"instructions":"use )" + name_ + R"(","_meta":{)" +
              R"("io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"}})");
}

std::string Surface::TellsOf(const std::string& scope) const {
  const std::scoped_lock lock(mutex_);
  const auto found = told_.find(scope);
  return found == told_.end() ? "" : found->second;
}

void Surface::Initialize(Turn& turn) {
  {
    const std::scoped_lock lock(mutex_);
    told_[turn.scope()] = json::serialize(turn.param("capabilities"));
  }
  turn.Result(R"("protocolVersion":"2025-11-25",)" + std::string(kCapabilities) +
              R"(,"serverInfo":{"name":"fake","version":"1"},"instructions":"use )" + name_ + "\"");
}

void Surface::ListenModern(Turn& turn) {
  const json::value filter = turn.param("notifications");
  if (!filter.is_object()) Complain("listen without a filter");
  Interest interest = Honoured(filter);
  const std::string meta =
      R"("_meta":{"io.modelcontextprotocol/subscriptionId":)" + turn.id() + "}";
  const std::string acknowledgement = meta + R"(,"notifications":)" + Acknowledgement(interest);
  Listen(turn, std::move(interest), meta,
         [&] { turn.Notify("notifications/subscriptions/acknowledged", acknowledgement); });
}

void Surface::Listen(Turn& turn, Interest interest, std::string_view params,
                     const std::function<void()>& acknowledge) {
  Listener listener;
  listener.interest = std::move(interest);
  {
    const std::scoped_lock lock(mutex_);
    listeners_.insert(&listener);
  }
  // Not before: who reads it may say at once what is to be heard.
  if (acknowledge) acknowledge();
  Named("listening").Set();
  for (const std::string& uri : listener.interest.uris) Named("subscribed:" + uri).Set();
  // A listener waits for as long as its test takes, which is no complaint.
  while (turn.WaitUnhurried(listener.wake)) {
    decltype(listener.news) news;
    {
      const std::scoped_lock lock(mutex_);
      listener.wake.Clear();
      news.swap(listener.news);
    }
    for (const auto& [method, members] : news) {
      std::string all(params);
      if (!all.empty() && !members.empty()) all += ",";
      turn.Notify(method, all + members);
    }
  }
  for (const std::string& uri : listener.interest.uris) Named("unsubscribed:" + uri).Set();
  const std::scoped_lock lock(mutex_);
  listeners_.erase(&listener);
}

std::vector<std::string> Surface::ItemsOf(std::string_view key) const {
  std::vector<std::string> items;
  const std::string base = "fake://" + name_ + "/";
  if (key == "tools") {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, tool] : tools_) items.push_back(tool.definition);
  } else if (key == "prompts") {
    for (const char* name : {"greet", "thank", "leave"}) {
      items.push_back(R"({"name":")" + std::string(name) +
                      R"(","arguments":[{"name":"who","required":true}]})");
    }
  } else if (key == "resources") {
    for (const char* name : {"one", "two", "three"}) {
      items.push_back(R"({"uri":")" + base + name + R"(","name":")" + name + R"("})");
    }
  } else {
    items.push_back(R"({"uriTemplate":")" + base + R"(item/{id}","name":"item"})");
  }
  return items;
}

void Surface::List(Turn& turn, std::string_view key) {
  const std::vector<std::string> items = ItemsOf(key);
  const json::value cursor = turn.param("cursor");
  const std::string text = cursor.is_string() ? std::string(cursor.as_string()) : "";
  std::size_t begin = 0;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), begin);
  if (begin > items.size()) begin = 0;
  const std::size_t end = std::min<std::size_t>(items.size(), begin + page_size_);
  std::string members = "\"" + std::string(key) + "\":[";
  for (std::size_t i = begin; i < end; ++i) members += (i == begin ? "" : ",") + items[i];
  members += "]";
  std::string next = end < items.size() ? std::to_string(end) : "";
  {
    const std::scoped_lock lock(mutex_);
    if (cursor_) next = cursor_(text);
  }
  if (!next.empty()) members += R"(,"nextCursor":)" + Quote(next);
  turn.Result(members);
}

void Surface::CallTool(Turn& turn) {
  const std::string name = TextAt(turn.message(), "/params/name");
  Handler run;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = tools_.find(name);
    if (found != tools_.end()) run = found->second.run;
  }
  if (!run) {
    turn.Error(-32602, "Unknown tool: " + name);
    return;
  }
  run(turn);
}

void Surface::GetPrompt(Turn& turn) {
  turn.Result(R"("messages":[{"role":"user","content":{"type":"text","text":)" +
              Quote(TextAt(turn.message(), "/params/name") + " " +
                    TextAt(turn.message(), "/params/arguments/who") + " by " + name_) +
              "}}]");
}

void Surface::ReadResource(Turn& turn) {
  const std::string uri = TextAt(turn.message(), "/params/uri");
  const std::string base = "fake://" + name_ + "/";
  const bool known = uri == base + "one" || uri == base + "two" || uri == base + "three" ||
                     uri.starts_with(base + "item/");
  if (!known) {
    const std::string data = R"({"uri":)" + Quote(uri) + "}";
    turn.Error(turn.modern() ? -32602 : -32002, "Resource not found", data);
    return;
  }
  turn.Result(R"("contents":[{"uri":)" + Quote(uri) + R"(,"text":)" + Quote("text of " + uri) +
              "}]");
}

void Surface::Complete(Turn& turn) {
  const std::string type = TextAt(turn.message(), "/params/ref/type");
  const std::string of =
      TextAt(turn.message(), type == "ref/prompt" ? "/params/ref/name" : "/params/ref/uri");
  const std::string value = TextAt(turn.message(), "/params/argument/value");
  turn.Result(R"("completion":{"values":[)" + Quote(of) + "," + Quote(value + "!") + "]}");
}

}  // namespace switchyard::tests
