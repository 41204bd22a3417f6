#include "admin/metrics_endpoint.h"

#include <utility>

namespace switchyard::admin {

Page MetricsPage(std::string text) {
  return {.status = 200,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = std::move(text)};
}

}  // namespace switchyard::admin
