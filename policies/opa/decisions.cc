#include "policies/opa/decisions.h"

#include <utility>

namespace switchyard::policies::opa {

class Decisions::Asking final : public Flight {
 public:
  Asking() : Flight(0) {}
  // Before it lands.
  std::optional<Said> said;

 private:
  void Over() override {}
};

// Of who asks: however it ends, nobody is left waiting.
class Decisions::Lead {
 public:
  Lead(Decisions& decisions, std::string key, std::shared_ptr<Asking> asking)
      : decisions_(decisions), key_(std::move(key)), asking_(std::move(asking)) {}
  Lead(const Lead&) = delete;
  ~Lead() {
    if (asking_ == nullptr) return;
    decisions_.Forget(key_, *asking_);
    asking_->Scatter();
  }

  void Land(const Result<Said>& result, Duration ttl) {
    const std::shared_ptr<Asking> asking = std::move(asking_);
    if (result) decisions_.Keep(key_, *result, ttl);
    decisions_.Forget(key_, *asking);
    Flight::Landing landing;
    if (result) {
      asking->said = *result;
    } else {
      landing.error = result.error();
    }
    asking->Land(std::move(landing));
  }

 private:
  Decisions& decisions_;
  const std::string key_;
  std::shared_ptr<Asking> asking_;  // null once it has landed
};

Task<Result<Decisions::Found>> Decisions::Get(std::shared_ptr<Decisions> self, std::string key,
                                              Duration ttl, TimePoint until, Ask ask) {
  for (;;) {
    std::shared_ptr<Asking> asking;
    bool leads = false;
    {
      const std::lock_guard lock(self->mutex_);
      Slot& slot = self->slots_[key];
      if (slot.said && self->clock_.Now() < slot.expires) {
        self->order_.splice(self->order_.begin(), self->order_, slot.place);
        co_return Found{.said = *slot.said, .from = From::kKept};
      }
      leads = slot.asking == nullptr;
      if (leads) slot.asking = std::make_shared<Asking>();
      asking = slot.asking;
    }
    if (leads) {
      Lead lead(*self, key, asking);
      Result<Said> said = co_await ask();
      // One that had less time than others has not found out for them.
      const bool own = !said && said.error().code == Code::kDeadline;
      if (!own) lead.Land(said, ttl);
      if (!said) co_return Failure(std::move(said.error()));
      co_return Found{.said = std::move(*said)};
    }
    switch (co_await Flight::Follow(asking, until, self->clock_)) {
      case Flight::Told::kLanded:
        if (asking->said) co_return Found{.said = *asking->said, .from = From::kShared};
        co_return Failure(asking->landing().error.value_or(Error()));
      case Flight::Told::kTimedOut:
        co_return Failure(Code::kDeadline, Origin::kServer, "no decision in time");
      case Flight::Told::kLeads:  // nobody hands it over
      case Flight::Told::kAlone: break;
    }
    if (self->clock_.Now() >= until) {
      co_return Failure(Code::kDeadline, Origin::kServer, "no decision in time");
    }
  }
}

void Decisions::Keep(const std::string& key, const Said& said, Duration ttl) {
  if (ttl <= Duration::zero()) return;
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[key];
  if (slot.said) {
    order_.splice(order_.begin(), order_, slot.place);
  } else {
    slot.place = order_.insert(order_.begin(), key);
  }
  slot.said = said;
  slot.expires = clock_.Now() + ttl;
  while (order_.size() > most_) {
    const auto oldest = slots_.find(order_.back());
    order_.pop_back();
    oldest->second.said.reset();
    if (oldest->second.asking == nullptr) slots_.erase(oldest);
  }
}

void Decisions::Forget(const std::string& key, const Asking& asking) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(key);
  if (slot == slots_.end() || slot->second.asking.get() != &asking) return;
  slot->second.asking = nullptr;
  if (!slot->second.said) slots_.erase(slot);
}

std::size_t Decisions::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace switchyard::policies::opa
