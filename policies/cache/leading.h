// A call of the cache that goes to its server: what its end means for what is kept, and for those
// who wait for it. Of policies/cache.cc alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "core/call.h"
#include "core/reply.h"
#include "mcp/error_map.h"
#include "mcp/message.h"
#include "policies/cache.h"
#include "policies/cache/key.h"
#include "policies/lib/answer_cache.h"
#include "policies/lib/flight.h"
#include "policies/lib/kept_answer.h"
#include "policies/lib/writer_tasks.h"
#include "policies/registry.h"
#include "telemetry/histogram.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::cache {

// What the calls of one scope go by.
struct Rules {
  CacheSettings settings = {};
  std::vector<std::string> peers = {};             // of the server, in its group
  switchyard::telemetry::Counter* hits = nullptr;  // null when it is off
  switchyard::telemetry::Counter* misses = nullptr;
  switchyard::telemetry::Counter* stale = nullptr;
  switchyard::telemetry::Counter* shared = nullptr;
};

// What all calls share; outlives them.
struct Shared {
  AnswerCache answers;
  Topics topics;
  WriterTasks tasks;
  std::atomic<std::size_t> shared_answers{0};  // that were ever kept for everybody
  std::shared_ptr<switchyard::telemetry::Gauge> bytes, entries;
  switchyard::telemetry::Counter& evicted;
  switchyard::telemetry::Histogram& ages;  // of what is given
  const Clock& clock;

  Shared(const PolicyDeps& deps)  // NOLINT(google-explicit-constructor): of one member
      : answers(CacheSettings().max_bytes),
        bytes(deps.metrics.GaugeOf("switchyard_cache_bytes", {})),
        entries(deps.metrics.GaugeOf("switchyard_cache_entries", {})),
        evicted(deps.metrics.CounterOf("switchyard_cache_evictions_total", {})),
        ages(deps.metrics.HistogramOf("switchyard_cache_age_seconds")),
        clock(deps.clock) {}

  void Put(const CacheKey& key, AnswerCache::EntryPtr entry) {
    evicted.Add(answers.Put(key, std::move(entry)));
    bytes->Set(static_cast<std::int64_t>(answers.bytes()));
    entries->Set(static_cast<std::int64_t>(answers.entries()));
  }

  // What was kept for so long, as the answer to this call.
  mcp::Message Give(const KeptAnswer& answer, const Call& call, std::string_view status,
                    Duration age) {
    ages.Observe(age);
    return answer.Give(call.message.id(), status, age);
  }
};

// For the call's record: it was no server that answered it.
inline void NoteCached(const Call& call) {
  if (call.notes != nullptr) call.notes->answered_by = "cache";
}

// A call on its way to the server, alone or for others, too. Dropped before its end: somebody else
// asks.
class Leading {
 public:
  Leading(Shared& shared, const Rules& rules, Call& call, CacheKeys keys, AnswerCache::EntryPtr old,
          std::shared_ptr<Flight> flight)
      : shared_(&shared),
        rules_(&rules),
        call_(&call),
        keys_(std::move(keys)),
        until_(call.deadline.at()),
        old_(std::move(old)),
        flight_(std::move(flight)) {}
  Leading(Leading&&) noexcept = default;
  Leading& operator=(Leading&&) = delete;
  ~Leading() {
    if (flight_ != nullptr) flight_->HandOver();
  }

  // The message that goes on in place of this one.
  mcp::Message Saw(mcp::Message message) {
    if (!message.is_response()) {
      streams_ = true;  // whoever gets the answer without its stream gets half of it
      Scatter();
      return message;
    }
    message = Plain(std::move(message));
    if (message.kind() == mcp::Kind::kError) return SawError(std::move(message));
    const std::string_view type = message.Get(mcp::Key::kResultType);
    const bool whole = type.empty() || type == R"("complete")";
    if (!whole || streams_) {
      Scatter();
      Count(rules_->misses);
      return message;
    }
    return SawResult(std::move(message));
  }

  // The answer all the same, or the error.
  Result<mcp::Message> Failed(Error error) {
    // Out of its own time is only this caller, and a budget may be that of its session. A server
    // that was given up earlier is as slow for all, and would let them wait one after the other.
    const bool budget = error.code == Code::kRateLimited && error.for_agent;
    const bool own = error.code == Code::kCancelled || budget ||
                     (error.code == Code::kDeadline && shared_->clock.Now() >= until_);
    Flight::Landing failure{.error = error};
    std::optional<mcp::Message> old = OldFor(failure, rules_->settings.StaleFor(error));
    Count(old ? rules_->stale : rules_->misses);
    if (!own) Land(std::move(failure));  // else the next one asks
    if (old) return std::move(*old);
    return Failure(std::move(error));
  }

