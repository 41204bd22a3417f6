#include "edge/task_board.h"

#include <algorithm>
#include <utility>

namespace switchyard::edge {

std::size_t TaskBoard::BytesOf(const Place& place) const {
  return place.entry.result == nullptr ? 0 : place.entry.result->size();
}

void TaskBoard::Drop(Places::iterator place) {
  result_bytes_ -= BytesOf(*place);
  const auto session = sessions_.find(place->session);
  session->second.erase(place->id);
  if (session->second.empty()) sessions_.erase(session);
  places_.erase(place);
}

void TaskBoard::DropExpired() {
  const TimePoint now = clock_.Now();
  for (auto place = places_.begin(); place != places_.end();) {
    const auto next = std::next(place);
    if (place->until <= now) Drop(place);
    place = next;
  }
}

TaskBoard::Places::iterator TaskBoard::Look(const std::string& session,
                                            const std::string& id) const {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return places_.end();
  const auto place = known->second.find(id);
  if (place == known->second.end() || place->second->until <= clock_.Now()) return places_.end();
  return place->second;
}

void TaskBoard::Add(const std::string& session, const std::string& id, Entry entry, Duration keep) {
  const std::lock_guard lock(mutex_);
  if (const auto old = Look(session, id); old != places_.end()) Drop(old);
  const std::size_t bytes = entry.result == nullptr ? 0 : entry.result->size();
  if (places_.size() >= limits_.total || result_bytes_ + bytes > limits_.result_bytes) {
    DropExpired();
  }
  const auto too_much = [&] {
    return places_.size() >= limits_.total || result_bytes_ + bytes > limits_.result_bytes;
  };
  while (!places_.empty() && too_much()) Drop(places_.begin());
  if (const auto own = sessions_.find(session);
      own != sessions_.end() && own->second.size() >= limits_.per_session) {
    Drop(std::ranges::find(places_, session, &Place::session));
  }
  places_.push_back({.session = session,
                     .id = id,
                     .entry = std::move(entry),
                     .until = clock_.Now() + std::min(keep, limits_.longest)});
  result_bytes_ += bytes;
  sessions_[session][id] = std::prev(places_.end());
}

std::optional<TaskBoard::Entry> TaskBoard::Find(const std::string& session,
                                                const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto place = Look(session, id);
  if (place == places_.end()) return std::nullopt;
  return place->entry;
}

void TaskBoard::Note(const std::string& session, const std::string& id, std::string task) {
  const std::lock_guard lock(mutex_);
  const auto place = Look(session, id);
  if (place != places_.end() && !place->entry.cancelled) place->entry.task = std::move(task);
}

void TaskBoard::Cancel(const std::string& session, const std::string& id, std::string task) {
  const std::lock_guard lock(mutex_);
  const auto place = Look(session, id);
  if (place == places_.end()) return;
  place->entry.cancelled = true;
  place->entry.task = std::move(task);
}

std::vector<std::string> TaskBoard::List(const std::string& session) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> tasks;
  if (!sessions_.contains(session)) return tasks;
  for (const Place& place : places_) {
    if (place.session == session && place.until > clock_.Now()) tasks.push_back(place.entry.task);
  }
  return tasks;
}

void TaskBoard::Forget(const std::string& session) {
  const std::lock_guard lock(mutex_);
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  std::vector<Places::iterator> places;
  for (const auto& [id, place] : known->second) places.push_back(place);
  for (const auto place : places) Drop(place);
}

std::size_t TaskBoard::size() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

}  // namespace switchyard::edge
