// What clients give as JSON comes back as they wrote it.
#include "orchestration/verbatim.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

TEST(Verbatim, StaysAmongWhatIsBuilt) {
  const json::object built{{"a", Verbatim("12345678901234567890123")},
                           {"b", {Verbatim("{ \"x\":1.0 }"), "t\n", nullptr}},
                           {"none", json::array()},
                           {"empty", json::object()}};
  EXPECT_EQ(ToText(built),
            R"({"a":12345678901234567890123,"b":[{ "x":1.0 },"t\n",null],"none":[],"empty":{}})");
  EXPECT_EQ(ToText(json::object{{"a", 1}}), R"({"a":1})");
}

TEST(Verbatim, FractionsReadAsPeopleWriteThem) {
  EXPECT_EQ(ToText(json::object{{"a", 1.0}, {"b", 0.85}, {"c", {0.0, -2.5}}, {"E", "1E0"}}),
            R"({"a":1.0,"b":0.85,"c":[0.0,-2.5],"E":"1E0"})");
}

TEST(Verbatim, TextThatLooksLikeTheMarkIsText) {
  EXPECT_EQ(ToText(json::object{{"a", "\\u0001{}"}, {"b", "x\x01{}"}}),
            R"({"a":"\\u0001{}","b":"x\u0001{}"})");
}

TEST(Kept, IsTakenApartAndPutTogetherAsItWas) {
  for (const char* raw :
       {"null", "true", "0", "-0.0", "1.10", "1e400", "12345678901234567890123", R"("")", "[]",
        "{}", R"({"z":1.0,"a":[1e2,{"b":[]},null,false,"t\n"],"\u0001[":{"c":-1}})",
        R"("\u0001{}")", R"(["\u0001","x\u0001"])"}) {
    EXPECT_EQ(ToText(Kept(raw)), raw);
  }
  EXPECT_TRUE(Kept("[1]").is_array());
  EXPECT_TRUE(Kept("{}").is_object());
  EXPECT_EQ(Kept(R"("t")"), json::value("t"));
}

TEST(Kept, StaysWholeWhereItCannotBeTakenApart) {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_TRUE(Kept(deep).is_string());
  EXPECT_EQ(ToText(Kept(deep)), deep);
}

class Results : public ::testing::Test {
 protected:
  std::string Done(const std::string& members) {
    room.Register("a");
    const std::string id = room.Create("x");
    room.Claim("a");
    EXPECT_EQ(room.Refusal("start_task", Room::Id(id)), "");
    const std::string refusal = room.Refusal("complete_task", Room::Id(id, members));
    if (!refusal.empty()) return refusal;
    return ToText(
        room.Call("get_task_status", Room::Id(id, R"(,"fields":["result","metrics"])"))->content);
  }
  Room room;
};

TEST_F(Results, KeepEveryDigitAndEveryByte) {
  EXPECT_THAT(Done(R"(,"result":{"n": 123456789012345678901234567890, "z":1.10, "a":[1e2]},)"
                   R"("metrics":{"cost":0.10000000000000000000001})"),
              HasSubstr(R"("result":{"n": 123456789012345678901234567890, "z":1.10, "a":[1e2]},)"
                        R"("metrics":{"cost":0.10000000000000000000001})"));
}

TEST_F(Results, MayHaveControlCharactersWithin) {
  EXPECT_THAT(Done(R"(,"result":"\u0001{\"x\":1}")"), HasSubstr(R"("result":"\u0001{\"x\":1}")"));
}

TEST_F(Results, ThatStandThereTwiceAreRefused) {
  EXPECT_EQ(Done(R"(,"result":1,"result":2)"), "result stands there twice");
}

}  // namespace
}  // namespace switchyard::orchestration