 private:
  void Count(switchyard::telemetry::Counter* counter) {
    if (!std::exchange(counted_, true)) counter->Add();
  }
  void Land(Flight::Landing landing) {
    if (flight_ != nullptr) std::exchange(flight_, nullptr)->Land(std::move(landing));
  }
  void Scatter() {
    if (flight_ != nullptr) std::exchange(flight_, nullptr)->Scatter();
  }
  // As it is, for those that wait.
  void LandAsIs(const mcp::Message& message) {
    if (flight_ == nullptr) return;
    if (!flight_->HasFollowers()) return Scatter();
    Land({.message = message.Clone()});
  }

  // What is kept and may stand in for the failure, which takes it along for those who wait. Nothing
  // where others are to be asked first: then the call says that it is there. But who was told
  // something already is not answered by anybody else.
  std::optional<mcp::Message> OldFor(Flight::Landing& failure, Duration within) {
    if (old_ == nullptr || !old_->IsValid()) return std::nullopt;
    const Duration age = old_->AgeAt(shared_->clock.Now());
    const Duration oldest = old_->ttl + std::min(within, old_->stale);
    if (age >= oldest) return std::nullopt;
    failure.answer = old_->answer;
    failure.age = age;
    failure.oldest = oldest;
    if (!call_->others_first || streams_) {
      NoteCached(*call_);
      return shared_->Give(*old_->answer, *call_, "stale", age);
    }
    call_->spare = oldest;
    return std::nullopt;
  }

  mcp::Message SawError(mcp::Message message) {
    Flight::Landing failure;
    // Others say something of the request, and would say it again.
    std::optional<mcp::Message> old;
    if (message.error_code() == mcp::kInternalError) {
      old = OldFor(failure, rules_->settings.stale_if_error);
    }
    Count(old ? rules_->stale : rules_->misses);
    if (failure.answer != nullptr) {
      failure.message = message.Clone();
      Land(std::move(failure));
    } else {
      LandAsIs(message);
    }
    return old ? std::move(*old) : std::move(message);
  }

  mcp::Message SawResult(mcp::Message message) {
    Count(rules_->misses);
    const CacheSettings& settings = rules_->settings;
    const bool failed = message.Get(mcp::Key::kIsError) == "true";
    const Duration ttl = failed ? settings.negative_ttl
                                : settings.TtlFor(WholeNumber(message.Get(mcp::Key::kTtlMs)));
    const bool fits = message.size() <= settings.max_entry;
    const auto answer =
        ttl > Duration(0) && fits ? KeptAnswer::Of(message) : std::shared_ptr<const KeptAnswer>();
    if (answer == nullptr) {
      LandAsIs(message);
      return message;
    }
    const bool everybody = message.Get(mcp::Key::kCacheScope) == R"("public")";
    if (everybody) ++shared_->shared_answers;
    shared_->Put(everybody ? keys_.Everybody() : keys_.own,
                 std::make_shared<const AnswerCache::Entry>(
                     AnswerCache::Entry{.answer = answer,
                                        .since = shared_->clock.Now(),
                                        .ttl = ttl,
                                        .stale = failed ? Duration(0) : settings.longest_stale(),
                                        .topic = keys_.topic,
                                        .generation = keys_.generation}));
    Land({.answer = answer});
    NoteMiss(message);
    return message;
  }

  Shared* shared_;
  const Rules* rules_;  // lives as long as the call's target
  Call* call_;
  CacheKeys keys_;
  TimePoint until_;  // the call's own time, which stages further in shorten
  AnswerCache::EntryPtr old_;
  std::shared_ptr<Flight> flight_;  // null: nobody waits for this
  bool streams_ = false;
  bool counted_ = false;
};

class LeadingReply final : public Reply {
 public:
  LeadingReply(ReplyPtr inner, Leading leading)
      : leading_(std::move(leading)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      Result<mcp::Message> told = leading_.Failed(std::move(next.error()));
      if (!told) co_return Failure(std::move(told.error()));
      next = std::move(*told);
    } else if (*next) {
      next = leading_.Saw(std::move(**next));
    }
    co_return next;
  }

 private:
  Leading leading_;  // outlives inner_: what is cancelled ends before another begins
  ReplyPtr inner_;
};

}  // namespace switchyard::policies::cache
