// Where requests of one endpoint show who sends them, at one worker: what was proved once is looked
// up by its digest until it expires, so that all calls of a credential share one Principal and the
// next call costs a SHA-256. One thread; no lock.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/token_cache.h"
#include "base/deadline.h"
#include "base/task.h"

namespace switchyard::telemetry {
class Counter;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::auth {

class Gate {
 public:
  enum class Turned : std::uint8_t {
    kMissing,    // nothing was presented
    kMalformed,  // no header that could be understood
    kInvalid,    // a credential that is not, or no longer, good
    kScopes,     // a good one that may too little
  };
  struct Refused {
    Turned why = Turned::kMissing;
    Refusal refusal = {};
    // By other keys it might be good: see AwaitKeys().
    bool keys_may_come = false;
  };
  using Answer = std::expected<Caller, Refused>;

  // `endpoint` as metrics call it. `metrics` outlives this.
  Gate(std::shared_ptr<const Authenticator> authenticator, std::string endpoint,
       telemetry::Metrics& metrics);

  Answer Ask(const Evidence& evidence, WallTime now);
  // Of what was let in just now: when to ask again, for it may be good no longer. max() = only
  // when the gate is another one, or its keys are.
  WallTime GoodUntil(const Evidence& evidence, WallTime now);
  // Waits for newer keys, if there may be some now, for what was refused for the lack of one: ask
  // once more afterwards. The gate outlives the task.
  Task<void> AwaitKeys(std::string authorization, Deadline deadline);

  // A decision was made, counted once a request.
  void Count(const Answer& answer);

  const Authenticator& authenticator() const { return *authenticator_; }
  // 400, 401 or 403, and the challenge that goes with it.
  static int StatusOf(const Refused& refused);
  std::string ChallengeOf(const Refused& refused, std::string_view host,
                          std::string_view path) const;

 private:
  static constexpr std::size_t kOutcomes = 24;

  Answer AskToken(std::string_view token, WallTime now);
  Answer AskCertificate(const ClientCertificate& certificate, WallTime now);
  Answer Admit(const Caller& caller) const;
  void CountAs(std::size_t slot, std::string_view outcome);

  const std::shared_ptr<const Authenticator> authenticator_;
  const std::string endpoint_;
  telemetry::Metrics& metrics_;
  TokenCache cache_;
  std::array<telemetry::Counter*, kOutcomes> counters_{};  // asked for when first needed
};

}  // namespace switchyard::auth
