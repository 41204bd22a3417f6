// validate: {arguments: off, results: off, formats: false}
//
// Holds the arguments of a tools/call against the tool's inputSchema before anything is spent on
// it, and the structuredContent of its result against its outputSchema: off, warn (count, log, pass
// on) or enforce. What is refused is answered as the tool's error in the result (SEP-1303), in
// sentences that a model can correct its call by. `formats` checks `format`, too.
//
// The schemas are compiled at the first call, once a catalog. What this gateway cannot check of a
// schema it lets pass, and names in the log. The log never says what came, as it may be a secret.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "config/section.h"
#include "mcp/json_string.h"
#include "mcp/scan.h"
#include "policies/lib/arguments.h"
#include "policies/lib/json_schema.h"
#include "policies/lib/settings.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::validate {
namespace {

enum class Mode : std::uint8_t { kOff, kWarn, kEnforce };

struct Config {
  Mode arguments = Mode::kOff;
  Mode results = Mode::kOff;
  bool formats = false;

  bool off() const { return arguments == Mode::kOff && results == Mode::kOff; }
};

// Of one member of a tool's definition. Null: the tool has none.
struct InputSchema {
  std::unique_ptr<const JsonSchema> schema;
};
struct OutputSchema {
  std::unique_ptr<const JsonSchema> schema;
};

std::unique_ptr<const JsonSchema> CompileMember(const Definition& tool, std::string_view member) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(tool.json);
  const mcp::Field* field = fields ? mcp::Find(*fields, member) : nullptr;
  if (field == nullptr) return nullptr;
  auto schema = std::make_unique<const JsonSchema>(field->value);
  for (const std::string& note : schema->notes()) {
    spdlog::warn("server {}: tool {}: {}: {}", tool.server, tool.name, member, note);
  }
  return schema;
}

template <class Schema>
const JsonSchema* SchemaOf(const Definition& tool, std::string_view member) {
  return tool.derived.Get<Schema>([&] { return Schema{CompileMember(tool, member)}; }).schema.get();
}

// What a call goes by. Borrows what its target and the process hold.
struct Rules {
  const Config& config;
  switchyard::telemetry::Metrics& metrics;

  void Note(const Definition& tool, std::string_view what, const JsonSchema::Answer& answer,
            bool refused) const {
    metrics
        .CounterOf("switchyard_schema_misfits_total",
                   {tool.server, tool.name, std::string(what), refused ? "refused" : "warned"})
        .Add();
    if (refused) return;  // who called was told
    std::string places;
    for (const json_schema::Problem& problem : answer.problems) {
      places.append(places.empty() ? "" : ", ").append(problem.keyword);
    }
    spdlog::warn("server {}: tool {}: {} not as its schema says: {}", tool.server, tool.name, what,
                 places.empty() ? "too deep or too large to be checked" : places);
  }
};

std::string Sentences(const JsonSchema::Answer& answer, const std::string& whole) {
  if (answer.verdict == JsonSchema::Verdict::kGaveUp) {
    return " " + whole + ": nested too deeply, or too large, to be checked.";
  }
  std::string text;
  for (const json_schema::Problem& problem : answer.problems) {
    text.append(" ").append(problem.ToSentence(whole)).append(".");
  }
  return text;
}

// For whoever would have the call answered by another: it is the caller's own mistake.
constexpr std::string_view kCallersOwn =
    R"(,"_meta":{"switchyard/error":{"origin":"client","code":"invalid","retryable":true}})";

mcp::Message ToolError(std::string_view raw_id, std::string_view text, std::string_view more = {}) {
  return mcp::Message::FromResult(
      raw_id, fmt::format(R"({{"resultType":"complete","content":[{{"type":"text","text":{}}}],)"
                          R"("isError":true{}}})",
                          mcp::Quote(text), more));
}

// What is asked of a result; raw JSON, "" = absent. Borrows the message.
struct Parts {
  std::string_view type, is_error, structured;
};

Parts PartsOf(const mcp::Message& message) {
  const Parts parts{.type = message.Get(mcp::Key::kResultType),
                    .is_error = message.Get(mcp::Key::kIsError),
                    .structured = message.Get(mcp::Key::kStructuredContent)};
  const bool read = message.Has(mcp::Key::kContent) || !parts.structured.empty();
  // An answer of the gateway itself, such as one that was kept, is shared and was not read.
  const std::optional<mcp::Fields> fields = read ? std::nullopt : mcp::MembersOf(message.result());
  if (!fields) return parts;
  const auto get = [&](std::string_view key) {
    const mcp::Field* field = mcp::Find(*fields, key);
    return field != nullptr ? field->value : std::string_view();
  };
  return {.type = get("resultType"),
          .is_error = get("isError"),
          .structured = get("structuredContent")};
}

