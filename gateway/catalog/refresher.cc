#include "catalog/refresher.h"

#include <set>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include "base/random.h"
#include "mcp/error_map.h"

namespace switchyard::catalog {
namespace {

// Far beyond any sane server: a server that never stops paging is cut off and named.
constexpr std::size_t kMaxPages = 10'000;
constexpr std::size_t kMaxItems = 100'000;
constexpr int kMostTorn = 3;  // listings in a row thrown away since the lists changed meanwhile

bool HasCapability(const ServerFacts& facts, std::string_view name) {
  boost::system::error_code error;
  const boost::json::value capabilities = boost::json::parse(facts.capabilities, error);
  return !error && capabilities.is_object() && capabilities.as_object().contains(name);
}

// Lists are asked with constant capabilities: servers may tailor them, and all clients share them.
std::shared_ptr<const Client> GatewayAsClient() {
  static const auto client = [] {
    auto made = std::make_shared<Client>();
    made->info = R"({"name":"switchyard","version":")" SWITCHYARD_VERSION R"("})";
    made->name = "switchyard";
    return made;
  }();
  return client;
}

Call CallOfOurs(mcp::Method method, std::string_view params, Deadline deadline) {
  Call call;
  call.message = mcp::Message::Make("1", mcp::Info(method).name, params);
  call.client = GatewayAsClient();
  call.deadline = deadline;
  return call;
}

std::string ErrorText(const mcp::Message& answer) {
  return std::string(answer.error().substr(0, 200));
}

}  // namespace

Refresher::Refresher(Downstream& downstream, Options options, Deps deps, Publish publish)
    : downstream_(downstream),
      options_(options),
      deps_(deps),
      publish_(std::move(publish)),
      listens_(options.backoff) {}

// In the frame of each task: Unwound() waits until the last one is gone.
struct Refresher::Live {
  explicit Live(Refresher& owner) : refresher(owner) { ++refresher.live_; }
  Live(const Live&) = delete;
  ~Live() {
    if (--refresher.live_ == 0 && refresher.all_gone_.empty()) refresher.all_gone_.Put(true);
  }
  Refresher& refresher;
};

// A listen call and its reply, which borrows the call: both last until the last who pulls is gone.
struct Refresher::Listening {
  Call call;
  Result<ReplyPtr> reply = nullptr;
};

Task<void> Refresher::Run() {
  const Live live(*this);
  Backoff backoff(options_.backoff);
  for (;;) {
    Result<void> up = co_await BringUp();
    Error why;
    if (up) {
      const TimePoint since = deps_.clock.Now();
      why = co_await StayUp();
      backoff.WasUp(deps_.clock.Now() - since);
    } else {
      why = std::move(up.error());
      if (!why.detail.empty()) spdlog::warn("{}: {}", why.message, why.detail);
    }
    // A server that is being closed is not down: somebody else may be reporting under its name.
    const net::cancellation_state cancellation = co_await net::this_coro::cancellation_state;
    if (cancellation.cancelled() != net::cancellation_type::none) co_return;
    if (!IsThere(why)) current_ = nullptr;
    publish_(current_, why.message);
    const Duration pause = backoff.Next(ThreadRandom().NextUnit());
    spdlog::warn("server {} {}: {}; next try in {} ms", downstream_.name(),
                 current_ != nullptr ? "keeps its last lists" : "is down", why.message,
                 std::chrono::duration_cast<std::chrono::milliseconds>(pause).count());
    co_await deps_.timers.Sleep(pause);
  }
}

// It shook hands and answers, though not with lists: calls may well succeed.
bool Refresher::IsThere(const Error& why) const {
  return connected_ && why.code != Code::kUnavailable;
}

Task<void> Refresher::Unwound() {
  while (live_ > 0) co_await all_gone_.Take();
}

void Refresher::NoteDown(std::string reason) {
  events_.Put({.kind = Event::kDown, .reason = std::move(reason)});
}

void Refresher::NoteStale() {
  const TimePoint now = deps_.clock.Now();
  if (stale_since_ != TimePoint::min() && now - stale_since_ < options_.poll_interval) return;
  stale_since_ = now;
  if (events_.empty()) events_.Put({.kind = Event::kListChanged});
}

// kCancelled: the connection was made anew under the listen, so the server is not down.
void Refresher::NoteEnd(const Error& why) {
  if (why.code == Code::kCancelled) {
    events_.Put({.kind = Event::kListenAgain});
  } else {
    NoteDown(why.message);
  }
}

Task<Result<void>> Refresher::BringUp() {
  Result<ServerFacts> facts = co_await downstream_.Connect();
  connected_ = facts.has_value();
  if (!facts) co_return Failure(std::move(facts.error()));
  Result<std::shared_ptr<Inventory>> inventory = co_await ListAll(std::move(*facts));
  if (!inventory) co_return Failure(std::move(inventory.error()));
  current_ = std::move(*inventory);
  publish_(current_, "");
  co_return Result<void>{};
}

// Until the server is down or fails to list; gives the reason.
Task<Error> Refresher::StayUp() {
  while (!events_.empty()) co_await events_.Take();  // of an earlier life
  TaskHandle listening(deps_.executor(), "listen", Listen());
  for (int torn = 0;;) {
    Event event = co_await events_.Take();
    if (event.kind == Event::kDown) {
      co_return Error{.code = Code::kUnavailable,
                      .origin = Origin::kServer,
                      .message = std::move(event.reason)};
    }
    if (event.kind == Event::kListenAgain) {
      listening = TaskHandle(deps_.executor(), "listen", Listen());
    }
    Result<std::shared_ptr<Inventory>> inventory = co_await ListAll(current_->facts);
    if (!inventory) co_return std::move(inventory.error());
    // Pages of a list that changed between them may lack what never went.
    torn = !events_.empty() && torn < kMostTorn ? torn + 1 : 0;
    if (torn > 0 || SameLists(**inventory, *current_)) continue;
    current_ = std::move(*inventory);
    publish_(current_, "");
  }
}

// Feeds events_ until cancelled or the server is gone.
Task<void> Refresher::Listen() {
  const Live live(*this);
  const auto listening = std::make_shared<Listening>();
  listening->call =
      CallOfOurs(mcp::Method::kListen,
                 R"({"notifications":{"toolsListChanged":true,"promptsListChanged":true,)"
                 R"("resourcesListChanged":true}})",
                 Deadline());
  listening->reply = co_await downstream_.Handle(listening->call);
  if (!listening->reply && listening->reply.error().code == Code::kUnavailable) {
    NoteDown(listening->reply.error().message);
    co_return;
  }
  const TimePoint since = deps_.clock.Now();
  Heard heard = Heard::kFailure;
  if (listening->reply) heard = co_await Announcements(listening);
  if (heard == Heard::kEnd) {
    listens_.WasUp(deps_.clock.Now() - since);
    co_await deps_.timers.Sleep(listens_.Next(ThreadRandom().NextUnit()));
    events_.Put({.kind = Event::kListenAgain});
  }
  // No announcements: ask again from time to time. The reply stays open, for on stdio its end is
  // how an exit of the server is noticed.
  TaskHandle watch;
  if (heard == Heard::kNothing) watch = TaskHandle(deps_.executor(), "watch", Watch(listening));
  for (;;) {
    co_await deps_.timers.Sleep(options_.poll_interval);
    if (events_.empty()) events_.Put({.kind = Event::kPoll});
  }
}

// Until the server says that it will announce nothing, or ends it, or the stream breaks.
Task<Refresher::Heard> Refresher::Announcements(std::shared_ptr<Listening> listening) {
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await (*listening->reply)->Next();
    if (!next) {
      NoteEnd(next.error());
      co_return Heard::kFailure;
    }
    if (!next->has_value() || (*next)->kind() == mcp::Kind::kResult) co_return Heard::kEnd;
    if ((*next)->is_response()) co_return Heard::kFailure;  // it knows no listening
    switch ((*next)->method()) {
      case mcp::Method::kAcknowledged:
        if (!(*next)->Get(mcp::Key::kNotifications).contains("true")) {
          co_return Heard::kNothing;
        }
        [[fallthrough]];  // what changed after the listing and before this was announced to nobody
      case mcp::Method::kToolsChanged:
      case mcp::Method::kPromptsChanged:
      case mcp::Method::kResourcesChanged:
        // Changes that come while one is waiting are seen by the same listing.
        if (events_.empty()) events_.Put({.kind = Event::kListChanged});
        break;
      default: break;
    }
  }
}

