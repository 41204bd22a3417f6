#include "catalog/router.h"

#include <functional>
#include <utility>

#include "catalog/completions.h"
#include "catalog/header_check.h"
#include "catalog/reference.h"
#include "catalog/result_uris.h"
#include "core/builtin.h"
#include "core/resolver.h"
#include "mcp/error_map.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

Error MethodNotFound(const Call& call) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown method: " + std::string(call.message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

const Definition* MemberOf(const Definition& listed, std::string_view server) {
  for (const std::shared_ptr<Definition>& one : listed.members) {
    if (one->server == server) return one.get();
  }
  return nullptr;
}

// Without the catalog, which a stream that lasts would keep for as long.
void GoBy(Call& call, const std::shared_ptr<const PolicySet>& policies) {
  call.target.policies = policies.get();
  if (call.target.pin == nullptr) {
    call.target.pin = policies;
    return;
  }
  struct Pins {
    std::shared_ptr<const void> before;
    std::shared_ptr<const PolicySet> policies;
  };
  call.target.pin = std::make_shared<Pins>(Pins{std::move(call.target.pin), policies});
}

}  // namespace

Router::Router(std::shared_ptr<const Catalog> catalog, FindServer find_server, const Deps& deps,
               std::unique_ptr<TaskRoutes> tasks, Choosing choosing, FindSight sight)
    : catalog_(std::move(catalog)),
      find_server_(std::move(find_server)),
      listens_(find_server_, deps, catalog_->revision()),
      tasks_(std::move(tasks)),
      choosing_(std::move(choosing)),
      sight_(std::move(sight)),
      member_states_(choosing_.sealer == nullptr ? std::nullopt
                                                 : std::optional<MemberStates>(*choosing_.sealer)),
      others_(OthersIn(catalog_)) {}

class Router::Others final : public Resolver {
 public:
  Others(std::shared_ptr<const Catalog> catalog, const Choosing& choosing)
      : catalog_(std::move(catalog)), choosing_(choosing) {}

  const Definition* FindToolOf(std::string_view server, std::string_view tool) const override {
    const Definition* const found = catalog_->FindToolOf(server, tool);
    if (found == nullptr || found->members.empty()) return found;
    return &ChooseMember(*found, choosing_, std::bind_front(&Catalog::IsUp, catalog_.get()));
  }
  const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const override {
    return catalog_->PoliciesFor("");
  }
  std::uint64_t UriViewOf(std::string_view server) const override {
    return catalog_->UriViewOf(server);
  }

 private:
  const std::shared_ptr<const Catalog> catalog_;
  const Choosing& choosing_;  // of the router: it is there as long as calls on their way are
};

std::shared_ptr<const Router::Others> Router::OthersIn(
    std::shared_ptr<const Catalog> catalog) const {
  return std::make_shared<const Others>(std::move(catalog), choosing_);
}

void Router::Resolve(Call& call) const {
  call.target.transparent = catalog_->view().transparent;
  std::optional<Destination> found;  // may borrow from `key` and `reference`
  std::string key;
  std::optional<Reference> reference;
  switch (call.method().route) {
    case mcp::Route::kTool:
      key = call.message.GetString(mcp::Key::kName);
      found = catalog_->FindTool(key);
      break;
    case mcp::Route::kPrompt:
      key = call.message.GetString(mcp::Key::kName);
      found = catalog_->FindPrompt(key);
      break;
    case mcp::Route::kResource:
      key = call.message.GetString(mcp::Key::kUri);
      found = catalog_->FindResource(key);
      break;
    case mcp::Route::kReference: {
      reference = ParseReference(call.message.Get(mcp::Key::kRef));
      if (!reference) break;
      found = reference->prompt ? catalog_->FindPrompt(reference->key)
                                : catalog_->FindReference(reference->key);
      if (found && found->name != reference->key) RenameReference(call, *reference, found->name);
      break;
    }
    case mcp::Route::kTask: ResolveTask(call); return;
    case mcp::Route::kListen:
      if (tasks_ != nullptr) call.target.tasks = this;
      break;
    default: break;
  }
  if (!found) return GoBy(call, catalog_->PoliciesFor(""));
  LeadTo(*found, call);
  if (found->definition != nullptr && !found->definition->members.empty()) ResolveMember(call);
}

