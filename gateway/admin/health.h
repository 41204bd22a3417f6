// /healthz and /readyz. Pure functions, safe from any thread.
//
// /healthz: the process answers; always 200.
// /readyz: 503 until each enabled server was up or found down once since the start, then 200 for as
// long as the gateway runs. A server that is down later does not make it 503: the others are still
// served, and every replica would leave the load balancer at once. Who is down is in the body.
#pragma once

#include <span>
#include <string>

#include "admin/page.h"

namespace switchyard::admin {

struct ServerHealth {
  std::string name;
  bool up = false;
  std::string reason;  // why it is not up
};

Page HealthPage();

// {"status":"ready","servers":[{"name":"a","up":true},{"name":"b","up":false,"reason":"..."}]};
// the status is "starting" while not ready.
std::string ReadyJson(bool ready, std::span<const ServerHealth> servers);
// `ready`: every server was settled once. It stays true: a reload does not take it back.
Page ReadyPage(bool ready, std::span<const ServerHealth> servers);

}  // namespace switchyard::admin