Task<void> Refresher::Watch(std::shared_ptr<Listening> listening) {
  const Live live(*this);
  Result<std::optional<mcp::Message>> next = co_await (*listening->reply)->Next();
  if (!next) NoteEnd(next.error());
}

Task<Result<std::shared_ptr<Inventory>>> Refresher::ListAll(ServerFacts facts) {
  auto inventory = std::make_shared<Inventory>();
  inventory->server = std::string(downstream_.name());
  struct Kind {
    mcp::Method method;
    std::string_view capability, key;
    std::vector<std::string>* items;
    ListHint* hint;
  };
  const auto hint = [&inventory](ItemKind kind) {
    return &inventory->hints[static_cast<std::size_t>(kind)];
  };
  const Kind kinds[] = {
      {mcp::Method::kToolsList, "tools", "tools", &inventory->tools, hint(ItemKind::kTool)},
      {mcp::Method::kPromptsList, "prompts", "prompts", &inventory->prompts,
       hint(ItemKind::kPrompt)},
      {mcp::Method::kResourcesList, "resources", "resources", &inventory->resources,
       hint(ItemKind::kResource)},
      {mcp::Method::kTemplatesList, "resources", "resourceTemplates", &inventory->templates,
       hint(ItemKind::kTemplate)},
  };
  for (const Kind& kind : kinds) {
    if (!HasCapability(facts, kind.capability)) continue;
    Result<std::vector<std::string>> items =
        co_await ListKind(kind.method, kind.key, facts, *kind.hint);
    if (!items) co_return Failure(std::move(items.error()).In("server " + inventory->server));
    *kind.items = std::move(*items);
  }
  inventory->facts = std::move(facts);
  co_return inventory;
}