void Router::LeadTo(const Destination& found, Call& call) const {
  call.target.server = found.server;
  call.target.name = found.name;
  call.target.definition = found.definition;
  call.target.policies = found.policies;
  call.target.pin = others_;
  call.target.others = others_.get();
}

void Router::LeadOnNowhere(Call& call) const {
  call.target.others = others_.get();
  LeadNowhere(call);
}

// What a policy asked before any member saw the call binds it to none of them: its retry is chosen
// for anew.
bool Router::AnswersAMember(const Call& call) const {
  if (!member_states_ || !MemberStates::Concerns(call)) return false;
  if (!choosing_.state_within) return true;
  return choosing_.state_within(call.message.GetString(mcp::Key::kRequestState)) != "";
}

std::optional<TaskIds::Named> Router::WhoAsked(const Call& call) const {
  const std::string state = call.message.GetString(mcp::Key::kRequestState);
  std::optional<std::string> within;
  if (choosing_.state_within) within = choosing_.state_within(state);
  return member_states_->Read(call, within ? *within : state);
}

bool Router::TakeOffMemberState(Call& call) const {
  if (!MemberStates::Concerns(call)) return true;
  const std::optional<TaskIds::Named> asked =
      member_states_->Read(call, call.message.GetString(mcp::Key::kRequestState));
  return asked && asked->server == call.target.server && MemberStates::TakeOff(call, asked->id);
}

// Of a group: whoever asked the client something, else the best. What answers a question is for
// nobody else to see: without the one who asked, the target stays the group, which nobody serves.
// The state stays as it is until the policies had it: one of them may have put its own around it.
void Router::ResolveMember(Call& call) const {
  const Definition& listed = *call.target.definition;
  const Definition* member = nullptr;
  if (AnswersAMember(call)) {
    const std::optional<TaskIds::Named> asked = WhoAsked(call);
    if (asked) member = MemberOf(listed, asked->server);
    if (member == nullptr) {
      call.target.server = {};
      call.target.policies = catalog_->PoliciesFor("").get();
      return;
    }
  } else {
    member = &ChooseMember(listed, choosing_, std::bind_front(&Catalog::IsUp, catalog_.get()));
  }
  call.target.server = member->server;
  call.target.definition = member;
  call.target.policies = member->policies.get();
}

Error Router::WithoutWhoAsked(const Call& call) const {
  const std::optional<TaskIds::Named> asked = WhoAsked(call);
  if (!asked || !call.target.server.empty()) {
    return Error{.code = Code::kInvalid,
                 .origin = Origin::kClient,
                 .message =
                     "requestState is not what the gateway gave for this tool or prompt; "
                     "call it anew, without requestState and inputResponses"};
  }
  return Error{.code = Code::kUnavailable,
               .origin = Origin::kGateway,
               .retryable = true,
               .message = "server " + asked->server +
                          ", which asked, does not serve this at present; retry later, or call "
                          "anew, without requestState and inputResponses"};
}

void Router::ResolveTask(Call& call) const {
  if (tasks_ != nullptr) tasks_->Resolve(call);
  GoBy(call, catalog_->PoliciesForTool(call.target.server, call.target.task_of));
}

std::shared_ptr<const PolicySet> Router::PoliciesOfTask(const Call& call,
                                                        std::string_view id) const {
  const std::optional<TaskIds::Named> task = tasks_->Find(call, id);
  return task ? catalog_->PoliciesForTool(task->server, task->tool) : nullptr;
}

