#include "cli/pins.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>

#include "cli/exit.h"
#include "cli/find_config.h"
#include "pins/book_file.h"
#include "pins/diff.h"
#include "pins/judge.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;
using pins::Book;
using pins::Entry;
using pins::ItemId;

constexpr std::size_t kContext = 3, kShownHash = 12;

std::optional<pins::BookFile> FileOf(const PinsOptions& options, std::ostream& err) {
  const std::optional<std::string> path = FindConfig(options.config);
  if (!path) {
    err << ConfigLesson();
    return std::nullopt;
  }
  const std::optional<config::Config> config = LoadConfig(*path, err);
  if (!config) {
    err << *path << " cannot be used\n";
    return std::nullopt;
  }
  if (config->pins_file.empty()) {
    err << *path << " pins nothing: give it `pins: {}`\n";
    return std::nullopt;
  }
  return pins::BookFile(config->pins_file);
}

std::optional<Book> BookOf(const PinsOptions& options, std::ostream& err) {
  std::optional<pins::BookFile> file = FileOf(options, err);
  if (!file) return std::nullopt;
  Result<Book> book = file->Read();
  if (book) return std::move(*book);
  err << book.error().message << "\n";
  return std::nullopt;
}

// `change` says whether there is anything to write.
int Change(const PinsOptions& options, std::ostream& err,
           const std::function<int(Book&, bool& changed)>& change) {
  std::optional<pins::BookFile> file = FileOf(options, err);
  if (!file) return kFailed;
  const auto failed = [&err](const Error& why) {
    err << why.message << "\n";
    return int{kFailed};
  };
  const Result<Fd> lock = file->Lock(true);
  if (!lock) return failed(lock.error());
  Result<Book> book = file->Read();
  if (!book) return failed(book.error());
  bool changed = false;
  const int exit = change(*book, changed);
  if (!changed) return exit;
  if (Result<void> written = file->Write(*book); !written) return failed(written.error());
  return exit;
}

// False: it is not known, which `err` says.
bool Knows(const Book& book, const PinsOptions& options, std::ostream& err) {
  if (options.server.empty() || book.servers.contains(options.server)) return true;
  err << "nothing is known of a server " << pins::Visible(options.server) << "; known are:";
  for (const auto& [name, server] : book.servers) err << " " << name;
  err << "\n";
  return false;
}

using Each = std::function<void(const std::string& server, const ItemId& id, const Entry& entry)>;

// Those that were asked for. False: one of them is not there.
bool ForEach(const Book& book, const PinsOptions& options, std::ostream& err, const Each& each) {
  if (!Knows(book, options, err)) return false;
  std::vector<ItemId> wanted;
  for (const std::string& item : options.items) {
    const std::optional<ItemId> id = pins::ParseItemId(item);
    const auto server = book.servers.find(options.server);
    if (!id || server == book.servers.end() || !server->second.items.contains(*id)) {
      err << options.server << " has no " << pins::Visible(item) << "; `switchyard pins list "
          << options.server << "` shows what it has\n";
      return false;
    }
    wanted.push_back(*id);
  }
  for (const auto& [name, server] : book.servers) {
    if (!options.server.empty() && name != options.server) continue;
    for (const auto& [id, entry] : server.items) {
      if (wanted.empty() || std::ranges::find(wanted, id) != wanted.end()) each(name, id, entry);
    }
  }
  return true;
}

std::string_view StateOf(const Entry& entry) {
  if (!entry.pending) return "pinned";
  return entry.pending->held ? "quarantined" : "offered";
}

std::string PrettyOf(const std::string& text, bool canonical) {
  if (text.empty()) return "(too large to keep)";
  return canonical ? pins::PrettyJson(text) : pins::Visible(text);
}

json::object ToJson(const std::string& server, const ItemId& id, const Entry& entry) {
  json::object out{{"server", server},
                   {"kind", pins::Word(id.kind)},
                   {"name", id.name},
                   {"item", pins::ToString(id)},
                   {"state", StateOf(entry)}};
  if (entry.pin) {
    out["pinned"] = json::object{{"hash", entry.pin->hash},
                                 {"trust", pins::Word(entry.pin->trust)},
                                 {"since", entry.pin->since},
                                 {"definition", entry.pin->text}};
  }
  if (!entry.pending) return out;
  json::array findings;
  for (const pins::Finding& finding : entry.pending->findings) {
    findings.push_back(json::object{{"rule", finding.rule},
                                    {"severity", pins::Word(finding.severity)},
                                    {"at", finding.at},
                                    {"excerpt", finding.excerpt}});
  }
  out["pending"] = json::object{{"hash", entry.pending->hash},
                                {"why", pins::Word(entry.pending->why)},
                                {"since", entry.pending->since},
                                {"definition", entry.pending->text},
                                {"findings", std::move(findings)}};
  return out;
}

std::string_view WhyOf(const pins::Pending& pending) {
  switch (pending.why) {
    case pins::Why::kChanged: return "changed since it was pinned";
    case pins::Why::kNew: return "new, nobody accepted it";
    case pins::Why::kScan: return "the scan found something in it";
    case pins::Why::kFull: return "one too many to be pinned";
  }
  return "";
}

