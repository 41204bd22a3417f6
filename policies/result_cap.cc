// result_cap: {max_bytes: 64KiB, max_tokens: 0, keep: 10m, keep_bytes: 64MiB}
//
// What a tools/call may answer at most, at once or as the task that it became. A larger result is
// cut where it reads best (policies/lib/result_pages.h) and says how much of how much it is; the
// rest is kept for a while and read page by page with the tool switchyard_read_result, by who
// called alone. The tool is offered where a cap is set. 0 = no cap.
//
// Tokens are estimated, or counted with a `vocabulary` (a file in tiktoken's format) and its
// `pattern` (o200k, cl100k, gpt2).
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/seal.h"
#include "config/section.h"
#include "mcp/json_string.h"
#include "mcp/raw_object.h"
#include "mcp/scan.h"
#include "policies/lib/cut_results.h"
#include "policies/lib/result_block.h"
#include "policies/lib/result_pages.h"
#include "policies/lib/result_shelves.h"
#include "policies/lib/settings.h"
#include "policies/lib/states.h"
#include "policies/lib/vocabulary_file.h"
#include "policies/registry.h"
#include "telemetry/counter.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::result_cap {
namespace {

struct Config {
  std::size_t max_bytes = 0;
  std::size_t max_tokens = 0;
  Duration keep = std::chrono::minutes(10);
  std::size_t keep_bytes = std::size_t{64} << 20;
  TokenSettings tokens = {};
};

// What the calls of one scope go by.
struct Cap {
  PageSize size;
  std::shared_ptr<ResultShelf> shelf = nullptr;  // null: the rest is not kept
  switchyard::telemetry::Counter* cut = nullptr;
  switchyard::telemetry::Counter* bytes_cut = nullptr;

  bool on() const { return size.bytes != 0 || size.tokens != 0; }
  // Neither text nor tokens are more than the bytes they are written in.
  bool SurelyHolds(std::size_t bytes) const {
    return (size.bytes == 0 || bytes <= size.bytes) && (size.tokens == 0 || bytes <= size.tokens);
  }
};

mcp::Message Answer(const Call& call, std::string_view blocks, std::string_view more) {
  return mcp::Message::FromResult(
      call.message.id(),
      fmt::format(R"({{"resultType":"complete","content":[{}]{}}})", blocks, more));
}

// What is between policy and tool; outlives all calls.
struct Shared {
  explicit Shared(const PolicyDeps& deps)
      : settings(deps),
        clock(deps.clock),
        sealer(deps.sealer),
        cuts(CutResults::Of(*deps.states)),
        read(deps.metrics.CounterOf("switchyard_result_pages_total", {"read"})),
        gone(deps.metrics.CounterOf("switchyard_result_pages_total", {"gone"})),
        dropped(deps.metrics.CounterOf("switchyard_kept_results_dropped_total", {})) {}

  const SettingsOf<Cap> settings;
  const Clock& clock;
  const Sealer* sealer;
  const std::shared_ptr<CutResults> cuts;
  switchyard::telemetry::Counter &read, &gone, &dropped;
};

// ---- The tool ---------------------------------------------------------------------------------

class Reader final : public BuiltinTool {
 public:
  explicit Reader(Shared& shared) : shared_(shared) {}

  const std::string& definition() const override {
    static const std::string kDefinition =
        R"({"name":"switchyard_read_result","title":"Read the rest of a result","description":)"
        R"("Reads another page of a tool's result that was cut because it was too large. The end of )"
        R"(such a result names the handle and the next page.","inputSchema":{"type":"object",)"
        R"("properties":{"handle":{"type":"string","description":"As the cut result named it"},)"
        R"("page":{"type":"integer","minimum":1,"description":"Which page; 2 if left out"}},)"
        R"("required":["handle"]},"annotations":{"readOnlyHint":true,"destructiveHint":false,)"
        R"("idempotentHint":true,"openWorldHint":false}})";
    return kDefinition;
  }

  bool IsOfferedWith(const PolicySet& policies) const override {
    return shared_.cuts->IsOfferedWith(policies);
  }

  Task<Result<ReplyPtr>> Handle(Call& call) const override { co_return ReplyWith(Read(call)); }

