#include "catalog/router.h"

#include <deque>
#include <utility>

#include <boost/json.hpp>

#include "base/http/parser.h"
#include "mcp/error_map.h"
#include "mcp/header_value.h"
#include "mcp/param_marks.h"

namespace switchyard::catalog {
namespace {

constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";

Error MethodNotFound(const Call& call) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown method: " + std::string(call.message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

// The acknowledgement, then one notification a change, for as long as somebody listens.
// SUB = basic/patterns/subscriptions.
class ListenReply final : public Reply {
 public:
  ListenReply(ChangeFeed& feed, Catalog::Changes wanted, std::string id)
      : subscription_(feed), wanted_(wanted), id_(std::move(id)) {
    boost::json::object honoured;
    if (wanted.tools) honoured["toolsListChanged"] = true;
    if (wanted.prompts) honoured["promptsListChanged"] = true;
    if (wanted.resources) honoured["resourcesListChanged"] = true;
    Queue(mcp::Method::kAcknowledged, R"(,"notifications":)" + boost::json::serialize(honoured));
  }

  Task<Result<std::optional<mcp::Message>>> Next() override {
    while (queue_.empty()) {
      const std::optional<Catalog::Changes> changes = co_await subscription_.Next();
      if (!changes) {
        std::optional<mcp::Message> end =
            mcp::Message::FromResult(id_, R"({"resultType":"complete","_meta":{)" + Tag() + "}}");
        co_return end;
      }
      if (changes->tools && wanted_.tools) Queue(mcp::Method::kToolsChanged, "");
      if (changes->prompts && wanted_.prompts) Queue(mcp::Method::kPromptsChanged, "");
      if (changes->resources && wanted_.resources) Queue(mcp::Method::kResourcesChanged, "");
    }
    std::optional<mcp::Message> next = std::move(queue_.front());
    queue_.pop_front();
    co_return next;
  }

 private:
  std::string Tag() const { return mcp::Quote(kSubscriptionId) + ":" + id_; }

  void Queue(mcp::Method method, std::string_view more_params) {
    std::string params = R"({"_meta":{)" + Tag() + "}";
    params.append(more_params).append("}");
    queue_.push_back(mcp::Message::Make("", mcp::Info(method).name, params));
  }

  ChangeFeed::Subscription subscription_;
  Catalog::Changes wanted_;
  std::string id_;
  std::deque<mcp::Message> queue_;
};

// `ref` of completion/complete: {"type":"ref/prompt","name":...} or
// {"type":"ref/resource","uri":...}.
struct Reference {
  bool prompt = false;
  std::string key;
  boost::json::object object;
};

std::optional<Reference> ParseReference(std::string_view raw) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(raw, error);
  if (error || !value.is_object()) return std::nullopt;
  Reference reference{.prompt = false, .key = {}, .object = std::move(value.as_object())};
  const boost::json::value* type = reference.object.if_contains("type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  reference.prompt = type->as_string() == "ref/prompt";
  const boost::json::value* key = reference.object.if_contains(reference.prompt ? "name" : "uri");
  if (key == nullptr || !key->is_string()) return std::nullopt;
  reference.key = std::string(key->as_string());
  return reference;
}

// What is wrong with the Mcp-Param-* headers of a call, "" = nothing. A tool that is shown with its
// marks obliges the client to mirror arguments; somebody between may have decided by the headers.
std::string ParamHeaderProblem(const Call& call, const Catalog& catalog) {
  const Definition* tool = call.target.definition;
  if (call.request == nullptr || tool == nullptr || !catalog.view().transparent) return {};
  if (!mcp::MayMarkParams(tool->json)) return {};
  for (const auto& [name, value] :
       mcp::MarkedArguments(tool->json, call.message.Get(mcp::Key::kArguments))) {
    if (!mcp::HeaderValueFor(value)) continue;  // null, or nothing that a header could say
    const http::Header* header = call.request->Find(name);
    if (header == nullptr) return "header " + name + " is missing";
    if (!mcp::HeaderMatches(header->value, value))
      return "header " + name + " differs from the body";
  }
  return {};
}

}  // namespace

Router::Router(std::shared_ptr<const Catalog> catalog, FindServer find_server,
               std::unique_ptr<TaskRoutes> tasks)
    : catalog_(std::move(catalog)),
      find_server_(std::move(find_server)),
      tasks_(std::move(tasks)) {}

void Router::Resolve(Call& call) const {
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
                                : catalog_->FindResource(reference->key);
      if (!found || found->name == reference->key) break;
      reference->object[reference->prompt ? "name" : "uri"] = found->name;
      call.message.edits().Replace(call.message.member(mcp::Key::kRef).value,
                                   boost::json::serialize(reference->object));
      break;
    }
    case mcp::Route::kTask:
      if (tasks_ != nullptr) tasks_->Resolve(call);
      return;
    default: break;
  }
  if (!found) return;
  call.target.server = found->server;
  call.target.name = found->name;
  call.target.definition = found->definition;
  call.target.pin = catalog_;
}

