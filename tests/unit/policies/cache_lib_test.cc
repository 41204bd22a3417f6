// What the cache is made of, and that nothing of one caller reaches another.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/answer_cache.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/writer_words.h"
#include "unit/policies/cache_fixture.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CanonicalJson, IsOneTextForAllWritingsOfAValue) {
  const auto of = [](const std::string& raw) { return CanonicalJson(raw).value_or("none"); };
  EXPECT_EQ(of(R"({"b":[1,{"d":null}],"a":"\u00e9\n"})"),
            of("{ \"a\" : \"é\\u000a\", \"b\":[1,{\"d\": null}] }"));
  EXPECT_NE(of("1"), of("1.0")) << "servers may tell them apart";
  EXPECT_NE(of("1"), of(R"("1")"));
  EXPECT_NE(of(R"(["a","b"])"), of(R"(["a\",\"b"])"));
  EXPECT_NE(of(R"({"a":{}})"), of(R"({"a":[]})"));
  EXPECT_NE(of(R"("\ud800")"), of(R"("\ud801")"));
  EXPECT_EQ(of(R"({"a":1,"a":1})"), "none");
  EXPECT_EQ(of(R"([{"x":{"a":1,"\u0061":1}}])"), "none");
  EXPECT_EQ(of("{"), "none");
}

TEST(KeyTemplate, FieldsCannotRunIntoEachOther) {
  const auto made = KeyTemplate::Parse("{a}{b}");
  ASSERT_TRUE(made);
  EXPECT_NE(made->Fill(R"({"a":1,"b":23})"), made->Fill(R"({"a":12,"b":3})"));
  EXPECT_NE(made->Fill(R"({"a":"1","b":"23"})"), made->Fill(R"({"a":"12","b":"3"})"));
  EXPECT_EQ(made->Fill(R"({"a":1,"b":23,"c":0})"), made->Fill(R"({"b":23,"a":1})"));
}

TEST(WriterWords, AreFoundAsWordsAndNotWithinThem) {
  for (const char* name : {"send_mail", "sendMail", "mail.send", "HTTPPost", "SEND", "a-delete-b",
                           "get_and_write", "run2"}) {
    EXPECT_FALSE(WriterWordIn(name).empty()) << name;
  }
  for (const char* name :
       {"search", "sender", "list_posts", "updates", "runner", "address", "send*", "output", ""}) {
    EXPECT_TRUE(WriterWordIn(name).empty()) << name;
  }
  EXPECT_EQ(WriterWordIn("send_*"), "send");
}

AnswerCache::EntryPtr Entry(const TopicPtr& topic, std::size_t bytes, TimePoint since = {}) {
  const mcp::Message message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"result":{"t":")" +
                                               std::string(bytes, 'x') + R"("}})");
  return std::make_shared<const AnswerCache::Entry>(
      AnswerCache::Entry{.answer = KeptAnswer::Of(message),
                         .since = since,
                         .ttl = seconds(10),
                         .stale = {},
                         .topic = topic,
                         .generation = topic->generation.load()});
}

TEST(KeptAnswers, WhatIsSaidOfOneCallIsNotKept) {
  for (const char* meta :
       {R"({"switchyard/budget":[{"budget":"b"}]})",
        R"({"a":1,"switchyard/budget":[{"budget":"b"}]})",
        R"({"switchyard/budget":[{"budget":"b"}],"switchyard/cache":{"status":"hit"}})",
        R"({"switchyard/cache":{"status":"hit"},"a":1,"switchyard/budget":[{"budget":"b"}]})"}) {
    const mcp::Message message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":)" + std::string(meta) + "}}");
    const auto kept = KeptAnswer::Of(message);
    ASSERT_NE(kept, nullptr) << meta;
    const auto read = [](const mcp::Message& given) {
      Result<mcp::Message> again = mcp::Message::Parse(given.ToText());
      return again ? std::string(again->Get(mcp::Key::kMeta)) : "broken: " + given.ToText();
    };
    const std::string later = read(kept->Give("2", "hit", seconds(1)));
    EXPECT_THAT(later, Not(HasSubstr("switchyard/budget"))) << meta;
    EXPECT_THAT(later, HasSubstr(R"("switchyard/cache":{"status":"hit","ageMs":1000})")) << meta;
    mcp::Message missed = message.Clone();
    NoteMiss(missed);
    const std::string now = read(missed);
    EXPECT_THAT(now, HasSubstr(R"("switchyard/budget":[{"budget":"b"}])")) << meta;
    EXPECT_THAT(now, HasSubstr(R"("status":"miss")")) << meta;
  }
}

