// What fallback is told in the configuration, and the calls that it makes of a call: a reply of
// which the first message is known (whether it is an answer, before anything of it is delivered),
// and calls to be asked in the stead of another. Of policies/fallback.cc alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "config/section.h"
#include "core/call.h"
#include "core/reply.h"
#include "mcp/json_string.h"
#include "policies/lib/argument_map.h"
#include "policies/lib/fallback_reason.h"
#include "policies/lib/meta_note.h"
#include "policies/lib/settings.h"

namespace switchyard::policies::fallback {

struct Alternative {
  enum class Kind : std::uint8_t { kServer, kTool, kStale, kAnswer };
  Kind kind = Kind::kServer;
  std::string server = {};     // "" = `tool` is a name that clients know
  std::string tool = {};       // "" = the same name
  ArgumentMap arguments = {};  // of a tool
  Duration stale{};            // the oldest
  std::string answer = {};     // raw JSON of a result

  bool is_tool() const { return kind == Kind::kServer || kind == Kind::kTool; }
};
inline constexpr std::array<std::string_view, 4> kKinds = {"server", "tool", "stale", "answer"};

struct FallbackSettings {
  FallbackReasons on = DefaultFallbackReasons();
  std::vector<Alternative> alternatives = {};
  bool trust_hints = true;
  bool may_have_run = false;
  Duration within{};

  bool wants_old_answers() const {
    return std::ranges::any_of(alternatives, [](const Alternative& alternative) {
      return alternative.kind == Alternative::Kind::kStale;
    });
  }
  bool Covers(FallbackReason reason) const { return on[static_cast<std::size_t>(reason)]; }
};

inline constexpr std::size_t kMaxAlternatives = 8;

// Whose tools are meant: `servers.<server>.policies.fallback` or
// `servers.<server>.tool_policies.<glob>.fallback`; empty = of no server alone.
struct FallbackPlace {
  std::string_view server, glob;

  static FallbackPlace Of(std::string_view path) {
    constexpr std::string_view kServers = "servers.", kGlobs = ".tool_policies.";
    constexpr std::string_view kOfServer = ".policies.fallback", kOfTool = ".fallback";
    if (!path.starts_with(kServers)) return {};
    path.remove_prefix(kServers.size());
    if (path.ends_with(kOfServer)) {
      path.remove_suffix(kOfServer.size());
      return {.server = path, .glob = {}};
    }
    const std::size_t at = path.find(kGlobs);
    if (at == std::string_view::npos || !path.ends_with(kOfTool)) return {};
    const std::string_view server = path.substr(0, at);
    path.remove_prefix(at + kGlobs.size());
    path.remove_suffix(kOfTool.size());
    return {.server = server, .glob = path};
  }

  // The alternative is what it stands in for.
  bool Is(const Alternative& other) const {
    if (server.empty() || (other.server.empty() && other.tool.empty())) return false;
    if (!other.server.empty()) {
      return other.server == server && (other.tool.empty() || other.tool == glob);
    }
    return !glob.empty() && other.tool == fmt::format("{}__{}", server, glob);
  }
};

inline void TakeReasons(config::Section& section, FallbackReasons& on) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kFallbackReasons.size(); ++i) {
    if (on[i]) words.emplace_back(kFallbackReasons[i]);
  }
  if (!section.Take("on", words)) return;
  on.reset();
  for (const std::string& word : words) {
    if (const std::optional<FallbackReason> reason = ParseFallbackReason(word)) {
      on.set(static_cast<std::size_t>(*reason));
    } else {
      section.Error("on", fmt::format("{} is none of {}", word, fmt::join(kFallbackReasons, ", ")));
    }
  }
  if (words.empty()) {
    section.Error("on",
                  "names no reason, so no alternative is ever asked; alternatives: [] "
                  "switches fallback off");
  }
}

// The result of a tool; "" = there is a problem.
inline std::string ReadAnswer(config::Section& answer) {
  const std::optional<std::string> text = answer.String("text");
  const std::optional<std::string> structured = answer.Json("structured");
  if (structured && !structured->starts_with('{')) {
    answer.Error("structured", "must be a mapping: structured content is an object");
    return {};
  }
  if ((!text || text->empty()) && !structured) {
    answer.Error("", "has no content: needs text, structured or both");
    return {};
  }
  return fmt::format(R"({{"resultType":"complete","content":[{{"type":"text","text":{}}}]{}{}}})",
                     mcp::Quote(text ? *text : *structured),
                     structured ? R"(,"structuredContent":)" : "", structured.value_or(""));
}

