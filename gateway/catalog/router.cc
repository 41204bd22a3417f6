#include "catalog/router.h"

#include <utility>

#include <boost/json.hpp>

#include "catalog/header_check.h"
#include "catalog/result_uris.h"
#include "mcp/error_map.h"

namespace switchyard::catalog {
namespace {

Error MethodNotFound(const Call& call) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown method: " + std::string(call.message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

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

}  // namespace

Router::Router(std::shared_ptr<const Catalog> catalog, FindServer find_server, const Deps& deps,
               std::unique_ptr<TaskRoutes> tasks)
    : catalog_(std::move(catalog)),
      find_server_(std::move(find_server)),
      listens_(find_server_, deps),
      tasks_(std::move(tasks)) {}

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
  // legacy client, which the policies should not see as a poll a second, and whether there are logs
  // to set a level for is known here.
  const bool spoken = method.SpokenIn(mcp::kModern) || method.method == mcp::Method::kTasksResult ||
                      method.method == mcp::Method::kSetLevel;
  if (!spoken || (!method.capability.empty() && !catalog_->Offers(method.capability))) {
    co_return Failure(MethodNotFound(call));
  }
  switch (method.route) {
    case mcp::Route::kLocal: co_return Local(call);
    case mcp::Route::kList: co_return List(call);
    case mcp::Route::kListen: {
      Result<ReplyPtr> listening = listens_.Open(call, catalog_);
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
  // Where the marks are shown, clients mirror what they mark.
  if (call.header_params.expected && catalog_->view().transparent &&
      call.target.definition != nullptr) {
    Result<void> checked = CheckHeaderParams(call);
    if (!checked) co_return Failure(std::move(checked.error()));
  }
  // The call outlives its reply, so what it pins does as well, also across a reload.
  struct Pins {
    std::shared_ptr<const void> catalog;
    std::shared_ptr<Service> server;
  };
  call.target.pin = std::make_shared<Pins>(Pins{std::move(call.target.pin), server});
  const std::shared_ptr<const Catalog> catalog =
      NeedsClientUris(call, *catalog_) ? catalog_ : nullptr;
  const bool task = tasks_ != nullptr && TaskRoutes::Concerns(call);
  Result<ReplyPtr> reply =
      co_await (task ? tasks_->Forward(call, std::move(server)) : server->Handle(call));
  if (reply && catalog != nullptr) co_return WithClientUris(std::move(*reply), call, catalog);
  co_return reply;
}

void Router::Update(std::shared_ptr<const Catalog> catalog) {
  const Catalog::Changes changes = catalog->Since(*catalog_);
  catalog_ = std::move(catalog);
  listens_.Stage(catalog_, changes);
}

}  // namespace switchyard::catalog