void ShowPending(const std::string& server, const ItemId& id, const Entry& entry, bool colours,
                 std::ostream& out) {
  const pins::Pending& pending = *entry.pending;
  out << server << " " << pins::Visible(pins::ToString(id)) << ": " << StateOf(entry) << " since "
      << pending.since << ", " << WhyOf(pending) << "; hash " << pending.hash.substr(0, kShownHash)
      << "\n";
  for (const pins::Finding& finding : pending.findings) {
    out << "  " << pins::Word(finding.severity) << " " << finding.rule << " at "
        << pins::Visible(finding.at) << ": " << pins::Visible(finding.excerpt) << "\n";
  }
  const bool same = entry.pin && entry.pin->hash == pending.hash;
  const std::string before =
      entry.pin && !same ? PrettyOf(entry.pin->text, entry.pin->canonical) : "";
  const auto lines = pins::DiffLines(before, PrettyOf(pending.text, pending.canonical));
  out << pins::DiffText(lines, kContext, colours) << "\n";
}

std::string Stamp(const Clock& clock) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(clock.WallNow())));
}

}  // namespace

int RunPinsList(const PinsOptions& options, std::ostream& out, std::ostream& err) {
  const std::optional<Book> book = BookOf(options, err);
  if (!book) return kFailed;
  json::array all;
  bool any = false;
  const bool found =
      ForEach(*book, options, err, [&](const auto& server, const auto& id, const Entry& entry) {
        any = true;
        if (options.json) {
          all.push_back(ToJson(server, id, entry));
          return;
        }
        const std::string& hash = entry.pin ? entry.pin->hash : entry.pending->hash;
        out << server << "  " << pins::Visible(pins::ToString(id)) << "  " << StateOf(entry) << "  "
            << (entry.pin ? pins::Word(entry.pin->trust) : "not pinned") << "  "
            << hash.substr(0, kShownHash) << "\n";
      });
  if (!found) return kFailed;
  if (options.json) {
    out << json::serialize(all) << "\n";
  } else if (!any) {
    out << "nothing is pinned yet\n";
  }
  return kOk;
}

int RunPinsDiff(const PinsOptions& options, bool only_held, std::ostream& out, std::ostream& err) {
  const std::optional<Book> book = BookOf(options, err);
  if (!book) return kFailed;
  json::array all;
  bool any = false;
  const bool found =
      ForEach(*book, options, err, [&](const auto& server, const auto& id, const Entry& entry) {
        if (!entry.pending || (only_held && !entry.pending->held)) return;
        any = true;
        if (options.json) {
          all.push_back(ToJson(server, id, entry));
        } else {
          ShowPending(server, id, entry, options.colours, out);
        }
      });
  if (!found) return kFailed;
  if (options.json) {
    out << json::serialize(all) << "\n";
  } else if (any) {
    out << "accept with `switchyard pins accept SERVER ITEM`, all of a server with `--all`\n";
  } else {
    out << (only_held ? "nothing is quarantined\n" : "nothing waits to be looked at\n");
  }
  return kOk;
}

int RunPinsAccept(const PinsOptions& options, const Clock& clock, std::ostream& out,
                  std::ostream& err) {
  if (options.items.empty() != options.all) {
    err << "name what to accept, or say --all for all that waits of " << options.server << "\n";
    return kUsage;
  }
  return Change(options, err, [&](Book& book, bool& changed) {
    std::vector<ItemId> ids;
    const bool found = ForEach(
        book, options, err, [&](const auto&, const auto& id, const auto&) { ids.push_back(id); });
    if (!found) return int{kFailed};
    int exit = kOk;
    for (const ItemId& id : ids) {
      Entry& entry = book.servers.at(options.server).items.at(id);
      const std::string name = pins::Visible(pins::ToString(id));
      if (options.all && !entry.pending) continue;
      const std::string hash = pins::Accept(entry, options.hash, Stamp(clock));
      if (!hash.empty()) {
        out << "accepted " << options.server << " " << name << " " << hash.substr(0, kShownHash)
            << "\n";
        changed = true;
        continue;
      }
      exit = kFailed;
      if (entry.pending) {
        err << options.server << " " << name << " has the hash " << entry.pending->hash
            << " by now: look at it again\n";
      } else {
        err << options.server << " " << name << " does not wait to be accepted\n";
      }
    }
    if (!changed && exit == kOk) out << "nothing of " << options.server << " waits\n";
    return exit;
  });
}

int RunPinsForget(const PinsOptions& options, std::ostream& out, std::ostream& err) {
  return Change(options, err, [&](Book& book, bool& changed) {
    std::vector<ItemId> ids;
    const bool found = ForEach(
        book, options, err, [&](const auto&, const auto& id, const auto&) { ids.push_back(id); });
    if (!found) return int{kFailed};
    changed = true;
    if (options.items.empty()) {
      book.servers.erase(options.server);
    } else {
      for (const ItemId& id : ids) book.servers.at(options.server).items.erase(id);
    }
    out << "forgot " << ids.size() << " of " << options.server << "\n";
    return int{kOk};
  });
}

int RunPinsMove(const PinsOptions& options, std::ostream& out, std::ostream& err) {
  return Change(options, err, [&](Book& book, bool& changed) {
    if (!Knows(book, options, err)) return int{kFailed};
    if (book.servers.contains(options.to)) {
      err << options.to << " has pins of its own; `switchyard pins forget " << options.to
          << "` first\n";
      return int{kFailed};
    }
    auto node = book.servers.extract(options.server);
    node.key() = options.to;
    book.servers.insert(std::move(node));
    changed = true;
    out << "the pins of " << options.server << " are those of " << options.to << "\n";
    return int{kOk};
  });
}

}  // namespace switchyard::cli
