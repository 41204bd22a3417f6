#include "orchestration/waiting/watches.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace switchyard::orchestration {

Watches::Watch::Watch(Watches& watches, Executor executor, std::set<Subject> subjects)
    : watches_(watches), subjects_(std::move(subjects)), box_(std::make_shared<Box>(executor)) {
  const std::lock_guard lock(watches_.mutex_);
  for (const Subject& subject : subjects_) watches_.boxes_[subject].insert(box_);
  ++watches_.count_;
}

Watches::Watch::~Watch() {
  const std::lock_guard lock(watches_.mutex_);
  for (const Subject& subject : subjects_) {
    const auto found = watches_.boxes_.find(subject);
    found->second.erase(box_);
    if (found->second.empty()) watches_.boxes_.erase(found);
  }
  --watches_.count_;
}

switchyard::Task<void> Watches::Watch::Wait() { co_await box_->mail.Take(); }

switchyard::Task<bool> Watches::Watch::WaitUntil(TimePoint until, Timers& timers) {
  const Timers::Handle timer = timers.At(until, [box = box_] { box->mail.Put(false); });
  const bool woken = co_await box_->mail.Take();
  co_return woken || timers.clock().Now() < until;  // one of an earlier wait says nothing
}

std::set<Subject> Watches::Watch::Take() {
  const std::lock_guard lock(watches_.mutex_);
  box_->woken = false;
  return std::exchange(box_->due, {});
}

void Watches::Changed(const Records::Effects& effects) {
  if (count_ == 0 || (effects.tasks.empty() && effects.agents.empty())) return;
  const std::lock_guard lock(mutex_);
  for (const TaskId task : effects.tasks) Tell({.task = task});
  for (const std::string& agent : effects.agents) Tell({.task = 0, .agent = agent});
  if (!effects.tasks.empty()) Tell({});
}

void Watches::Tell(const Subject& subject) {
  const auto found = boxes_.find(subject);
  if (found == boxes_.end()) return;
  for (const std::shared_ptr<Box>& box : found->second) {
    box->due.insert(subject);
    Wake(box);
  }
}

void Watches::Wake(const std::shared_ptr<Box>& box) {
  if (std::exchange(box->woken, true)) return;
  net::post(box->executor, [box] { box->mail.Put(true); });
}

void Watches::WakeAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [subject, boxes] : boxes_) {
    for (const std::shared_ptr<Box>& box : boxes) Wake(box);
  }
}

}  // namespace switchyard::orchestration
