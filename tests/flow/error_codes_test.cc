// Every code that a server may answer with, in every combination of eras: what its client reads.
// protocol: basic/index of each revision (codes), streamable-http (statuses).
#include <gtest/gtest.h>

#include "flow/matrix.h"

namespace switchyard::tests {
namespace {

struct Row {
  int sent;                   // by the server
  int modern, modern_status;  // what a modern client gets
  int legacy;                 // what a legacy client gets, always with 200
};

// Of tools/call.
constexpr Row kOfCalls[] = {
    {.sent = -32700, .modern = -32700, .modern_status = 200, .legacy = -32700},
    {.sent = -32600, .modern = -32600, .modern_status = 200, .legacy = -32600},
    {.sent = -32601, .modern = -32601, .modern_status = 404, .legacy = -32601},
    {.sent = -32602, .modern = -32602, .modern_status = 200, .legacy = -32602},
    {.sent = -32603, .modern = -32603, .modern_status = 200, .legacy = -32603},
    {.sent = -32000, .modern = -32000, .modern_status = 200, .legacy = -32000},
    {.sent = -32019, .modern = -32019, .modern_status = 200, .legacy = -32019},
    {.sent = -32023, .modern = -32603, .modern_status = 200, .legacy = -32603},
    {.sent = -32099, .modern = -32603, .modern_status = 200, .legacy = -32603},
    {.sent = -32100, .modern = -32100, .modern_status = 200, .legacy = -32100},
    {.sent = -1, .modern = -1, .modern_status = 200, .legacy = -1},
    {.sent = 4711, .modern = 4711, .modern_status = 200, .legacy = 4711},
};

// Of resources/read: not found has a code of its own before 2026-07-28.
constexpr Row kOfReads[] = {
    {.sent = -32002, .modern = -32602, .modern_status = 200, .legacy = -32002},
    {.sent = -32602, .modern = -32602, .modern_status = 200, .legacy = -32002},
    {.sent = -32603, .modern = -32603, .modern_status = 200, .legacy = -32603},
    {.sent = 4711, .modern = 4711, .modern_status = 200, .legacy = 4711},
};

class ErrorCodes : public Matrix {
 protected:
  void Expect(const Answer& answer, const Row& row) {
    const bool modern = client_era() == Era::kModern;
    EXPECT_EQ(answer.code(), modern ? row.modern : row.legacy) << row.sent << ": " << answer;
    EXPECT_EQ(answer.status, modern ? row.modern_status : 200) << row.sent << ": " << answer;
    EXPECT_TRUE(answer.Contains("as asked")) << row.sent << ": " << answer;
    EXPECT_TRUE(answer.Contains(R"("why":"asked")")) << row.sent << ": its data stays: " << answer;
  }
};

INSTANTIATE_TEST_SUITE_P(All, ErrorCodes, AllCombinations(), NameOf);

TEST_P(ErrorCodes, OfAToolReadAsTheClientsEraWantsThem) {
  Begin();
  for (const Row& row : kOfCalls) {
    const std::string code = std::to_string(row.sent);
    Expect(client->Call("a__refuse", R"({"code":)" + code + "}"), row);
  }
}

// A child's answers cannot be set from here.
using ErrorCodesOverHttp = ErrorCodes;
INSTANTIATE_TEST_SUITE_P(All, ErrorCodesOverHttp,
                         ::testing::Combine(::testing::Values(Era::kModern, Era::kLegacy),
                                            ::testing::Values(Kind::kHttp),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(ErrorCodesOverHttp, OfAResourceReadAsTheClientsEraWantsThem) {
  Begin();
  for (const Row& row : kOfReads) {
    fake->surface().OnMethod("resources/read", [&row](Turn& turn) {
      turn.Error(row.sent, "as asked", R"({"why":"asked"})");
    });
    const std::string uri = client->List("resources/list", "resources", "uri").at(0);
    Expect(client->Request({.method = "resources/read", .members = R"("uri":")" + uri + "\""}),
           row);
  }
}

}  // namespace
}  // namespace switchyard::tests
