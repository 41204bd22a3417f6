// `switchyard pins` on a pins file.
#include "cli/pins.h"

#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "pins/book_file.h"
#include "pins/judge.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using pins::Act;
using pins::DefinitionOf;
using pins::Kind;
using testing::HasSubstr;
using testing::Not;

class PinsCommand : public testing::Test {
 protected:
  PinsCommand() {
    See("one");
    See("two\u200b");
    EXPECT_TRUE(pins::BookFile(place_.path() + "/pins.json").Write(book_));
    options_.config = place_.Put(
        "my.yaml", "servers: {a: {command: x}}\npins: {file: " + place_.path() + "/pins.json}\n");
  }
  void See(const std::string& text) {
    const std::string item = R"({"name":"pay","description":")" + text + "\"}";
    pins::Judge("a",
                {{.id = {Kind::kTool, "pay"}, .definition = DefinitionOf(Kind::kTool, item)},
                 {.id = {Kind::kPrompt, "ask"}, .definition = DefinitionOf(Kind::kPrompt, item)},
                 {.id = {Kind::kTool, "same"}, .definition = DefinitionOf(Kind::kTool, "{}")}},
                {.change = Act::kQuarantine, .scan = Act::kWarn}, {}, "2026-01-01T00:00:00Z",
                book_);
  }
  template <class Command, class... More>
  int Run(Command command, const More&... more) {
    std::ostringstream out, err;
    const int exit = command(options_, more..., out, err);
    out_ = out.str();
    err_ = err.str();
    return exit;
  }
  int Accept() { return Run(RunPinsAccept, Clock::Real()); }
  pins::Book OnDisk() const { return *pins::BookFile(place_.path() + "/pins.json").Read(); }
  bool Waits(const pins::ItemId& id) const {
    return OnDisk().servers.at("a").items.at(id).pending.has_value();
  }

  const Workplace place_;
  pins::Book book_;
  PinsOptions options_;
  std::string out_, err_;
};

TEST_F(PinsCommand, ListsWhatIsPinnedAndItsState) {
  EXPECT_EQ(Run(RunPinsList), kOk);
  EXPECT_THAT(out_, HasSubstr("a  pay  quarantined  first_seen  "));
  EXPECT_THAT(out_, HasSubstr("a  same  pinned  first_seen  "));
  EXPECT_THAT(out_, HasSubstr("a  prompt:ask  quarantined"));
}

TEST_F(PinsCommand, ShowsOldAndNewAndWhatTheScanFound) {
  EXPECT_EQ(Run(RunPinsDiff, true), kOk);
  EXPECT_THAT(out_, HasSubstr("a pay: quarantined since 2026-01-01T00:00:00Z, changed"));
  EXPECT_THAT(out_, HasSubstr("high invisible at /description: two\\u{200B}"));
  EXPECT_THAT(out_, HasSubstr("-   \"description\": \"one\""));
  EXPECT_THAT(out_, HasSubstr("+   \"description\": \"two\\u200b\""));
  EXPECT_THAT(out_, Not(HasSubstr("same")));
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
  options_.colours = true;
  Run(RunPinsDiff, true);
  EXPECT_THAT(out_, HasSubstr("\x1b[31m-"));
}

TEST_F(PinsCommand, SaysTheSameAsJson) {
  options_.json = true;
  EXPECT_EQ(Run(RunPinsDiff, false), kOk);
  const auto all = boost::json::parse(out_).as_array();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("item"), "pay");
  EXPECT_EQ(all[0].at("state"), "quarantined");
  EXPECT_EQ(all[0].at("pending").at("findings").at(0).at("rule"), "invisible");
}

TEST_F(PinsCommand, AcceptsWhatIsNamedAndNothingElse) {
  options_.server = "a";
  options_.items = {"pay"};
  EXPECT_EQ(Accept(), kOk) << err_;
  EXPECT_FALSE(Waits({Kind::kTool, "pay"}));
  EXPECT_TRUE(Waits({Kind::kPrompt, "ask"}));
  EXPECT_EQ(Accept(), kFailed);
  EXPECT_THAT(err_, HasSubstr("a pay does not wait to be accepted"));
}

TEST_F(PinsCommand, AcceptsOnlyTheHashThatWasLookedAt) {
  options_.server = "a";
  options_.items = {"pay"};
  options_.hash = "0000";
  EXPECT_EQ(Accept(), kFailed);
  EXPECT_THAT(err_, HasSubstr("by now: look at it again"));
  EXPECT_TRUE(Waits({Kind::kTool, "pay"}));
}

TEST_F(PinsCommand, AcceptsAllOfAServerOnlyWhenToldSo) {
  options_.server = "a";
  EXPECT_EQ(Accept(), kUsage);
  options_.all = true;
  EXPECT_EQ(Accept(), kOk);
  EXPECT_FALSE(Waits({Kind::kPrompt, "ask"}));
  EXPECT_EQ(Accept(), kOk);
  EXPECT_THAT(out_, HasSubstr("nothing of a waits"));
}

TEST_F(PinsCommand, ForgetsAndMoves) {
  options_.server = "a";
  options_.items = {"same"};
  EXPECT_EQ(Run(RunPinsForget), kOk);
  EXPECT_EQ(OnDisk().servers.at("a").items.size(), 2U);
  options_.items = {};
  options_.to = "b";
  EXPECT_EQ(Run(RunPinsMove), kOk);
  EXPECT_TRUE(OnDisk().servers.contains("b"));
  options_.server = "b";
  EXPECT_EQ(Run(RunPinsForget), kOk);
  EXPECT_TRUE(OnDisk().servers.empty());
}

TEST_F(PinsCommand, SaysWhatItDoesNotKnow) {
  options_.server = "x";
  EXPECT_EQ(Run(RunPinsList), kFailed);
  EXPECT_THAT(err_, HasSubstr("nothing is known of a server x; known are: a"));
  options_.server = "a";
  options_.items = {"nope"};
  EXPECT_EQ(Accept(), kFailed);
  EXPECT_THAT(err_, HasSubstr("a has no nope"));
  options_.config = place_.Put("other.yaml", "servers: {}\n");
  EXPECT_EQ(Run(RunPinsList), kFailed);
  EXPECT_THAT(err_, HasSubstr("pins nothing"));
}

}  // namespace
}  // namespace switchyard::cli
