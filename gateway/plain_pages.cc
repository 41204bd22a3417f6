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
}

admin::Access PlainPages::access() const {
  const std::lock_guard lock(mutex_);
  return access_;
}

Task<std::optional<edge::PlainAnswer>> PlainPages::Answer(edge::PlainRequest request,
                                                          Executor worker) {
  if (request.path.starts_with("/admin/")) {
    const admin::Asked asked{.method = std::move(request.method),
                             .path = std::move(request.path),
                             .content_type = std::move(request.content_type),
                             .body = std::move(request.body),
                             .authorization = std::move(request.authorization),
                             .from_page = request.from_page,
                             .forwarded = request.forwarded};
    std::optional<admin::Page> page = admin::ApprovalsPage(desk_, access(), asked);
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