Task<Result<ReplyPtr>> Router::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  // Nothing behind the edge speaks the legacy era; but to wait for a task's end is one call of a
  // legacy client, which the policies should not see as a poll a second, and whether there are logs
  // to set a level for is known here.
  const bool spoken = method.SpokenIn(mcp::kModern) || method.method == mcp::Method::kTasksResult ||
                      method.method == mcp::Method::kSetLevel;
  if (!spoken || !Offers(call)) co_return Failure(MethodNotFound(call));
  switch (method.route) {
    case mcp::Route::kLocal: co_return Local(call);
    case mcp::Route::kList: co_return List(call);
    case mcp::Route::kListen: {
      Result<ReplyPtr> listening = listens_.Open(call, catalog_, SightOf(call));
      if (tasks_ == nullptr) co_return listening;
      co_return tasks_->Listen(call, std::move(listening), weak_from_this().lock());
    }
    case mcp::Route::kTool:
    case mcp::Route::kPrompt:
    case mcp::Route::kResource:
    case mcp::Route::kReference: {
      Result<ReplyPtr> reply = co_await Forward(call);
      co_return reply;
    }
    case mcp::Route::kTask:
      if (tasks_ != nullptr) {
        Result<ReplyPtr> reply = co_await tasks_->Handle(call);
        co_return reply;
      }
      [[fallthrough]];
    default: co_return Failure(MethodNotFound(call));
  }
}

// To its caller. What leads somewhere is offered; but of what somebody else completes nothing is
// said by where a reference leads.
bool Router::Offers(const Call& call) const {
  const mcp::MethodInfo& method = call.method();
  if (method.capability.empty()) return true;
  if (!catalog_->Offers(method.capability)) return false;
  const bool leads = call.target.definition != nullptr || !call.target.server.empty();
  if (leads && method.route != mcp::Route::kReference) return true;
  const std::shared_ptr<const Sight> sight = SightOf(call);
  return sight == nullptr || catalog_->Offers(method.capability, sight.get());
}

std::shared_ptr<const Sight> Router::SightOf(const Call& call) const {
  return sight_ ? sight_(call) : nullptr;
}

Result<ReplyPtr> Router::Local(const Call& call) const {
  if (call.message.method() == mcp::Method::kSetLevel) {  // the level is the session's
    return ReplyWith(
        mcp::Message::FromResult(call.message.id(), std::string(R"({"resultType":"complete"})")));
  }
  if (call.message.method() != mcp::Method::kDiscover) return Failure(MethodNotFound(call));
  std::string result = R"({"resultType":"complete","supportedVersions":[)";
  for (const auto version : {mcp::Version::k2026_07_28, mcp::Version::k2025_11_25,
                             mcp::Version::k2025_06_18, mcp::Version::k2025_03_26}) {
    if (!result.ends_with('[')) result += ',';
    result.append(mcp::Quote(mcp::ToString(version)));
  }
  if (call.news != nullptr) call.news->Knows(listens_.served());
  const std::shared_ptr<const Sight> sight = SightOf(call);
  result.append(R"(],"capabilities":)")
      .append(catalog_->Capabilities(call.client->version, sight.get()));
  const std::string instructions = catalog_->Instructions(sight.get());
  if (!instructions.empty()) result.append(R"(,"instructions":)").append(mcp::Quote(instructions));
  result.append(R"(,"ttlMs":5000,"cacheScope":"private","_meta":{)")
      .append(R"("io.modelcontextprotocol/serverInfo":{"name":"switchyard","version":")")
      .append(SWITCHYARD_VERSION)
      .append(R"("}}})");
  return ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(result)));
}

Result<ReplyPtr> Router::List(const Call& call) const {
  const std::shared_ptr<const Sight> sight = SightOf(call);
  std::optional<std::string> cursor;
  const std::string_view raw = call.message.Get(mcp::Key::kCursor);
  if (!raw.empty() && raw != "null") {
    if (!mcp::IsString(raw)) return Failure(Code::kInvalid, Origin::kClient, "invalid cursor");
    cursor = call.message.GetString(mcp::Key::kCursor);
  }
  Result<std::shared_ptr<const std::string>> list =
      catalog_->List(call.message.method(), call.client->version,
                     cursor ? std::optional<std::string_view>(*cursor) : std::nullopt, sight.get());
  if (!list) return Failure(std::move(list.error()));
  return ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(*list)));
}

