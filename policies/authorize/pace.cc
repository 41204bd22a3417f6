#include "policies/authorize/pace.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "policies/authorize/rule.h"
#include "policies/lib/rate.h"
#include "policies/lib/store_key.h"

namespace switchyard::policies::authorize {

std::string Pace::ToText() const {
  return fmt::format("{} {}{}{}", over ? "over" : "within", rate, per.empty() ? "" : " per ",
                     WordsOf(per, " and "));
}

std::optional<Pace> ReadPace(config::Section& when, std::string_view rule, std::string_view level) {
  auto section = when.Child("rate");
  if (!section) return std::nullopt;
  Pace pace;
  const auto over = section->String("over"), within = section->String("within");
  if (auto per = ParsePer(*section)) pace.per = std::move(*per);
  if (over.has_value() == within.has_value()) {
    section->Error("", fmt::format("needs over or within: {}", kRateForms));
    return std::nullopt;
  }
  pace.over = over.has_value();
  pace.rate = over ? *over : *within;
  const std::optional<Rate> rate = ParseRate(pace.rate);
  if (!rate) {
    section->Error(
        over ? "over" : "within",
        fmt::format("must be {}, a million a second at most, got {}", kRateForms, pace.rate));
    return std::nullopt;
  }
  pace.interval = rate->interval();
  pace.count = rate->count;
  StoreKey key;
  key.Add("authorize").Add(level).Add(rule).Add(pace.rate).Add(WordsOf(pace.per, " "));
  pace.key = key.text();
  pace.scope = key.Scope();
  return pace;
}

Task<std::vector<Paced>> Pacing::Look(const Call& call, std::vector<const Rule*> rules) const {
  const bool again =
      call.message.Has(mcp::Key::kRequestState) || call.message.Has(mcp::Key::kInputResponses);
  std::vector<Paced> paced;
  paced.reserve(rules.size());
  for (const Rule* rule : rules) {
    const Pace& pace = *rule->when.pace;
    Holds over = Holds::kCannotTell;
    if (again && rule->effect == Effect::kRequireApproval && pace.over) {
      over = Holds::kYes;
    } else if (store_ != nullptr) {
      StoreKey key;
      key.Continue(pace.key);
      const Counted counted = CountedOf(call);
      for (const Per per : pace.per) AddTo(key, per, counted);
      const Store::Bucket bucket{
          .key = {key.text(), pace.scope}, .interval = pace.interval, .burst = pace.count};
      Result<Store::Drawn> drawn =
          co_await ValueOf(store_->Draw(std::span(&bucket, 1), clock_.Now()));
      if (drawn) over = drawn->taken ? Holds::kNo : Holds::kYes;
    }
    paced.push_back({.rule = rule, .over = over});
  }
  co_return paced;
}

}  // namespace switchyard::policies::authorize
