#include "catalog/listens.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "base/backoff.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "catalog/due_lists.h"
#include "catalog/listen_filter.h"
#include "catalog/names.h"
#include "mcp/uri.h"

namespace switchyard::catalog {
namespace {

constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";
constexpr std::size_t kMaxDue = 1000;

// What one listen has at one server. Shared with the task that follows it, which may outlive the
// listen by a moment.
struct Branch {
  std::string server;
  std::map<std::string, std::vector<std::string>> uris;  // the server's form -> the client's
  std::set<std::string> honoured;                        // the server's form
  bool settled = false;  // the server said at first what it honours, or refused
  Mailbox<bool> retry;   // the pause before it is asked again is over
  // Of the client's call.
  std::shared_ptr<const Client> client;
  std::string endpoint;
  Caller caller = Nobody();
  int depth = 0;
};

Call CallFor(const std::shared_ptr<Branch>& branch) {
  boost::json::array uris;
  for (const auto& [uri, clients] : branch->uris) {
    if (!branch->settled || branch->honoured.contains(uri)) uris.emplace_back(uri);
  }
  Call call;
  call.message = mcp::Message::Make(
      "1", mcp::Info(mcp::Method::kListen).name,
      R"({"notifications":{"resourceSubscriptions":)" + boost::json::serialize(uris) + "}}");
  call.client = branch->client;
  call.endpoint = branch->endpoint;
  call.caller = branch->caller;
  call.depth = branch->depth;
  // Not the branch: the call may end on the thread of the server's home.
  const auto server = std::make_shared<const std::string>(branch->server);
  call.target.server = *server;
  call.target.pin = server;
  return call;
}

}  // namespace

// The part of a listen that its branches speak to. Owned by its reply.
class Listens::Listen : public std::enable_shared_from_this<Listen> {
 public:
  Listen(Listens& owner, ListenFilter filter, std::string id,
         std::shared_ptr<const Catalog> catalog, std::shared_ptr<const Sight> sight,
         std::shared_ptr<News> news)
      : owner_(owner),
        filter_(std::move(filter)),
        id_(std::move(id)),
        catalog_(std::move(catalog)),
        sight_(std::move(sight)),
        news_(std::move(news)),
        subscription_(owner.feed_) {
    owner_.open_.insert(this);
    if (news_ != nullptr) news_->OnNews([this] { subscription_.Wake(); });
  }
  Listen(const Listen&) = delete;
  ~Listen() {
    owner_.open_.erase(this);
    if (news_ != nullptr) news_->OnNews(nullptr);
  }

  void Start(const Call& call);
  void SetCatalog(std::shared_ptr<const Catalog> catalog) { catalog_ = std::move(catalog); }
  void TryAgain();
  void Replaced(const std::set<std::string, std::less<>>& servers);

  Task<Result<std::optional<mcp::Message>>> Next();

 private:
  struct Slot {
    std::shared_ptr<Branch> branch;
    TaskHandle task;
    Timers::Handle patience;  // for the acknowledgement of one that is opened again
  };

  void Open(Slot& slot);
  Slot* SlotOf(const Branch& branch);
  static Task<void> Run(std::weak_ptr<Listen> listen, std::shared_ptr<Branch> branch,
                        FindServer find_server, Deps deps);
  static Task<void> Follow(std::weak_ptr<Listen> listen, std::shared_ptr<Branch> branch,
                           FindServer find_server);
  void Take(Branch& branch, const mcp::Message& message);
  void Acknowledged(Branch& branch, const mcp::Message& message);
  bool IsLost(Branch& branch);
  void Expect(Branch& branch);
  void Updated(const Branch& branch, const std::string& uri);
  std::vector<std::string> ClientForms(const Branch& branch, const std::string& uri) const;
  void Due(const std::string& uri, const std::string& instead);

  Task<void> Settle();
  bool settled() const;
  mcp::Message Acknowledgement();
  std::optional<mcp::Message> TakeDue();
  Task<void> Wait();
  mcp::Message Tagged(mcp::Method method, std::string_view more) const;

