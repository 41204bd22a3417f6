// A gateway in front of which a person stands, for tests of `approval`.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/admin.h"
#include "support/becomes.h"
#include "support/gateway_fixture.h"
#include "support/legacy_session.h"
#include "support/temp_dir.h"

namespace switchyard::tests {

inline constexpr const char* kForms = R"({"elicitation":{"form":{}}})";

class ApprovalFixture {
 protected:
  ApprovalFixture() {
    fake.surface().AddTool("wipe", [this](Turn& turn) {
      ++wiped;
      turn.Text("wiped " + turn.label());
    });
  }
  ~ApprovalFixture() { gateway.Stop(); }

  // `approval`: the policy, of all calls of the tools that it names.
  void Start(const std::string& approval) {
    gateway.Serves("a", fake).With("policies", "{approval: " + approval + "}").Start();
  }

  // ---- The person.
  json::array List(const Gateway& at) const {
    const json::value all = At(AskAdmin(at, "GET /admin/approvals").message(), "/approvals");
    return all.is_array() ? all.get_array() : json::array();
  }
  json::array List() const { return List(gateway); }
  // The one that there is, once `waiting` calls are held for it.
  std::string Waits(int waiting) const {
    const bool there = Becomes([&] {
      const json::array all = List();
      return all.size() == 1 && all[0].at("waiting") == waiting;
    });
    EXPECT_TRUE(there);
    return there ? TextAt(List()[0], "/id") : "";
  }
  Answer Decide(const std::string& id, const std::string& body) const {
    return AskAdmin(gateway, "POST /admin/approvals/" + id, body);
  }
  void Approve(const std::string& id) const {
    EXPECT_EQ(Decide(id, R"({"decision":"approve"})").status, 200) << id;
  }

  // ---- A tool with a question of its own in the middle.
  void AskWhich(Turn& turn) {
    if (!turn.param("inputResponses").is_null()) {
      ++wiped;
      return turn.Text("state " + json::serialize(turn.param("requestState")));
    }
    turn.Finish(
        R"({"jsonrpc":"2.0","id":)" + turn.id() +
            R"(,"result":{"resultType":"input_required","inputRequests":{"k":{"method":)"
            R"("elicitation/create","params":{"mode":"form","message":"which?",)"
            R"("requestedSchema":{"type":"object","properties":{}}}}},"requestState":"s1"}})",
        0);
  }

  // ---- What a client reads.
  static std::string Status(const Answer& answer) {
    return TextAt(answer.message(), "/result/_meta/switchyard~1approval/status");
  }
  static std::string Id(const Answer& answer) {
    return TextAt(answer.message(), "/result/_meta/switchyard~1approval/id");
  }
  static std::string State(const Answer& answer) {
    return TextAt(answer.message(), "/result/requestState");
  }

  const TempDir directory;
  std::atomic<int> wiped = 0;
  FakeServer fake = FakeServer::Modern("a");
  LeapingClock clock;  // of who goes by it
  Gateway gateway;
};

}  // namespace switchyard::tests
