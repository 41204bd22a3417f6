#include "pin_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <spdlog/spdlog.h>

#include "base/digest.h"
#include "mcp/json_string.h"
#include "mcp/scan.h"
#include "pin_record.h"

namespace switchyard {
namespace {

using pins::Kind;

constexpr std::size_t kMostLines = 20;  // of the log, for one list
// How often names of one server's tools have all others scanned anew.
constexpr unsigned kMostStirs = 6;
constexpr Duration kStirWindow = std::chrono::minutes(30);
constexpr Duration kWhenBusy = std::chrono::seconds(1), kWhenFailed = std::chrono::seconds(30);

pins::Act ActOf(config::Pinning::Act act) { return static_cast<pins::Act>(act); }

pins::Rules RulesOf(const config::Pinning& pinning) {
  return {.change = ActOf(pinning.change),
          .only_accepted = pinning.only_accepted,
          .scan = ActOf(pinning.scan),
          .threshold = static_cast<pins::Severity>(pinning.threshold)};
}

// Of what is written in the configuration, so no secret of the environment goes into it.
std::string OriginOf(const config::Server& server) {
  std::string text = server.builtin      ? server.name
                     : server.is_stdio() ? server.command.Shown()
                                         : server.url.Shown();
  for (const config::Secret& arg : server.args) text.append(1, '\0').append(arg.Shown());
  return Sha256(text);
}

std::string Stamp(std::chrono::system_clock::time_point at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

const std::vector<std::string>& ItemsOf(const catalog::Inventory& inventory, Kind kind) {
  switch (kind) {
    case Kind::kTool: return inventory.tools;
    case Kind::kPrompt: return inventory.prompts;
    case Kind::kResource: return inventory.resources;
    default: return inventory.templates;
  }
}

// "" = it has none, and no catalog takes it.
std::string NameIn(const std::string& item, Kind kind) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(item);
  const std::string_view key = kind == Kind::kTemplate   ? "uriTemplate"
                               : kind == Kind::kResource ? "uri"
                                                         : "name";
  const mcp::Field* field = fields ? mcp::Find(*fields, key) : nullptr;
  return field == nullptr ? "" : mcp::Unquote(field->value).value_or("");
}

constexpr std::array kLists = {Kind::kTool, Kind::kPrompt, Kind::kResource, Kind::kTemplate};

// The first of each name: the others no catalog offers.
std::vector<pins::Listed> ListedIn(const catalog::Inventory& inventory) {
  std::vector<pins::Listed> listed;
  std::set<pins::ItemId> seen;
  for (const Kind kind : kLists) {
    for (const std::string& item : ItemsOf(inventory, kind)) {
      pins::ItemId id{.kind = kind, .name = NameIn(item, kind)};
      if (id.name.empty() || !seen.insert(id).second) continue;
      listed.push_back({.id = std::move(id), .definition = pins::DefinitionOf(kind, item)});
    }
  }
  if (!inventory.facts.instructions.empty()) {
    listed.push_back({.id = {.kind = Kind::kInstructions, .name = ""},
                      .definition = pins::InstructionsOf(inventory.facts.instructions)});
  }
  return listed;
}

// Without what is held, and without the second of a name: were the first one not served, it would
// be, unseen.
std::shared_ptr<const catalog::Inventory> Without(const catalog::Inventory& raw,
                                                  const std::set<pins::ItemId>& held) {
  auto offered = std::make_shared<catalog::Inventory>(raw);
  std::set<pins::ItemId> seen;
  const auto strip = [&](Kind kind, std::vector<std::string>& items) {
    std::erase_if(items, [&](const std::string& item) {
      const pins::ItemId id{.kind = kind, .name = NameIn(item, kind)};
      if (!id.name.empty() && !seen.insert(id).second) return true;
      if (!held.contains(id)) return false;
      if (kind == Kind::kResource) offered->withheld_uris.push_back(id.name);
      if (kind == Kind::kTemplate) offered->withheld_templates.push_back(id.name);
      return true;
    });
  };
  strip(Kind::kTool, offered->tools);
  strip(Kind::kPrompt, offered->prompts);
  strip(Kind::kResource, offered->resources);
  strip(Kind::kTemplate, offered->templates);
  if (held.contains({.kind = Kind::kInstructions, .name = ""})) offered->facts.instructions.clear();
  return offered;
}

}  // namespace

PinKeeper::PinKeeper(Executor executor, Timers& timers, telemetry::Metrics& metrics,
                     audit::Sink* log, std::function<void()> again)
    : executor_(executor),
      timers_(timers),
      metrics_(metrics),
      again_(std::move(again)),
      log_(log) {}

Result<void> PinKeeper::Inspect(const config::Config& config) {
  if (config.pins_file.empty()) return {};
  Result<pins::Book> read = pins::BookFile(config.pins_file).Read();
  if (read) return {};
  return Failure(std::move(read.error()));
}

void PinKeeper::Configure(const config::Config& config) {
  servers_.clear();
  configured_.clear();
  for (const auto& [name, server] : config.servers) {
    configured_.insert(name);
    servers_[name] = {.rules = RulesOf(server.pinning),
                      .origin = OriginOf(server),
                      .prefix = server.effective_prefix()};
  }
  std::erase_if(judged_, [this](const auto& one) { return !configured_.contains(one.first); });
  std::erase_if(stirs_, [this](const auto& one) { return !configured_.contains(one.first); });
  std::erase_if(held_, [this](const auto& one) { return !configured_.contains(one.first); });
  const std::string path = config.pins_file;
  stale_ = true;
  if (path.empty()) return Close();
  if (file_ && file_->path() == path) return;
  Close();
  book_ = {};
  file_.emplace(path);
  // Also when it is not changed: what it was for another path is of no interest.
  if (Result<pins::Book> read = file_->Read()) {
    book_ = std::move(*read);
  } else {
    Failed(read.error());
    unread_ = true;
  }
  watch_ = std::make_unique<pins::FileWatch>(executor_, path, [this] {
    if (file_->Changed()) again_();
  });
}

void PinKeeper::Close() {
  watch_.reset();
  retry_.Cancel();
  rescan_.Cancel();
  file_.reset();
  unread_ = unsaved_ = false;
}

void PinKeeper::Judge(std::vector<catalog::ServerState>& states) {
  if (!file_) return;
  Decide(states);
  for (catalog::ServerState& state : states) {
    const auto found = judged_.find(state.naming.server);
    if (found == judged_.end()) continue;
    for (Inventory* inventory : {&state.inventory, &state.last}) {
      if (*inventory == found->second.raw) *inventory = found->second.offered;
    }
  }
}

void PinKeeper::Decide(const std::vector<catalog::ServerState>& states) {
  const auto is_new = [this](const catalog::ServerState& state) {
    const Inventory& raw = state.inventory != nullptr ? state.inventory : state.last;
    const auto found = judged_.find(state.naming.server);
    return raw != nullptr && (found == judged_.end() || found->second.raw != raw);
  };
  const bool due = stale_ || unsaved_ || file_->Changed();
  if (!due && std::ranges::none_of(states, is_new)) return;
  Result<Fd> lock = file_->Lock(false);
  const bool busy = !lock && lock.error().retryable;
  if (!lock && !busy) Failed(lock.error());
  if (lock && Reread()) stale_ = true;
  DecideOn(states);
  if (unsaved_ && lock) Save();
  // While the file is broken nothing is to be tried: whoever mends it is noticed.
  if (unsaved_ && !unread_) retry_ = timers_.In(busy ? kWhenBusy : kWhenFailed, again_);
}

void PinKeeper::DecideOn(const std::vector<catalog::ServerState>& states) {
  NoteNames(states);
  if (Adopt()) unsaved_ = stale_ = true;
  if (stale_) judged_.clear();
  stale_ = false;
  for (const catalog::ServerState& state : states) {
    const std::string& name = state.naming.server;
    const Inventory& raw = state.inventory != nullptr ? state.inventory : state.last;
    const auto known = judged_.find(name);
    if (raw == nullptr || (known != judged_.end() && known->second.raw == raw)) continue;
    const auto server = servers_.find(name);
    if (server == servers_.end()) continue;
    judged_[name] = {.raw = raw, .offered = JudgeOne(name, server->second, raw)};
  }
}

// True: it was changed by somebody else.
bool PinKeeper::Reread() {
  if (!file_->Changed()) return false;
  if (!file_->exists()) {
    // To forget is what `switchyard pins forget` is for; a file that got lost is written again.
    unsaved_ |= !book_.servers.empty();
    return false;
  }
  Result<pins::Book> read = file_->Read();
  unread_ = !read.has_value();
  if (!read) {
    Failed(read.error());
    return false;
  }
  // Who wrote it has not seen what could not be written.
  pins::Book book = unsaved_ ? pins::Merged(std::move(*read), book_) : std::move(*read);
  if (book == book_) return false;
  RecordChoices(log_, timers_.clock().WallNow(), book_, book);
  book_ = std::move(book);
  spdlog::info("pins: {} was changed and is read again", file_->path());
  return true;
}

bool PinKeeper::Adopt() {
  bool changed = false;
  for (const auto& [name, server] : servers_) {
    if (book_.servers.contains(name)) continue;
    const auto renamed = std::ranges::find_if(book_.servers, [&](const auto& known) {
      return known.second.origin == server.origin && !configured_.contains(known.first);
    });
    if (renamed == book_.servers.end()) continue;
    spdlog::info("pins: server {} is what {} was: its pins go with it", name, renamed->first);
    auto node = book_.servers.extract(renamed);
    node.key() = name;
    book_.servers.insert(std::move(node));
    changed = true;
  }
  return changed;
}

PinKeeper::Inventory PinKeeper::JudgeOne(const std::string& name, const Server& server,
                                         const Inventory& raw) {
  auto& gauges = held_[name];
  for (std::size_t why = 0; why < pins::kWhys; ++why) {
    const std::string word(pins::Word(static_cast<pins::Why>(why)));
    if (server.rules.on() && gauges[why] == nullptr) {
      gauges[why] = metrics_.GaugeOf("switchyard_pin_quarantined", {name, word});
    }
    if (gauges[why] != nullptr) gauges[why]->Set(0);
  }
  if (!server.rules.on()) {
    Release(name);
    return raw;
  }
  const std::string now = Stamp(timers_.clock().WallNow());
  pins::Judgement judgement = pins::Judge(name, ListedIn(*raw), server.rules, names_, now, book_);
  unsaved_ |= judgement.changed;
  if (const auto section = book_.servers.find(name);
      section != book_.servers.end() && section->second.origin != server.origin) {
    section->second.origin = server.origin;
    unsaved_ = true;
  }
  RecordVerdicts(log_, timers_.clock().WallNow(), name, judgement.verdicts, book_);
  std::set<pins::ItemId> held;
  std::size_t fresh = 0;
  for (const pins::Verdict& verdict : judgement.verdicts) {
    if (verdict.fresh) Count(name, verdict);
    if (verdict.fresh && ++fresh <= kMostLines) Tell(name, verdict);
    if (!verdict.held) continue;
    gauges[static_cast<std::size_t>(verdict.why)]->Add(1);
    held.insert(verdict.id);
  }
  if (fresh > kMostLines) {
    spdlog::warn("server {}: so are {} more: `switchyard pins diff {}` shows all", name,
                 fresh - kMostLines, name);
  }
  return Without(*raw, held);
}

// Nothing waits where nobody asks for it.
void PinKeeper::Release(const std::string& name) {
  const auto section = book_.servers.find(name);
  if (section == book_.servers.end()) return;
  auto& items = section->second.items;
  for (auto& [id, entry] : items) {
    unsaved_ |= entry.pending.has_value();
    entry.pending.reset();
  }
  std::erase_if(items, [](const auto& one) { return one.second.empty(); });
}

void PinKeeper::Count(const std::string& name, const pins::Verdict& verdict) {
  const std::string action = verdict.held ? "quarantined" : "offered";
  metrics_
      .CounterOf("switchyard_pin_verdicts_total",
                 {name, std::string(pins::Word(verdict.why)), action})
      .Add();
  for (const pins::Finding& finding : verdict.findings) {
    metrics_.CounterOf("switchyard_pin_findings_total", {name, finding.rule}).Add();
  }
}

void PinKeeper::Tell(const std::string& name, const pins::Verdict& verdict) {
  std::string rules;
  for (const pins::Finding& finding : verdict.findings) {
    if (!rules.contains(finding.rule)) rules += (rules.empty() ? "" : ", ") + finding.rule;
  }
  std::string_view why;
  switch (verdict.why) {
    case pins::Why::kChanged: why = "is not the one that was pinned"; break;
    case pins::Why::kNew: why = "was never accepted"; break;
    case pins::Why::kScan: why = "may hold instructions for the model"; break;
    case pins::Why::kFull: why = "is one too many to be pinned"; break;
  }
  const std::string item = pins::Visible(pins::ToString(verdict.id)).substr(0, 200);
  spdlog::warn("server {}: {} {} {}{}{}: `switchyard pins diff {}` shows it", name, item, why,
               verdict.held ? "and is quarantined" : "and is offered all the same",
               rules.empty() ? "" : "; the scan found ", rules, name);
}

void PinKeeper::Failed(const Error& why) {
  metrics_.CounterOf("switchyard_pin_file_errors_total", {}).Add();
  if (why.message != last_failure_) spdlog::error("pins: {}", why.message);
  last_failure_ = why.message;
}

void PinKeeper::Save() {
  if (unread_) return;  // what stands there may be worth more than what is known here
  Result<void> written = file_->Write(book_);
  unsaved_ = !written.has_value();
  if (!written) return Failed(written.error());
  last_failure_.clear();
}

bool PinKeeper::Scans() const {
  return std::ranges::any_of(
      servers_, [](const auto& one) { return one.second.rules.scan != pins::Act::kOff; });
}

// What one server calls its tools may be spoken of in the definitions of all others.
void PinKeeper::NoteNames(const std::vector<catalog::ServerState>& states) {
  pins::ToolNames names;
  if (!Scans()) {
    names_ = std::move(names);
    return;
  }
  for (const catalog::ServerState& state : states) {
    const Inventory& raw = state.inventory != nullptr ? state.inventory : state.last;
    if (raw == nullptr) continue;
    std::size_t hash = 1;
    for (const std::string& tool : raw->tools) {
      const std::string name = NameIn(tool, Kind::kTool);
      names.Add(state.naming.server, state.naming.prefix, name);
      hash = hash * 31 + std::hash<std::string>()(name);
    }
    Stirs& stirs = stirs_[state.naming.server];
    if (std::exchange(stirs.hash, hash) == hash) continue;
    // The server itself is judged anew for its lists, whatever becomes of the others.
    stale_ |= MayStir(state.naming.server);
  }
  names_ = std::move(names);
}

// A server that changes its names all the time does not get everybody scanned all the time: the
// others are looked at again once it has calmed down.
bool PinKeeper::MayStir(const std::string& server) {
  Stirs& stirs = stirs_[server];
  const TimePoint now = timers_.clock().Now();
  if (stirs.count == 0 || now - stirs.since >= kStirWindow) {
    stirs.since = now;
    stirs.count = 0;
  }
  if (++stirs.count <= kMostStirs) return true;
  if (stirs.count == kMostStirs + 1) {
    spdlog::warn(
        "server {}: the names of its tools change again and again: what other servers say "
        "of them is scanned anew later",
        server);
  }
  rescan_ = timers_.At(stirs.since + kStirWindow, [this] {
    stale_ = true;
    again_();
  });
  return false;
}

}  // namespace switchyard