  Listens& owner_;
  const ListenFilter filter_;
  const std::string id_;  // of the client's request, raw
  std::shared_ptr<const Catalog> catalog_;
  const std::shared_ptr<const Sight> sight_;  // null = all
  const std::shared_ptr<News> news_;          // null = none
  ChangeFeed::Subscription subscription_;
  std::vector<Slot> slots_;
  DueLists lists_{filter_.lists};
  std::set<std::string> due_;  // URIs in the client's form
  bool acknowledged_ = false, out_of_patience_ = false, ended_ = false;
};

void Listens::Listen::Start(const Call& call) {
  std::map<std::string, std::shared_ptr<Branch>> branches;
  for (const std::string& uri : filter_.uris) {
    const std::optional<Destination> owner = catalog_->FindResource(uri, sight_.get());
    if (!owner) continue;
    std::shared_ptr<Branch>& branch = branches[std::string(owner->server)];
    if (branch == nullptr) {
      branch = std::make_shared<Branch>();
      branch->server = owner->server;
      branch->client = call.client;
      branch->endpoint = call.endpoint;
      branch->caller = call.caller;
      branch->depth = call.depth;
    }
    branch->uris[std::string(owner->name)].push_back(uri);
  }
  slots_.reserve(branches.size());
  for (auto& [server, branch] : branches) {
    slots_.push_back(Slot{.branch = std::move(branch), .task = {}, .patience = {}});
  }
  for (Slot& slot : slots_) Open(slot);
  const std::optional<ListsKnown> known = news_ != nullptr ? news_->Lists() : std::nullopt;
  if (!known) return;
  // What changed since its client heard of changes last.
  lists_.Add(owner_.revisions_.Missed(*known, *catalog_, sight_.get()));
  subscription_.Expect(owner_.revisions_.Due(*known));
}

Listens::Listen::Slot* Listens::Listen::SlotOf(const Branch& branch) {
  const auto found =
      std::ranges::find(slots_, &branch, [](const Slot& slot) { return slot.branch.get(); });
  return found == slots_.end() ? nullptr : &*found;
}

void Listens::Listen::Open(Slot& slot) {
  if (slot.branch->settled) Expect(*slot.branch);
  slot.task = TaskHandle(owner_.deps_.executor(), "listen at " + slot.branch->server,
                         Run(weak_from_this(), slot.branch, owner_.find_server_, owner_.deps_));
}

void Listens::Listen::TryAgain() {
  for (const Slot& slot : slots_) {
    if (slot.branch->retry.empty()) slot.branch->retry.Put(true);
  }
}

void Listens::Listen::Replaced(const std::set<std::string, std::less<>>& servers) {
  for (Slot& slot : slots_) {
    if (servers.contains(slot.branch->server)) Open(slot);
  }
}

// Never holds the listen across a wait: who drops the listen ends this.
Task<void> Listens::Listen::Run(std::weak_ptr<Listen> listen, std::shared_ptr<Branch> branch,
                                FindServer find_server, Deps deps) {
  Backoff backoff({});
  for (;;) {
    const TimePoint since = deps.clock.Now();
    co_await Follow(listen, branch, find_server);
    {
      const std::shared_ptr<Listen> self = listen.lock();
      if (self == nullptr || !self->IsLost(*branch)) co_return;
    }
    backoff.WasUp(deps.clock.Now() - since);
    while (!branch->retry.empty()) co_await branch->retry.Take();
    const Timers::Handle pause = deps.timers.In(backoff.Next(ThreadRandom().NextUnit()),
                                                [branch] { branch->retry.Put(true); });
    co_await branch->retry.Take();
    const std::shared_ptr<Listen> self = listen.lock();
    if (self == nullptr) co_return;
    self->Expect(*branch);
  }
}

// Until the server ends it, or cannot be asked.
Task<void> Listens::Listen::Follow(std::weak_ptr<Listen> listen, std::shared_ptr<Branch> branch,
                                   FindServer find_server) {
  Call call = CallFor(branch);
  const std::shared_ptr<Service> server = find_server(branch->server);
  if (server == nullptr) co_return;
  Result<ReplyPtr> reply = co_await server->Handle(call);
  while (reply) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    const std::shared_ptr<Listen> self = listen.lock();
    if (self == nullptr || !next || !next->has_value() || (*next)->is_response()) co_return;
    self->Take(*branch, **next);
  }
}