// It may be of a server whose lists are not known, which a client must not take for its own
// mistake.
Error Router::WithoutServer(const Call& call) const {
  const mcp::Route route = call.method().route;
  const bool resource = route == mcp::Route::kResource;
  std::string name = call.message.GetString(resource ? mcp::Key::kUri : mcp::Key::kName);
  ItemKind kind = ItemKind::kResource;
  Error error{.code = Code::kNotFound, .origin = Origin::kClient, .message = {}};
  switch (route) {
    case mcp::Route::kTool:
      kind = ItemKind::kTool;
      error.message = "unknown tool: " + name;
      break;
    case mcp::Route::kPrompt:
      kind = ItemKind::kPrompt;
      error.message = "unknown prompt: " + name;
      break;
    case mcp::Route::kResource:
      error.message = "resource not found: " + name;
      error.data = R"({"uri":)" + mcp::Quote(name) + "}";
      break;
    default: {
      error.message = "unknown completion reference";
      std::optional<Reference> reference = ParseReference(call.message.Get(mcp::Key::kRef));
      if (!reference) return error;
      if (reference->prompt) kind = ItemKind::kPrompt;
      name = std::move(reference->key);
    }
  }
  const std::shared_ptr<const Sight> sight = SightOf(call);
  const std::optional<Absence> absence = catalog_->WhoIsAbsent(kind, name, sight.get());
  if (!absence) return error;
  const std::string server = "server " + std::string(absence->server);
  const std::string down = " is down: " + std::string(absence->because);
  if (!absence->starting && !absence->sure) {
    error.message += "; it may be of " + server + ", which" + down;
    return error;
  }
  return Error{
      .code = Code::kUnavailable,
      .origin = Origin::kGateway,
      .retryable = true,
      .message = server + (absence->starting ? " is starting, try again in a moment"
                                             : down + "; it is tried again, come back later")};
}

Task<Result<ReplyPtr>> Router::Forward(Call& call) {
  const Call& named = call;
  if (call.only_kept > Duration::zero()) {
    co_return Failure(Error{.code = Code::kUnavailable,
                            .retryable = true,
                            .message = "no answer to an equal call is kept"});
  }
  if (call.target.definition != nullptr && call.target.definition->builtin != nullptr) {
    Result<ReplyPtr> reply = co_await call.target.definition->builtin->Handle(call);
    co_return reply;
  }
  const Definition* const group = call.target.definition;
  if (call.target.server.empty() && group != nullptr && !group->members.empty()) {
    co_return Failure(WithoutWhoAsked(call));
  }
  std::shared_ptr<Service> server;
  if (!call.target.server.empty()) server = find_server_(call.target.server);
  if (server == nullptr) co_return Failure(WithoutServer(call));
  // Where the marks are shown, clients mirror what they mark.
  if (call.header_params.expected && catalog_->view().transparent &&
      call.target.definition != nullptr) {
    Result<void> checked = CheckHeaderParams(call);
    if (!checked) co_return Failure(std::move(checked.error()));
  }
  const Definition* tool = call.target.definition;
  const bool of_group = member_states_ && tool != nullptr && tool->listed != nullptr;
  if (of_group && !TakeOffMemberState(call)) co_return Failure(WithoutWhoAsked(call));
  call.route = server;  // the call outlives its reply
  const std::shared_ptr<const Catalog> catalog =
      NeedsClientUris(call, *catalog_) ? catalog_ : nullptr;
  const bool task = tasks_ != nullptr && TaskRoutes::Concerns(call);
  Result<ReplyPtr> reply =
      co_await (task ? tasks_->Forward(call, std::move(server)) : server->Handle(call));
  if (reply && of_group) {
    reply = member_states_->Wrap(std::move(*reply), call);
  }
  if (reply && named.method().route == mcp::Route::kReference && tool != nullptr &&
      tool->kind == ItemKind::kTemplate) {
    auto sight = SightOf(call);
    if (sight != nullptr) reply = WithSeenCompletions(std::move(*reply), call, std::move(sight));
  }
  if (reply && catalog != nullptr) co_return WithClientUris(std::move(*reply), call, catalog);
  co_return reply;
}

void Router::Update(std::shared_ptr<const Catalog> catalog) {
  const Catalog::Changes changes = catalog->Since(*catalog_);
  catalog_ = std::move(catalog);
  others_ = OthersIn(catalog_);
  listens_.Stage(catalog_, changes);
}

}  // namespace switchyard::catalog