TEST(AnswerCache, AMillionKeysTakeBoundedMemoryAndTheLeastUsedGoFirst) {
  constexpr std::size_t kMost = std::size_t{4} << 20;
  AnswerCache cache(kMost);
  const auto topic = std::make_shared<Topic>();
  const AnswerCache::EntryPtr entry = Entry(topic, 10);
  std::size_t gone = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    gone += cache.Put("key " + std::to_string(i), entry);
    EXPECT_LE(cache.bytes(), kMost);
    if (i % 100 == 0) cache.Find("key 0", {});
  }
  EXPECT_EQ(gone + cache.entries(), 1'000'000U);
  EXPECT_NE(cache.Find("key 0", {}), nullptr) << "it was asked for all the time";
  EXPECT_NE(cache.Find("key 999999", {}), nullptr);
  EXPECT_EQ(cache.Find("key 1", {}), nullptr);
  EXPECT_EQ(cache.Put("large", Entry(topic, kMost / AnswerCache::kShards)), 0U);
  EXPECT_EQ(cache.Find("large", {}), nullptr);
}

TEST(AnswerCache, AClockThatJumpsServesNothingBeyondItsTime) {
  AnswerCache cache(std::size_t{1} << 20);
  const TimePoint start{seconds(1000)};
  cache.Put("k", Entry(std::make_shared<Topic>(), 10, start));
  EXPECT_NE(cache.Find("k", start - seconds(100)), nullptr) << "a step back: as new";
  EXPECT_NE(cache.Find("k", start + seconds(9)), nullptr);
  EXPECT_EQ(cache.Find("k", start + seconds(10)), nullptr);
  EXPECT_EQ(cache.entries(), 0U);
}

TEST(AnswerCache, WhatIsOfNoUseAnyMoreGoesThoughNobodyAsksForIt) {
  AnswerCache cache(std::size_t{4} << 20);
  const auto topic = std::make_shared<Topic>();
  std::size_t gone = 0;
  for (int i = 0; i < 10'000; ++i) {  // a thousand are fresh at a time
    const TimePoint now{std::chrono::milliseconds(10) * i};
    gone += cache.Put("key " + std::to_string(i), Entry(topic, 10, now));
  }
  EXPECT_GE(cache.entries(), 1000U);
  EXPECT_LT(cache.entries(), 1200U);
  EXPECT_EQ(gone, 0U) << "of those that were of use";
  ++topic->generation;
  for (int i = 0; i < 1000; ++i) {
    cache.Put("new " + std::to_string(i), Entry(std::make_shared<Topic>(), 10, TimePoint{}));
  }
  EXPECT_LT(cache.entries(), 1050U) << "what was invalidated goes as well";
}

TEST(AnswerCache, AnAnswerThatComesTooLateLeavesTheNewerOneWhereItIs) {
  AnswerCache cache(std::size_t{1} << 20);
  const auto topic = std::make_shared<Topic>();
  const AnswerCache::EntryPtr late = Entry(topic, 10);
  ++topic->generation;
  const AnswerCache::EntryPtr newer = Entry(topic, 20);
  cache.Put("k", newer);
  cache.Put("k", late);
  EXPECT_EQ(cache.Find("k", {}), newer);
}

