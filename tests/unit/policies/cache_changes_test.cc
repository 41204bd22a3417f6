// What drops answers: writers, also those that become tasks, and updates of resources.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/writer_tasks.h"
#include "unit/policies/cache_fixture.h"

namespace switchyard::policies {
namespace {

using testing::Answer;
using testing::CachePolicy;
using testing::FakeService;
using testing::Parsed;
using testing::Tool;

// One policy for reads of x and for what writes there.
class CacheChanges : public CachePolicy {
 protected:
  std::string Ask(Call call, const PolicySet& set) {
    call.target.policies = &set;
    return CachePolicy::Ask(cache_, std::move(call));
  }
  std::string Search() { return Ask(Of(search_), reads_); }
  // What a client is answered that asks about the task.
  void AskAboutTask(const std::string& method, const std::string& id, const std::string& result) {
    Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                          R"(","params":{"taskId":")" + id + R"("}})");
    call.target.server = "x";
    call.target.name = "own-1";
    const auto answers = service_.answer;
    service_.answer = [&](Call&) -> Result<ReplyPtr> {
      return FakeService::Script(Answer(result));
    };
    Ask(std::move(call), reads_);
    service_.answer = answers;
  }
  // The call of a writer becomes the task `t1`.
  void Write(const PolicySet& writes) {
    const auto answers = service_.answer;
    service_.answer = [](Call&) -> Result<ReplyPtr> {
      testing::Step task = Answer(R"({"resultType":"task","taskId":"own-1","status":"working"})");
      mcp::Message& message = **task;  // as the router does: the client has an id of its own
      message.edits().Replace(message.member(mcp::Key::kTaskId).value, R"("t1")");
      return FakeService::Script(std::move(task));
    };
    Ask(Of(writer_), writes);
    service_.answer = answers;
  }

  const Definition writer_ = Tool("write_page");
  const std::shared_ptr<const Policy> cache_ = cache::Make({.clock = clock_, .metrics = metrics_});
  const PolicySet reads_ = Bind(*cache_, "{ttl: 1h}");
  const PolicySet writes_ = Bind(*cache_, "{invalidates: ['sea*']}");
};

TEST_F(CacheChanges, AWriterWhoseOwnCacheIsOffDropsAllTheSame) {
  const PolicySet off = Bind(*cache_, "{enabled: false, invalidates: ['sea*']}");
  Search();
  EXPECT_EQ(Search(), "hit 0");
  Ask(Of(writer_), off);
  EXPECT_EQ(Search(), "miss 0");
}

TEST_F(CacheChanges, AWriteAtOneMemberOfAGroupDropsWhatIsKeptOfTheOthers) {
  Definition of_peer = search_, of_stranger = search_;
  of_peer.server = "y";
  of_stranger.server = "z";
  const std::vector<std::string> peers = {"y"};
  const PolicySet writes = Bind(*cache_, "{invalidates: ['sea*']}",
                                {.endpoint = {}, .server = "x", .glob = {}, .peers = peers});
  const auto read = [&] {
    return Ask(Of(search_), reads_) + ", " + Ask(Of(of_peer), reads_) + ", " +
           Ask(Of(of_stranger), reads_);
  };
  EXPECT_EQ(read(), "miss 0, miss 0, miss 0");
  Ask(Of(writer_), writes);
  EXPECT_EQ(read(), "miss 0, miss 0, hit 0");
  Write(writes);
  EXPECT_EQ(read(), "miss 0, miss 0, hit 0") << "also as a task";
  AskAboutTask("tasks/get", "t1", R"({"taskId":"own-1","status":"completed"})");
  EXPECT_EQ(read(), "miss 0, miss 0, hit 0") << "when it ends, too";
}

TEST_F(CacheChanges, AWriterThatSurelyDidNotRunDropsNothing) {
  const auto answers = service_.answer;
  const auto fails = [&](const Error& error) {
    service_.answer = [error](Call&) -> Result<ReplyPtr> { return Failure(error); };
    Ask(Of(writer_), writes_);
    service_.answer = answers;
    return Search();
  };
  Search();
  EXPECT_EQ(fails({.code = Code::kUnavailable, .retryable = true, .message = "refused"}), "hit 0");
  EXPECT_EQ(fails({.code = Code::kForbidden, .message = "not yours"}), "hit 0");
  EXPECT_EQ(fails({.code = Code::kUnavailable, .message = "closed"}), "miss 0");
}