void Listens::Listen::Take(Branch& branch, const mcp::Message& message) {
  if (message.method() == mcp::Method::kAcknowledged) return Acknowledged(branch, message);
  if (message.method() != mcp::Method::kResourceUpdated || !branch.settled) return;
  Updated(branch, message.GetString(mcp::Key::kUri));
}

void Listens::Listen::Acknowledged(Branch& branch, const mcp::Message& message) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(message.Get(mcp::Key::kNotifications), error);
  const auto uris = !error && value.is_object() ? SubscriptionsOf(value.as_object()) : std::nullopt;
  const bool at_first = !std::exchange(branch.settled, true);
  for (const std::string& uri : uris.value_or(std::vector<std::string>())) {
    if (at_first && branch.uris.contains(uri)) branch.honoured.insert(uri);
    // Between then and now nobody listened.
    if (!at_first && branch.honoured.contains(uri)) Updated(branch, uri);
  }
  if (Slot* slot = SlotOf(branch)) slot->patience.Cancel();
  subscription_.Wake();
}

// False: it refused at first, so nobody counts on it.
bool Listens::Listen::IsLost(Branch& branch) {
  if (!branch.settled) {
    branch.settled = true;
    subscription_.Wake();
  }
  if (Slot* slot = SlotOf(branch)) slot->patience.Cancel();
  return !branch.honoured.empty();
}

// A server that is asked again may hang.
void Listens::Listen::Expect(Branch& branch) {
  Slot* slot = SlotOf(branch);
  if (slot == nullptr) return;
  slot->patience = owner_.deps_.timers.In(kReopenPatience, [this, &branch] {
    if (Slot* hanging = SlotOf(branch)) Open(*hanging);
  });
}

void Listens::Listen::Updated(const Branch& branch, const std::string& uri) {
  const std::vector<std::string>& any = branch.uris.begin()->second;
  for (const std::string& form : ClientForms(branch, uri)) Due(form, any.front());
  subscription_.Wake();
}

// How an update of the server reads for the client; none = it is not for it.
std::vector<std::string> Listens::Listen::ClientForms(const Branch& branch,
                                                      const std::string& uri) const {
  const PolicySet* const policies = catalog_->PoliciesFor(branch.server).get();
  const Lead lead{.route = mcp::Route::kResource, .name = uri, .policies = policies};
  if (sight_ != nullptr && !sight_->MayLead(lead)) return {};
  if (branch.honoured.contains(uri)) return branch.uris.find(uri)->second;
  for (const std::string& whole : branch.honoured) {
    if (!mcp::IsPartOf(uri, whole)) continue;
    const std::string& form = branch.uris.find(whole)->second.front();
    if (HasOwnScheme(form)) return {form + uri.substr(whole.size())};
    return {catalog_->ExposedUri(branch.server, uri)};
  }
  const bool refused = std::ranges::any_of(
      branch.uris, [&uri](const auto& asked) { return mcp::IsPartOf(uri, asked.first); });
  // What else is a part of what was subscribed to only the server knows.
  if (refused || uri.empty()) return {};
  return {catalog_->ExposedUri(branch.server, uri)};
}

void Listens::Listen::Due(const std::string& uri, const std::string& instead) {
  due_.insert(due_.size() < kMaxDue ? uri : instead);  // of a flood of parts the whole is named
}

Task<Result<std::optional<mcp::Message>>> Listens::Listen::Next() {
  // Who asks for more has said what it was given.
  const ListsKnown told = lists_.TakeTold();
  if (news_ != nullptr && told.any()) news_->Knows(told);
  if (!std::exchange(acknowledged_, true)) {
    co_await Settle();
    co_return Acknowledgement();
  }
  for (;;) {
    if (std::optional<mcp::Message> due = TakeDue()) co_return due;
    if (ended_) {
      std::optional<mcp::Message> end =
          mcp::Message::FromResult(id_, R"({"resultType":"complete","_meta":{)" +
                                            mcp::Quote(kSubscriptionId) + ":" + id_ + "}}");
      co_return end;
    }
    co_await Wait();
  }
}