inline std::optional<ArgumentMap> ReadArguments(config::Section& item) {
  const std::optional<std::string> json = item.Json("arguments");
  if (!json) return ArgumentMap();
  if (!json->starts_with('{')) {
    item.Error("arguments", "must be a mapping of the tool's arguments");
    return std::nullopt;
  }
  std::expected<ArgumentMap, std::string> map = ArgumentMap::Parse(*json);
  if (map) return std::move(*map);
  item.Error("arguments", std::move(map.error()));
  return std::nullopt;
}

// nullopt: there is a problem.
inline std::optional<Alternative> ReadAlternative(config::Section& item,
                                                  const FallbackPlace& place) {
  Alternative made;
  const std::optional<std::string> server = item.ServerName("server");
  const std::optional<std::string> tool = item.String("tool");
  const auto stale = item.Duration("stale", std::chrono::milliseconds(1));
  std::optional<ArgumentMap> arguments = ReadArguments(item);
  const bool has_arguments = item.Has("arguments"), has_stale = item.Has("stale");
  std::optional<config::Section> answer = item.Child("answer");
  if (answer) made.answer = ReadAnswer(*answer);
  const bool another = item.Has("server") || item.Has("tool");
  if (int{another} + int{has_stale} + int{item.Has("answer")} != 1) {
    item.Error("", "must be one of: server (and tool), tool, stale, answer");
    return std::nullopt;
  }
  if (has_arguments && !another) {
    item.Error("arguments", "are for another tool: needs server or tool");
    return std::nullopt;
  }
  using Kind = Alternative::Kind;
  made.kind = tool        ? Kind::kTool
              : another   ? Kind::kServer
              : has_stale ? Kind::kStale
                          : Kind::kAnswer;
  made.server = server.value_or("");
  made.tool = tool.value_or("");
  made.stale = stale.value_or(Duration(0));
  if (place.Is(made)) {
    item.Error("", fmt::format("is what it stands in for: {}",
                               tool ? "the tool itself" : "the same tool of the same server"));
    return std::nullopt;
  }
  const bool named = !another || !made.server.empty() || !made.tool.empty();
  const bool usable =
      arguments && named && (!has_stale || stale) && (!answer || !made.answer.empty());
  if (!usable) return std::nullopt;
  made.arguments = std::move(*arguments);
  return made;
}

inline void TakeAlternatives(config::Section& section, std::vector<Alternative>& alternatives) {
  if (section.Has("alternatives")) {
    alternatives.clear();
    const std::string path = section.path();
    for (config::Section& item : section.Items("alternatives")) {
      std::optional<Alternative> made = ReadAlternative(item, FallbackPlace::Of(path));
      if (made) alternatives.push_back(std::move(*made));
    }
    if (alternatives.size() > kMaxAlternatives) {
      section.Error("alternatives",
                    fmt::format("are {}, at most {}", alternatives.size(), kMaxAlternatives));
    }
  }
  if (alternatives.empty()) section.IsOff("no alternatives");
}

// As in the header of policies/fallback.cc.
inline std::shared_ptr<const FallbackSettings> ParseFallbackSettings(
    config::Section section, const FallbackSettings* inherited) {
  const auto settings = CopyOrDefault<FallbackSettings>(inherited);
  TakeReasons(section, settings->on);
  TakeAlternatives(section, settings->alternatives);
  section.Take("trust_hints", settings->trust_hints);
  section.Take("may_have_run", settings->may_have_run);
  section.Take("within", settings->within);
  return settings;
}

// ---- what is asked

inline std::string_view KindOf(const Alternative& alternative) {
  return kKinds.at(static_cast<std::size_t>(alternative.kind));
}

// `tool`: what it leads to; null = nothing that is offered.
inline std::string NameOf(const Alternative& alternative, const Definition* tool) {
  if (!alternative.is_tool())
    return alternative.kind == Alternative::Kind::kStale ? "cache" : "static";
  if (tool != nullptr) return tool->exposed;
  return alternative.tool.empty() ? "server " + alternative.server : alternative.tool;
}

// The tool that it leads to and, where it names a group's, the others that serve it, best first.
inline std::vector<const Definition*> ToolsOf(const Alternative& alternative,
                                              const Definition* tool) {
  std::vector<const Definition*> all = {tool};
  const bool of_group = alternative.server.empty() && tool != nullptr && tool->listed != nullptr;
  if (!of_group) return all;
  for (const std::shared_ptr<Definition>& member : tool->listed->members) {
    if (member.get() != tool) all.push_back(member.get());
  }
  return all;
}

// ---- calls

struct Begun {
  using Step = Result<std::optional<mcp::Message>>;