Task<Result<ReplyPtr>> Router::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  // Nothing behind the edge speaks the legacy era; but to wait for a task's end is one call of a
  // legacy client, which the policies should not see as a poll a second.
  const bool spoken = method.SpokenIn(mcp::kModern) || method.method == mcp::Method::kTasksResult;
  if (!spoken || (!method.capability.empty() && !catalog_->Offers(method.capability))) {
    co_return Failure(MethodNotFound(call));
  }
  switch (method.route) {
    case mcp::Route::kLocal: co_return Local(call);
    case mcp::Route::kList: co_return List(call);
    case mcp::Route::kListen:
      co_return tasks_ == nullptr ? Listen(call)
                                  : tasks_->Listen(call, Listen(call), weak_from_this().lock());
    case mcp::Route::kTool:
    case mcp::Route::kPrompt:
    case mcp::Route::kResource:
    case mcp::Route::kReference: {
      if (std::string problem = ParamHeaderProblem(call, *catalog_); !problem.empty()) {
        co_return Failure(Error{.code = Code::kInvalid,
                                .origin = Origin::kClient,
                                .message = std::move(problem),
                                .rpc_code = mcp::kHeaderMismatch});
      }
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

Result<ReplyPtr> Router::Local(const Call& call) const {
  if (call.message.method() != mcp::Method::kDiscover) return Failure(MethodNotFound(call));
  std::string result = R"({"resultType":"complete","supportedVersions":[)";
  for (const auto version : {mcp::Version::k2026_07_28, mcp::Version::k2025_11_25,
                             mcp::Version::k2025_06_18, mcp::Version::k2025_03_26}) {
    if (!result.ends_with('[')) result += ',';
    result.append(mcp::Quote(mcp::ToString(version)));
  }
  result.append(R"(],"capabilities":)").append(catalog_->Capabilities(call.client->version));
  if (!catalog_->Instructions().empty()) {
    result.append(R"(,"instructions":)").append(mcp::Quote(catalog_->Instructions()));
  }
  result.append(R"(,"ttlMs":5000,"cacheScope":"private","_meta":{)")
      .append(R"("io.modelcontextprotocol/serverInfo":{"name":"switchyard","version":")")
      .append(SWITCHYARD_VERSION)
      .append(R"("}}})");
  return ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(result)));
}

Result<ReplyPtr> Router::List(const Call& call) const {
  std::optional<std::string> cursor;
  const std::string_view raw = call.message.Get(mcp::Key::kCursor);
  if (!raw.empty() && raw != "null") cursor = call.message.GetString(mcp::Key::kCursor);
  Result<std::shared_ptr<const std::string>> list =
      catalog_->List(call.message.method(), call.client->version,
                     cursor ? std::optional<std::string_view>(*cursor) : std::nullopt);
  if (!list) return Failure(std::move(list.error()));
  return ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(*list)));
}

Result<ReplyPtr> Router::Listen(const Call& call) {
  boost::system::error_code error;
  const std::string_view raw = call.message.Get(mcp::Key::kNotifications);
  const boost::json::value filter = boost::json::parse(raw, error);
  if (error || !filter.is_object()) {
    return Failure(Code::kInvalid, Origin::kClient,
                   "subscriptions/listen needs params.notifications, an object such as "
                   "{\"toolsListChanged\":true}");
  }
  const auto wants = [&filter](std::string_view key) {
    const boost::json::value* value = filter.as_object().if_contains(key);
    return value != nullptr && value->is_bool() && value->as_bool();
  };
  const Catalog::Changes wanted{.tools = wants("toolsListChanged"),
                                .prompts = wants("promptsListChanged"),
                                .resources = wants("resourcesListChanged")};
  return std::make_unique<ListenReply>(feed_, wanted, std::string(call.message.id()));
}

Task<Result<ReplyPtr>> Router::Forward(Call& call) {
  const Call& named = call;
  std::shared_ptr<Service> server;
  if (!call.target.server.empty()) server = find_server_(call.target.server);
  if (server == nullptr) {
    const bool resource = named.method().route == mcp::Route::kResource;
    const std::string name = call.message.GetString(resource ? mcp::Key::kUri : mcp::Key::kName);
    Error error{.code = Code::kNotFound, .origin = Origin::kClient, .message = {}};
    switch (named.method().route) {
      case mcp::Route::kTool: error.message = "unknown tool: " + name; break;
      case mcp::Route::kPrompt: error.message = "unknown prompt: " + name; break;
      case mcp::Route::kResource:
        error.message = "resource not found: " + name;
        error.data = R"({"uri":)" + mcp::Quote(name) + "}";
        break;
      default: error.message = "unknown completion reference"; break;
    }
    co_return Failure(std::move(error));
  }
  // The call outlives its reply, so what it pins does as well, also across a reload.
  struct Pins {
    std::shared_ptr<const void> catalog;
    std::shared_ptr<Service> server;
  };
  call.target.pin = std::make_shared<Pins>(Pins{std::move(call.target.pin), server});
  if (tasks_ != nullptr && TaskRoutes::Concerns(call)) {
    Result<ReplyPtr> reply = co_await tasks_->Forward(call, std::move(server));
    co_return reply;
  }
  Result<ReplyPtr> reply = co_await server->Handle(call);
  co_return reply;
}

void Router::Update(std::shared_ptr<const Catalog> catalog) {
  const Catalog::Changes changes = catalog->Since(*catalog_);
  catalog_ = std::move(catalog);
  feed_.Stage(changes);
}

}  // namespace switchyard::catalog