// Replaces a result that does not fit, where that is asked for.
void CheckResult(const Rules& rules, const Definition& tool, mcp::Message& message) {
  if (message.kind() != mcp::Kind::kResult) return;
  const Parts parts = PartsOf(message);
  const bool whole = parts.type.empty() || parts.type == R"("complete")";  // no question, no task
  if (!whole || parts.is_error == "true") return;
  const JsonSchema* schema = SchemaOf<OutputSchema>(tool, "outputSchema");
  if (schema == nullptr) return;
  JsonSchema::Answer answer;
  if (parts.structured.empty()) {
    answer = {.verdict = JsonSchema::Verdict::kDoesNotFit,
              .problems = {{.pointer = "",
                            .expected = "a value that fits the outputSchema",
                            .got = "none",
                            .keyword = "no structuredContent"}}};
  } else {
    answer = schema->Check(parts.structured, rules.config.formats);
  }
  if (answer.verdict == JsonSchema::Verdict::kFits) return;
  const bool refuse = rules.config.results == Mode::kEnforce;
  rules.Note(tool, "result", answer, refuse);
  if (!refuse) return;
  const std::string id(message.id());
  message = ToolError(
      id, fmt::format("The tool {} ran, but its result does not fit its outputSchema and was "
                      "withheld.{} This is a fault of the server: the same call will probably "
                      "fail again.",
                      tool.exposed, Sentences(answer, "structuredContent")));
}

class CheckedReply final : public Reply {
 public:
  CheckedReply(ReplyPtr inner, Rules rules, const Definition& tool)
      : inner_(std::move(inner)), rules_(rules), tool_(tool) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && *next) CheckResult(rules_, tool_, **next);
    co_return next;
  }

 private:
  ReplyPtr inner_;
  const Rules rules_;
  const Definition& tool_;  // pinned by the call, which outlives its reply
};

class Validate final : public Policy {
 public:
  explicit Validate(const PolicyDeps& deps) : settings_(deps), metrics_(deps.metrics) {}

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Config& config = settings_(call);
    const bool concerns = !config.off() && call.target.definition != nullptr &&
                          call.message.kind() == mcp::Kind::kRequest &&
                          call.message.method() == mcp::Method::kToolsCall;
    if (!concerns) return next.Handle(call);
    const Definition& tool = *call.target.definition;
    const Rules rules{.config = config, .metrics = metrics_};
    if (std::optional<mcp::Message> refusal = CheckArguments(rules, call, tool)) {
      return Refuse(std::move(*refusal));
    }
    return config.results == Mode::kOff ? next.Handle(call) : Checked(call, next, rules, tool);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).off(); }

 private:
  static Task<Result<ReplyPtr>> Refuse(mcp::Message refusal) {
    co_return ReplyWith(std::move(refusal));
  }

  // `tool` lives as long as the call's target.
  static Task<Result<ReplyPtr>> Checked(Call& call, Service& next, Rules rules,
                                        const Definition& tool) {
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    if (mcp::Message* whole = (*reply)->Whole()) {
      CheckResult(rules, tool, *whole);
      co_return reply;
    }
    ReplyPtr checked = std::make_unique<CheckedReply>(std::move(*reply), rules, tool);
    co_return checked;
  }

  static std::optional<mcp::Message> CheckArguments(const Rules& rules, const Call& call,
                                                    const Definition& tool) {
    if (rules.config.arguments == Mode::kOff) return std::nullopt;
    const JsonSchema* schema = SchemaOf<InputSchema>(tool, "inputSchema");
    if (schema == nullptr) return std::nullopt;
    const JsonSchema::Answer answer =
        schema->Check(ReadArguments(call.message.Get(mcp::Key::kArguments)), rules.config.formats);
    if (answer.verdict == JsonSchema::Verdict::kFits) return std::nullopt;
    const bool refuse = rules.config.arguments == Mode::kEnforce;
    rules.Note(tool, "arguments", answer, refuse);
    if (!refuse) return std::nullopt;
    return ToolError(call.message.id(),
                     fmt::format("The tool {} was not called: its arguments do not fit its "
                                 "inputSchema.{} Correct them and call it again.",
                                 tool.exposed, Sentences(answer, "arguments")),
                     kCallersOwn);
  }

  const SettingsOf<Config> settings_;
  switchyard::telemetry::Metrics& metrics_;
};

void TakeMode(config::Section& section, std::string_view key, Mode& into) {
  constexpr std::array<std::string_view, 3> kWords = {"off", "warn", "enforce"};
  if (const auto word = section.Enum(key, {kWords[0], kWords[1], kWords[2]})) {
    into = static_cast<Mode>(std::ranges::find(kWords, *word) - kWords.begin());
  }
  section.Shows(key, std::string(kWords.at(static_cast<std::size_t>(into))));
}

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  TakeMode(section, "arguments", config->arguments);
  TakeMode(section, "results", config->results);
  section.Take("formats", config->formats);
  if (config->off()) section.IsOff("arguments: off, results: off");
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Validate>(deps);
}

}  // namespace switchyard::policies::validate
