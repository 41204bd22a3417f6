#include "plain_pages.h"

#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "admin/health.h"
#include "admin/metrics_endpoint.h"
#include "base/mailbox.h"
#include "config/open.h"
#include "server_config.h"

namespace switchyard {

void PlainPages::Configure(const config::Config& config) {
  const std::lock_guard lock(mutex_);
  access_ = admin::Access::Of(config.admin.token.Reveal(), config::IsAdminOpen(config));
  const config::OpenPaths open = config::OpenPathsOf(config);
  if (open_to_network_ == nullptr) {
    open_to_network_ = metrics_.GaugeOf("switchyard_open_endpoints", {"network"});
    open_to_machine_ = metrics_.GaugeOf("switchyard_open_endpoints", {"machine"});
  }
  open_to_network_->Set(static_cast<std::int64_t>(open.network.size()));
  open_to_machine_->Set(static_cast<std::int64_t>(open.machine.size()));
}

admin::Access PlainPages::access() const {
  const std::lock_guard lock(mutex_);
  return access_;
}

Task<std::optional<admin::Page>> PlainPages::Admin(edge::PlainRequest request, Executor worker) {
  const admin::Asked asked{.method = request.method,
                           .path = request.path,
                           .content_type = request.content_type,
                           .body = request.body,
                           .authorization = std::move(request.authorization),
                           .from_page = request.from_page,
                           .forwarded = request.forwarded};
  if (request.path != ConnectPages::kAdmin) co_return admin::ApprovalsPage(desk_, access(), asked);
  if (std::optional<admin::Page> turned = admin::Turned(access(), asked)) co_return turned;
  std::optional<admin::Page> page = co_await connect_.Answer(std::move(request), worker);
  co_return page;
}

Task<std::optional<edge::PlainAnswer>> PlainPages::Answer(edge::PlainRequest request,
                                                          Executor worker) {
  if (request.path.starts_with("/connect/")) {
    std::optional<admin::Page> page = co_await connect_.Answer(std::move(request), worker);
    if (!page) co_return std::nullopt;
    co_return AnswerOf(std::move(*page));
  }
  if (request.path.starts_with("/admin/")) {
    std::optional<admin::Page> page = co_await Admin(std::move(request), worker);
    if (!page) co_return std::nullopt;
    co_return AnswerOf(std::move(*page));
  }
  if (request.method == "POST") co_return std::nullopt;
  if (request.path == "/healthz") co_return AnswerOf(admin::HealthPage());
  if (request.path == "/readyz") co_return AnswerOf(readiness_.ReadyPage());
  if (request.path != "/metrics") co_return std::nullopt;
  // Making the text takes milliseconds: on the control thread, never on a worker's.
  auto text = std::make_shared<Mailbox<std::string>>();
  net::post(control_, [this, worker, text] {
    net::post(worker,
              [text, made = metrics_.Serialize()]() mutable { text->Put(std::move(made)); });
  });
  std::string made = co_await text->Take();
  co_return AnswerOf(admin::MetricsPage(std::move(made)));
}

}  // namespace switchyard
