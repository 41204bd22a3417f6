#include "pins/judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace switchyard::pins {
namespace {

std::string KeptOf(const Definition& definition) {
  return definition.text.size() > kMostKept ? "" : definition.text;
}

class Judging {
 public:
  Judging(const std::string& server, const Rules& rules, const ToolNames& names,
          const std::string& now, ServerPins& pins)
      : server_(server), rules_(rules), names_(names), now_(now), pins_(pins) {}

  void Item(const Listed& item) {
    const auto found = pins_.items.find(item.id);
    const Entry before = found == pins_.items.end() ? Entry() : found->second;
    Entry after = before;
    std::optional<Verdict> verdict = Decide(item, after);
    if (before.empty() && !after.empty() && pins_.items.size() >= kMostPerServer) {
      // No room to remember it by: what cannot be pinned is not offered.
      after = {};
      verdict = Verdict{.id = item.id,
                        .why = Why::kFull,
                        .held = rules_.change == Act::kQuarantine,
                        .fresh = !full_};
      full_ = true;
    }
    if (verdict) out_.verdicts.push_back(std::move(*verdict));
    if (after == before) return;
    out_.changed = true;
    if (after.empty()) {
      pins_.items.erase(item.id);
    } else {
      pins_.items[item.id] = std::move(after);
    }
  }

  // What waits of items that are not listed any more.
  void Sweep(const std::vector<Listed>& listed) {
    std::set<ItemId> here;
    for (const Listed& item : listed) here.insert(item.id);
    for (auto entry = pins_.items.begin(); entry != pins_.items.end();) {
      if (!entry->second.pending || here.contains(entry->first)) {
        ++entry;
        continue;
      }
      out_.changed = true;
      entry->second.pending.reset();
      entry = entry->second.empty() ? pins_.items.erase(entry) : std::next(entry);
    }
  }

  Judgement Take() { return std::move(out_); }

 private:
  std::vector<Finding> Scanned(const Listed& item) const {
    if (rules_.scan == Act::kOff) return {};
    std::vector<Finding> findings = ScanDefinition(item.id.kind, item.definition, server_, names_);
    std::erase_if(findings, [this](const Finding& f) { return f.severity < rules_.threshold; });
    return findings;
  }

  std::optional<Verdict> Decide(const Listed& item, Entry& entry) {
    const Definition& definition = item.definition;
    const bool same = entry.pin && entry.pin->hash == definition.hash;
    if (same && entry.pin->trust == Trust::kAccepted) {
      entry.pending.reset();
      return std::nullopt;
    }
    const std::vector<Finding> findings = Scanned(item);
    const Act on_scan = findings.empty() ? Act::kOff : rules_.scan;
    Act on_change = Act::kOff;
    Why why = Why::kScan;
    if (entry.pin && !same) {
      on_change = rules_.change;
      why = Why::kChanged;
    } else if (!entry.pin && rules_.only_accepted) {
      on_change = rules_.change;
      why = Why::kNew;
    }
    const Act act = std::max(on_change, on_scan);
    // What a scan holds is not trusted for having been seen.
    if (!entry.pin && on_change == Act::kOff && on_scan != Act::kQuarantine &&
        rules_.change != Act::kOff) {
      entry.pin = Pin{.hash = definition.hash,
                      .trust = Trust::kFirstSeen,
                      .since = now_,
                      .text = KeptOf(definition),
                      .canonical = definition.canonical};
    }
    if (act == Act::kOff) {
      entry.pending.reset();
      return std::nullopt;
    }
    if (on_change == Act::kOff) why = Why::kScan;
    return Wait(item, why, act == Act::kQuarantine, findings, entry);
  }

  Verdict Wait(const Listed& item, Why why, bool held, const std::vector<Finding>& findings,
               Entry& entry) const {
    Pending pending{.hash = item.definition.hash,
                    .why = why,
                    .held = held,
                    .since = now_,
                    .text = KeptOf(item.definition),
                    .canonical = item.definition.canonical,
                    .findings = findings};
    const bool known = entry.pending && entry.pending->hash == pending.hash &&
                       entry.pending->why == why && entry.pending->held == held;
    if (known) pending.since = entry.pending->since;
    entry.pending = std::move(pending);
    return {.id = item.id, .why = why, .held = held, .fresh = !known, .findings = findings};
  }

  const std::string& server_;
  const Rules& rules_;
  const ToolNames& names_;
  const std::string& now_;
  ServerPins& pins_;
  bool full_ = false;
  Judgement out_;
};

}  // namespace

Judgement Judge(const std::string& server, const std::vector<Listed>& listed, const Rules& rules,
                const ToolNames& names, const std::string& now, Book& book) {
  const bool known = book.servers.contains(server);
  Judging judging(server, rules, names, now, book.servers[server]);
  for (const Listed& item : listed) judging.Item(item);
  judging.Sweep(listed);
  Judgement judgement = judging.Take();
  if (!known && !judgement.changed) book.servers.erase(server);
  return judgement;
}

std::string Accept(Entry& entry, std::string_view hash, const std::string& now) {
  if (!entry.pending || !entry.pending->hash.starts_with(hash)) return "";
  entry.pin = Pin{.hash = std::move(entry.pending->hash),
                  .trust = Trust::kAccepted,
                  .since = now,
                  .text = std::move(entry.pending->text),
                  .canonical = entry.pending->canonical};
  entry.pending.reset();
  return entry.pin->hash;
}

}  // namespace switchyard::pins