Task<Result<std::vector<std::string>>> Refresher::ListKind(mcp::Method method, std::string_view key,
                                                           const ServerFacts& facts,
                                                           ListHint& hint) {
  const Deadline deadline = Deadline::In(deps_.clock, options_.list_timeout);
  const std::string name(mcp::Info(method).name);
  std::vector<std::string> items;
  std::set<std::string> seen;
  std::string params = "{}";
  for (std::size_t page = 0; page < kMaxPages && items.size() < kMaxItems; ++page) {
    Call call = CallOfOurs(method, params, deadline);
    Result<ReplyPtr> reply = co_await downstream_.Handle(call);
    if (!reply) co_return Failure(std::move(reply.error()).In(name));
    std::optional<mcp::Message> answer;
    while (!answer) {
      Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
      if (!next) co_return Failure(std::move(next.error()).In(name));
      if (!next->has_value()) {
        co_return Failure(Code::kProtocol, Origin::kServer, name + ": ended without an answer");
      }
      if ((*next)->is_response()) answer = std::move(**next);
    }
    if (answer->kind() == mcp::Kind::kError) {
      // Optional lists that an otherwise sound server does not know are just empty.
      if (answer->error_code() == mcp::kMethodNotFound) co_return items;
      co_return Failure(Code::kProtocol, Origin::kServer, name + ": " + ErrorText(*answer));
    }
    const ListHint own = HintOf(*answer, facts, key == "resourceTemplates" ? "resources" : key);
    if (page == 0) hint = own;
    hint.Tighten(own);
    Result<std::vector<std::string>> more = ItemsOf(answer->result(), key);
    if (!more) co_return Failure(std::move(more.error()).In(name));
    std::move(more->begin(), more->end(), std::back_inserter(items));
    if (!answer->Has(mcp::Key::kNextCursor)) co_return items;
    const std::string cursor(answer->Get(mcp::Key::kNextCursor));
    if (cursor == "null") co_return items;
    if (!seen.insert(cursor).second) {
      co_return Failure(Code::kProtocol, Origin::kServer,
                        name + ": nextCursor repeats, the list has no end");
    }
    params = R"({"cursor":)" + cursor + "}";
  }
  co_return Failure(Code::kTooLarge, Origin::kServer,
                    name + ": more than " + std::to_string(kMaxItems) + " items or " +
                        std::to_string(kMaxPages) + " pages");
}

}  // namespace switchyard::catalog