  std::unique_ptr<Call> call = nullptr;  // null = somebody else's; outlives rest
  ReplyPtr rest = nullptr;               // null when `first` is the end
  Step first;                            // never nullopt
};

namespace internal {

class BegunReply final : public Reply {
 public:
  BegunReply(Begun begun, std::string_view key, std::string note)
      : begun_(std::move(begun)), key_(key), note_(std::move(note)) {}

  Task<Begun::Step> Next() override {
    if (!std::exchange(given_, true)) {
      Begun::Step first = std::move(begun_.first);
      co_return first;
    }
    Begun::Step next = co_await begun_.rest->Next();
    if (next && *next && !note_.empty()) NoteInMeta(**next, key_, note_);
    co_return next;
  }

 private:
  Begun begun_;
  const std::string key_, note_;
  bool given_ = false;
};

inline std::shared_ptr<const Client> Unasked(const std::shared_ptr<const Client>& client) {
  if (client == nullptr || (client->capabilities == "{}" && client->tasks == Tasks::kNone)) {
    return client;
  }
  auto unasked = std::make_shared<Client>(*client);
  unasked->capabilities = "{}";
  unasked->tasks = Tasks::kNone;
  return unasked;
}

}  // namespace internal

inline Task<Begun> Begin(Result<ReplyPtr> reply, std::unique_ptr<Call> call) {
  Begun begun{.call = std::move(call), .rest = nullptr, .first = {}};
  if (!reply) {
    begun.first = Failure(std::move(reply.error()));
    co_return begun;
  }
  begun.rest = std::move(*reply);
  if (mcp::Message* whole = begun.rest->Whole()) {
    begun.first = std::move(*whole);
  } else {
    Begun::Step first = co_await begun.rest->Next();
    begun.first = std::move(first);
  }
  if (begun.first && !*begun.first) {
    begun.first =
        Failure(Code::kProtocol, Origin::kServer, "the server ended its answer without a response");
  }
  if (!begun.first || (*begun.first)->is_response()) begun.rest = nullptr;
  co_return begun;
}

// The whole reply again. Its result says `note` (JSON) in its `_meta` under `key`; "" = nothing.
inline Result<ReplyPtr> GoOn(Begun begun, std::string_view key, std::string note) {
  if (!begun.first) return Failure(std::move(begun.first.error()));
  mcp::Message& first = **begun.first;
  if (!first.is_response()) {
    return std::make_unique<internal::BegunReply>(std::move(begun), key, std::move(note));
  }
  if (!note.empty()) NoteInMeta(first, key, note);
  return ReplyWith(std::move(first));
}

// A call like this one, but for where it goes.
inline std::unique_ptr<Call> CallLike(const Call& call, mcp::Message message) {
  auto copy = std::make_unique<Call>();
  copy->message = std::move(message);
  copy->client = call.client;
  copy->endpoint = call.endpoint;
  copy->progress_token = call.progress_token;
  copy->log_level = call.log_level;
  copy->caller = call.caller;
  copy->deadline = call.deadline;
  copy->depth = call.depth;
  copy->notes = call.notes;  // its record is that of the call
  return copy;
}

// A tools/call of another tool with these arguments (raw JSON). Its client cannot be asked anything
// in the middle of it and takes no task: it would bring answers, and polls, to the tool that it
// knows. Null: there is no such message.
inline std::unique_ptr<Call> CallOf(const Call& call, const Definition& tool,
                                    std::string_view arguments) {
  const std::string_view meta = call.message.Get(mcp::Key::kMeta);
  Result<mcp::Message> message = mcp::Message::Parse(
      fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":{},)"
                  R"("arguments":{}{}{}}}}})",
                  call.message.id(), mcp::Quote(tool.exposed), arguments,
                  meta.empty() ? "" : R"(,"_meta":)", meta));
  if (!message) return nullptr;
  std::unique_ptr<Call> made = CallLike(call, std::move(*message));
  made->client = internal::Unasked(call.client);
  made->target.server = tool.server;
  made->target.name = tool.name;
  made->target.definition = &tool;
  made->target.pin = call.target.pin;
  made->target.policies = tool.policies.get();
  made->target.others = call.target.others;
  made->meant = call.target.definition != nullptr ? call.target.definition->exposed : std::string();
  return made;
}

// The same call, for whoever keeps answers to it.
inline std::unique_ptr<Call> KeptCallOf(const Call& call, Duration oldest) {
  std::unique_ptr<Call> made = CallLike(call, call.message.Clone());
  made->header_params = call.header_params;
  made->target = call.target;
  made->only_kept = oldest;
  return made;
}

}  // namespace switchyard::policies::fallback