Task<void> Listens::Listen::Wait() {
  const std::optional<Catalog::Changes> changes = co_await subscription_.Next();
  if (!changes) {
    ended_ = true;
    co_return;
  }
  lists_.Add(*changes);
}

// Until every server said what it honours, or the patience with those that did not is over.
Task<void> Listens::Listen::Settle() {
  if (settled()) co_return;
  const Timers::Handle patience = owner_.deps_.timers.In(kAckPatience, [this] {
    out_of_patience_ = true;
    subscription_.Wake();
  });
  while (!settled() && !out_of_patience_ && !ended_) co_await Wait();
}

bool Listens::Listen::settled() const {
  return std::ranges::all_of(slots_, [](const Slot& slot) { return slot.branch->settled; });
}

mcp::Message Listens::Listen::Acknowledgement() {
  // Who is left out must stay silent.
  std::erase_if(slots_, [](const Slot& slot) { return slot.branch->honoured.empty(); });
  std::set<std::string_view> honoured;
  for (const Slot& slot : slots_) {
    for (const std::string& uri : slot.branch->honoured) {
      const std::vector<std::string>& forms = slot.branch->uris.find(uri)->second;
      honoured.insert(forms.begin(), forms.end());
    }
  }
  return Tagged(mcp::Method::kAcknowledged,
                R"(,"notifications":)" + catalog::Acknowledged(filter_, honoured));
}

std::optional<mcp::Message> Listens::Listen::TakeDue() {
  const std::optional<mcp::Method> changed = lists_.Take(owner_.revisions_.told());
  if (changed) return Tagged(*changed, "");
  if (due_.empty()) return news_ != nullptr ? news_->Take() : std::nullopt;
  const std::string uri = std::move(due_.extract(due_.begin()).value());
  return Tagged(mcp::Method::kResourceUpdated, R"(,"uri":)" + mcp::Quote(uri));
}

mcp::Message Listens::Listen::Tagged(mcp::Method method, std::string_view more) const {
  std::string params = R"({"_meta":{)" + mcp::Quote(kSubscriptionId) + ":" + id_ + "}";
  params.append(more).append("}");
  return mcp::Message::Make("", mcp::Info(method).name, params);
}

class Listens::ListenReply final : public Reply {
 public:
  explicit ListenReply(std::shared_ptr<Listen> listen) : listen_(std::move(listen)) {}
  Task<Result<std::optional<mcp::Message>>> Next() override { return listen_->Next(); }

 private:
  const std::shared_ptr<Listen> listen_;
};

Listens::Listens(FindServer find_server, const Deps& deps, std::uint64_t revision)
    : find_server_(std::move(find_server)), deps_(deps), revisions_(revision) {}

Result<ReplyPtr> Listens::Open(const Call& call, const std::shared_ptr<const Catalog>& catalog,
                               std::shared_ptr<const Sight> sight) {
  Result<ListenFilter> filter =
      ReadListenFilter(call.message.Get(mcp::Key::kNotifications), kMaxUris);
  if (!filter) return Failure(std::move(filter.error()));
  const auto listen =
      std::make_shared<Listen>(*this, std::move(*filter), std::string(call.message.id()), catalog,
                               std::move(sight), call.news);
  listen->Start(call);
  return std::make_unique<ListenReply>(listen);
}

void Listens::Stage(const std::shared_ptr<const Catalog>& catalog,
                    const Catalog::Changes& changes) {
  revisions_.Stage(changes, catalog->revision());
  feed_.Stage(changes);
  for (Listen* listen : open_) {
    listen->SetCatalog(catalog);
    listen->TryAgain();
  }
}

void Listens::Replaced(const std::set<std::string, std::less<>>& servers) {
  for (Listen* listen : open_) listen->Replaced(servers);
}

}  // namespace switchyard::catalog
