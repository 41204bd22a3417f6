// /metrics: what Prometheus reads. Pure, safe from any thread.
#pragma once

#include <string>

#include "admin/page.h"

namespace switchyard::admin {

// `text` is telemetry::Metrics::Serialize(), made off the workers' threads.
Page MetricsPage(std::string text);

}  // namespace switchyard::admin
