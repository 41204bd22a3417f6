// The service on a worker, and what a test asks of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "orchestration/service.h"
#include "telemetry/metrics.h"
#include "unit/downstream/loop.h"
#include "unit/orchestration/busy_database.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {

class ServiceFixture : public ::testing::Test {
 protected:
  ~ServiceFixture() override { database->Close(); }  // what the desk asked of it is over then
  Call CallOf(std::string_view method, const std::string& params, const std::string& target = "") {
    Call call;
    call.message = mcp::Message::Make("1", method, params);
    auto client = std::make_shared<Client>();
    client->tasks = tasks;
    call.client = client;
    call.caller = caller;
    call.target.name = target;
    return call;
  }
  mcp::Message Ask(std::string_view method, const std::string& params,
                   const std::string& target = "") {
    const auto call = std::make_unique<Call>(CallOf(method, params, target));
    Result<ReplyPtr> reply = loop.Run(service.Handle(*call));
    if (!reply) return mcp::Message::MakeError("1", 1, reply.error().message);
    auto next = loop.Run((*reply)->Next());
    return std::move(**next);
  }
  mcp::Message CallTool(const std::string& tool, const std::string& arguments) {
    const std::string name = std::string(kToolPrefix) + tool;
    return Ask("tools/call", R"({"name":")" + name + R"(","arguments":)" + arguments + "}", name);
  }

  downstream::Loop loop;
  telemetry::Metrics metrics;
  std::unique_ptr<store::SqliteDatabase> database =
      std::move(*store::SqliteDatabase::Open({}, Schema()));
  BusyDatabase busy{*database};
  std::shared_ptr<Desk> desk = std::make_shared<Desk>(busy, loop.deps().clock, metrics, Settings());
  Service service{desk, loop.deps()};
  switchyard::Tasks tasks = switchyard::Tasks::kNone;
  switchyard::Caller caller = Nobody();
};

}  // namespace switchyard::orchestration