 private:
  mcp::Message Read(const Call& call) const {
    const std::string_view raw = call.message.Get(mcp::Key::kArguments);
    const auto arguments = mcp::MembersOf(raw.empty() ? "{}" : raw);
    const std::optional<std::string> token = HandleIn(call.message);
    if (!arguments || !token) {
      return Error(call, "The argument \"handle\" is missing: the end of a cut result names it.");
    }
    const mcp::Field* asked = mcp::Find(*arguments, "page");
    std::size_t page = 2;
    if (asked != nullptr) {
      const char* const last = asked->value.data() + asked->value.size();
      const auto [end, fault] = std::from_chars(asked->value.data(), last, page);
      if (fault != std::errc() || end != last || page == 0) {
        return Error(call, "The argument \"page\" must be a whole number, 1 or more.");
      }
    }
    const std::shared_ptr<const KeptResult> kept =
        KeptFor(call, *token, *shared_.cuts, shared_.sealer, shared_.clock.Now());
    if (kept == nullptr) {
      shared_.gone.Add();
      return Error(
          call,
          "There is nothing behind this handle, or no longer: the rest of a result is kept "
          "for a while only. Call the tool again, for less if its arguments allow it.");
    }
    if (page > kept->pages.pages()) {
      return Error(call, fmt::format("The last page of this result is {}.", kept->pages.pages()));
    }
    shared_.read.Add();
    return Page(call, *kept, page);
  }

  static mcp::Message Page(const Call& call, const KeptResult& kept, std::size_t page) {
    const std::size_t pages = kept.pages.pages();
    const std::string_view at = kept.pages.At(page - 1);
    const std::string where = at.empty() ? "" : fmt::format(", from {} on", at);
    const std::string next = page < pages ? fmt::format("the next is {}", page + 1) : "the last";
    const std::string note = fmt::format("[Page {} of {} of a result of {}{}; {}.]", page, pages,
                                         kept.tool, where, next);
    std::string blocks = kept.pages.Blocks(page - 1);
    blocks.append(blocks.empty() ? "" : ",").append(TextBlock(note));
    return Answer(
        call, blocks,
        fmt::format(R"(,"_meta":{{"switchyard/page":{{"page":{},"pages":{}}}}})", page, pages));
  }

  static mcp::Message Error(const Call& call, std::string_view text) {
    return Answer(call, TextBlock(text), R"(,"isError":true)");
  }

  Shared& shared_;
};

// ---- The policy -------------------------------------------------------------------------------

class Cutter {
 public:
  Cutter(Shared& shared, const Call& call, const Cap& cap)
      : shared_(shared), call_(call), cap_(cap) {}

  // Replaces a result that is too large.
  void Apply(mcp::Message& message) const {
    if (message.kind() != mcp::Kind::kResult || cap_.SurelyHolds(message.size())) return;
    if (!MakeCuttable(message)) return;
    if (call_.message.method() == mcp::Method::kTasksGet) return ApplyToTask(message);
    Cut(message);
  }

 private:
  // What the task ended with stands in what is said of it.
  void ApplyToTask(mcp::Message& message) const {
    mcp::RawObject task = mcp::RawObject::Parse(message.result());
    std::string result(task.Get("result"));
    if (!result.starts_with('{')) return;
    mcp::Message ended = mcp::Message::FromResult(message.id(), std::move(result));
    if (cap_.SurelyHolds(ended.size()) || !MakeCuttable(ended)) return;
    Cut(ended);
    task.Set("result", std::string(ended.result()));
    message = mcp::Message::FromResult(message.id(), task.ToText());
  }

  void Cut(mcp::Message& message) const {
    const std::string_view result = message.result();
    const bool keep = cap_.shelf != nullptr && result.size() <= cap_.shelf->max_bytes;
    std::optional<ResultPages> pages = ResultPages::Of(result, cap_.size, keep);
    if (!pages) return;
    cap_.cut->Add();
    cap_.bytes_cut->Add(pages->total() - std::min(pages->total(), pages->shown()));
    KeptResult cut{.pages = std::move(*pages),
                   .tool = ToolNameOf(call_),
                   .meant = call_.meant,
                   .owner = OwnerOf(call_)};
    shared_.dropped.Add(PutFirstPage(message, std::move(cut),
                                     {.shelf = keep ? cap_.shelf.get() : nullptr,
                                      .sealer = shared_.sealer,
                                      .now = shared_.clock.Now()}));
  }