TEST_F(CacheChanges, AWriterThatBecomesATaskDropsWhenItBeginsAndWhenItEnds) {
  Search();
  Write(writes_);
  EXPECT_EQ(Search(), "miss 0");
  AskAboutTask("tasks/get", "t1", R"({"taskId":"own-1","status":"working"})");
  EXPECT_EQ(Search(), "hit 0") << "it goes on";
  AskAboutTask("tasks/get", "t2", R"({"taskId":"own-2","status":"completed"})");
  EXPECT_EQ(Search(), "hit 0") << "another task";
  AskAboutTask("tasks/get", "t1", R"({"taskId":"own-1","status":"completed"})");
  EXPECT_EQ(Search(), "miss 0");
  AskAboutTask("tasks/get", "t1", R"({"taskId":"own-1","status":"completed"})");
  EXPECT_EQ(Search(), "hit 0") << "it has ended before";
}

TEST_F(CacheChanges, ATaskThatIsCancelledOrWaitedForDropsToo) {
  Write(writes_);
  Search();
  AskAboutTask("tasks/cancel", "t1", R"({"resultType":"complete"})");
  EXPECT_EQ(Search(), "miss 0");
  AskAboutTask("tasks/result", "t1", R"({"resultType":"input_required"})");
  EXPECT_EQ(Search(), "hit 0");
  AskAboutTask("tasks/result", "t1", R"({"resultType":"complete"})");
  EXPECT_EQ(Search(), "miss 0");
}

TEST_F(CacheChanges, WhatAListenTellsOfTasksAndResourcesCounts) {
  Write(writes_);
  Search();
  const auto read = [this](const std::string& uri) {
    Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":")" +
                          uri + R"("}})");
    call.target.server = "x";
    call.target.name = "file:///a";
    return Ask(std::move(call), reads_);
  };
  read("file:///a"), read("switchyard://x/file:///a");
  EXPECT_EQ(read("file:///a"), "hit 0");
  EXPECT_EQ(read("switchyard://x/file:///a"), "hit 0") << "an answer of its own, which names it so";
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(
        testing::Step(Parsed(R"({"jsonrpc":"2.0","method":"notifications/tasks","params":)"
                             R"({"taskId":"t1","status":"failed"}})")),
        testing::Step(
            Parsed(R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":)"
                   R"({"uri":"switchyard://x/file:///a"}})")),
        Answer());
  };
  Ask(testing::ListenCall(), reads_);
  service_.answer = [](Call&) -> Result<ReplyPtr> { return FakeService::Script(Answer()); };
  EXPECT_EQ(Search(), "miss 0") << "the task has ended";
  EXPECT_EQ(read("file:///a"), "miss 0") << "whatever it is called";
  EXPECT_EQ(read("switchyard://x/file:///a"), "miss 0");
}

TEST_F(CacheChanges, WhoHasReadAWritersAnswerReadsNothingOlder) {
  Search();
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Progress(), Answer());
  };
  Call call = Of(writer_);
  call.target.policies = &writes_;
  auto reply = loop_.Run(cache_->Handle(call, service_));
  ASSERT_TRUE(reply && *reply);
  loop_.Run((**reply)->Next());
  EXPECT_EQ(Search(), "hit 0");
  loop_.Run((**reply)->Next());  // the answer; the reply is still there
  service_.answer = [](Call&) -> Result<ReplyPtr> { return FakeService::Script(Answer()); };
  EXPECT_EQ(Search(), "miss 0");
}

TEST(WriterTasks, AreBounded) {
  WriterTasks tasks;
  EXPECT_TRUE(tasks.empty());
  const std::size_t more = WriterTasks::kMost + 1;
  for (std::size_t i = 0; i < more; ++i)
    tasks.Add(std::to_string(i), {.servers = {"x"}, .globs = {}});
  EXPECT_FALSE(tasks.Find("0"));
  EXPECT_TRUE(tasks.Find("1"));
  for (std::size_t i = 0; i < more; ++i) tasks.Forget(std::to_string(i));
  EXPECT_TRUE(tasks.empty());
}

}  // namespace
}  // namespace switchyard::policies
