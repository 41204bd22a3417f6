#include "orchestration/vouching.h"

#include <utility>

#include "orchestration/lanes.h"

namespace switchyard::orchestration {
namespace {

const std::vector<std::string>& CountingOf(const Agent& agent) {
  static const std::vector<std::string> kNone;
  return agent.vouched && !agent.owner.empty() ? agent.capabilities : kNone;
}

}  // namespace

Result<void> NoteVouched(Records& records, const Agent* before, const Agent& now) {
  static const std::vector<std::string> kNone;
  const std::vector<std::string>& counted = before == nullptr ? kNone : CountingOf(*before);
  const std::vector<std::string>& counts = CountingOf(now);
  const bool same_owner = before == nullptr || counts.empty() || before->owner == now.owner;
  if (counted == counts && same_owner) return {};
  Result<std::int64_t> serial = Next(records, "vouched");
  if (!serial) return Failure(std::move(serial.error()));
  records.effects.vouched.push_back(
      {.serial = *serial, .entry = {.agent = now.id, .owner = now.owner, .capabilities = counts}});
  return {};
}

void Vouching::Trust(const Settings& settings) const {
  if (directory_ == nullptr) return;
  AgentDirectory::Words roles;
  if (settings.roles != nullptr) {
    roles = settings.roles->of[static_cast<std::size_t>(Right::kVouch)].value_or(roles);
  }
  directory_->Trust(std::move(roles));
}

Result<void> Vouching::Read(Records& records, Vouched& into) const {
  into = {};
  if (directory_ == nullptr) return {};
  Result<Database::Rows> now =
      records.sql.Query("SELECT value FROM counter WHERE name = $1", {"vouched"});
  if (!now) return Failure(std::move(now.error()));
  if (now->empty() || now->front().Number(0) <= directory_->serial()) return {};
  Result<Database::Rows> rows =
      records.sql.Query("SELECT id, owner, capabilities FROM agent WHERE vouched = 1 ORDER BY id");
  if (!rows) return Failure(std::move(rows.error()));
  into.serial = now->front().Number(0);
  into.all.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    into.all.push_back(
        {.agent = row.Text(0), .owner = row.Text(1), .capabilities = WordsOf(row.Text(2))});
  }
  return {};
}

void Vouching::Publish(const Vouched& vouched) const {
  if (directory_ != nullptr) directory_->Replace(vouched.serial, vouched.all);
}

void Vouching::Publish(const Records::Effects& effects) const {
  if (directory_ == nullptr) return;
  for (const AgentDirectory::Change& change : effects.vouched) directory_->Apply(change);
}

}  // namespace switchyard::orchestration