TEST(Topics, AreInvalidatedByServerNameAndUri) {
  Topics topics;
  const TopicPtr tool = topics.Of("a", "read_page"), same = topics.Of("a", "read_page");
  const TopicPtr other = topics.Of("b", "read_page");
  const TopicPtr file = topics.Of("a", "file:///x"), part = topics.Of("a", "x");
  EXPECT_EQ(tool, same);
  const std::vector<std::string> globs = {"read_*"};
  const std::vector<std::string> servers = {"a", "c"};
  topics.Invalidate(servers, globs);
  EXPECT_EQ(tool->generation, 1U);
  EXPECT_EQ(other->generation, 0U);
  topics.InvalidateUri("file:///x");
  EXPECT_EQ(file->generation, 1U);
  topics.InvalidateUri("switchyard://a/file:///x");
  EXPECT_EQ(file->generation, 2U) << "as some clients know it";
  EXPECT_EQ(part->generation, 0U);
  topics.InvalidateServer("a");
  EXPECT_EQ(file->generation, 3U);
  for (int i = 0; i < 100'000; ++i) topics.Of("a", std::to_string(i));
  EXPECT_LT(topics.size(), 3000U) << "those that nobody holds are swept";
}

// Different for different views: where and by what client, and, of what is not for everybody, by
// whom.
std::string ViewOf(const Call& call, bool everybody) {
  std::string text = std::string(call.endpoint) + "|" +
                     (call.target.others == nullptr ? "0" : "7") + "|" +
                     call.client->info.substr(1, call.client->info.size() - 2);
  for (const auto& [name, value] : call.header_params.sent) text.append("|").append(value);
  if (everybody) return text + "|all";
  const Principal& caller = *call.caller;
  text += "|" + caller.issuer + "/" + caller.subject + "/" + caller.client;
  for (const std::string& scope : caller.scopes) text += "/" + scope;
  return text;
}

// Random callers, scopes, endpoints, clients, tools and arguments: each answer says for whom it is.
TEST(CacheProperty, NothingOfOneCallerIsEverServedToAnother) {
  std::mt19937 random(20261122);
  ManualClock clock;
  switchyard::telemetry::Metrics metrics;
  testing::Loop loop;
  testing::FakeService service;
  std::vector<Definition> tools;
  for (const char* name : {"look", "find", "count"}) {
    Definition tool;
    tool.kind = ItemKind::kTool;
    tool.server = "x";
    tool.name = tool.exposed = name;
    tool.json = std::string(R"({"name":")") + name + R"("})";
    tool.annotations.read_only = true;
    tools.push_back(std::move(tool));
  }
  // The server says in each answer whom it is for and what was asked.
  service.answer = [&](Call& call) -> Result<ReplyPtr> {
    const bool everybody = call.target.name == "count";
    const std::string who = ViewOf(call, everybody);
    return ReplyWith(mcp::Message::FromResult(
        call.message.id(), R"({"for":")" + who + R"(","tool":")" + call.target.name +
                               R"(","asked":)" +
                               std::string(call.message.Get(mcp::Key::kArguments)) +
                               (everybody ? R"(,"cacheScope":"public"})" : "}")));
  };
  const auto policy =
      testing::MakePolicy("cache", &cache::Make, "{ttl: 5s}", {.clock = clock, .metrics = metrics});
  // Mostly the same one, so that there are hits.
  const std::vector<std::string> words = {"a", "a", "a", "a", "a", "a", "a",  "a",
                                          "a", "a", "a", "a", "",  "b", "ab", "a/b"};
  const auto word = [&] { return words[random() % words.size()]; };
  const testing::UriView rewritten("x", 7);
  int hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Definition& tool = tools[random() % tools.size()];
    const std::string arguments = R"({"q":)" + std::to_string(random() % 3) + "}";
    Call call;
    call.message =
        testing::Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" +
                        tool.name + R"(","arguments":)" + arguments + "}}");
    call.target.server = "x";
    call.target.name = tool.name;
    call.target.definition = &tool;
    Principal caller = {.issuer = word(), .subject = word(), .client = word()};
    if (random() % 4 == 0) caller.scopes = {word()};
    call.caller = MakeCaller(std::move(caller));
    const std::string endpoint = word();
    call.endpoint = endpoint;
    if (random() % 4 == 0) call.target.others = &rewritten;
    Client client;
    client.info = "\"" + word() + "\"";
    call.client = std::make_shared<const Client>(client);
    if (random() % 4 == 0) call.header_params.sent = {{"R", word()}};
    const std::string who = ViewOf(call, tool.name == "count");
    const int before = service.calls;
    auto reply = loop.Run(policy->Handle(call, service));
    ASSERT_TRUE(reply && *reply);
    const std::string text = (**reply)->Whole()->ToText();
    ASSERT_NE(
        text.find(R"("for":")" + who + R"(","tool":")" + tool.name + R"(","asked":)" + arguments),
        std::string::npos)
        << text;
    if (tool.name != "count") hits += service.calls == before ? 1 : 0;
    if (random() % 500 == 0) clock.Advance(seconds(random() % 4));
  }
  EXPECT_GT(hits, 500);
}

}  // namespace
}  // namespace switchyard::policies