  Shared& shared_;
  const Call& call_;
  const Cap& cap_;
};

class CappedReply final : public Reply {
 public:
  CappedReply(ReplyPtr inner, Cutter cutter) : inner_(std::move(inner)), cutter_(cutter) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && *next) cutter_.Apply(**next);
    co_return next;
  }

 private:
  ReplyPtr inner_;
  const Cutter cutter_;  // of a call, which outlives its reply
};

class ResultCap final : public Policy {
 public:
  explicit ResultCap(const PolicyDeps& deps)
      : shared_(std::make_unique<Shared>(deps)),
        reader_(std::make_shared<const Reader>(*shared_)),
        metrics_(deps.metrics),
        states_(*deps.states) {
    shared_->cuts->OfferWith([settings = shared_->settings](const PolicySet& policies) {
      const Cap& cap = settings(policies);
      return cap.on() && cap.shelf != nullptr;
    });
  }

  BuiltinTools Tools() const override { return {reader_}; }

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    const auto config = ValueOrDefault<Config>(settings.get());
    auto cap = std::make_shared<Cap>(Cap{.size = {.bytes = config.max_bytes,
                                                  .tokens = config.max_tokens,
                                                  .counter = config.tokens.counter}});
    if (!cap->on()) return cap;
    const std::string server(scope.server);
    cap->cut = &metrics_.CounterOf("switchyard_results_cut_total", {server});
    cap->bytes_cut = &metrics_.CounterOf("switchyard_result_bytes_cut_total", {server});
    if (config.keep == Duration::zero() || config.keep_bytes == 0) return cap;
    const std::string name =
        fmt::format("result_cap {} {} {}", scope.Key(PolicyScope::Counts::kAsSet),
                    config.keep.count(), config.keep_bytes);
    cap->shelf = states_.Get<ResultShelf>(
        name, [&] { return shared_->cuts->shelves.Make(config.keep_bytes, config.keep); });
    return cap;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Cap& cap = shared_->settings(call);
    const bool concerns = cap.on() && call.message.kind() == mcp::Kind::kRequest &&
                          MayAnswerForTool(call.message.method()) && !IsBuiltin(call);
    return concerns ? Capped(call, next, cap) : next.Handle(call);
  }

  bool IsOff(const PolicySet& set) const override { return !shared_->settings(set).on(); }

 private:
  static bool MayAnswerForTool(mcp::Method method) {
    return method == mcp::Method::kToolsCall || method == mcp::Method::kTasksGet ||
           method == mcp::Method::kTasksResult;
  }
  static bool IsBuiltin(const Call& call) {
    return call.target.definition != nullptr && call.target.definition->builtin != nullptr;
  }

  Task<Result<ReplyPtr>> Capped(Call& call, Service& next, const Cap& cap) const {
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    const Cutter cutter(*shared_, call, cap);
    if (mcp::Message* whole = (*reply)->Whole()) {
      cutter.Apply(*whole);
      co_return reply;
    }
    ReplyPtr capped = std::make_unique<CappedReply>(std::move(*reply), cutter);
    co_return capped;
  }

  const std::unique_ptr<Shared> shared_;
  const std::shared_ptr<const Reader> reader_;
  switchyard::telemetry::Metrics& metrics_;
  States& states_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  constexpr std::size_t kLeastBytes = 1024, kLeastTokens = 256;
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.TakeBytes("max_bytes", config->max_bytes);
  if (config->max_bytes != 0 && config->max_bytes < kLeastBytes) {
    section.Error("max_bytes", "must be 0 or at least 1KiB");
  }
  section.Take("max_tokens", config->max_tokens, 0, 1'000'000'000);
  if (config->max_tokens != 0 && config->max_tokens < kLeastTokens) {
    section.Error("max_tokens", "must be 0 or at least 256");
  }
  section.Take("keep", config->keep, Duration::zero(), std::chrono::hours(24));
  section.TakeBytes("keep_bytes", config->keep_bytes);
  TakeTokenSettings(section, config->tokens);
  if (config->max_bytes == 0 && config->max_tokens == 0) {
    section.IsOff("max_bytes: 0, max_tokens: 0");
  }
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<ResultCap>(deps);
}

}  // namespace switchyard::policies::result_cap
