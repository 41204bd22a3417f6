// The arguments of a call, read once for all policies.
#include "policies/lib/arguments.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::policies {
namespace {

using json_schema::JsonDoc;

std::string FirstKeyOf(const JsonDoc::Read& read) {
  std::string scratch;
  return read ? std::string(read->Text(1, scratch)) : std::string(read.error());
}

TEST(Arguments, AreReadAnewWhenTheTextIsAnother) {
  std::string raw = R"({"first":1})";
  EXPECT_EQ(FirstKeyOf(ReadArguments(raw)), "first");
  raw.replace(2, 5, "other");  // in the same place, of the same size
  EXPECT_EQ(FirstKeyOf(ReadArguments(raw)), "other");
  EXPECT_EQ(FirstKeyOf(ReadArguments(R"({"other":)")), "it ends too early");
  EXPECT_EQ(FirstKeyOf(ReadArguments(R"({"other":)")), "it ends too early");
  EXPECT_EQ(FirstKeyOf(ReadArguments(raw)), "other");
}

TEST(Arguments, AreReadOnceAndOutliveTheirText) {
  const JsonDoc::Read* read = nullptr;
  {
    const std::string raw = R"({"a":[1,2]})";
    read = &ReadArguments(raw);
    const JsonDoc::Value* const values = &(**read)[0];
    EXPECT_EQ(&(*ReadArguments(std::string(raw)))[0], values);
  }
  EXPECT_EQ((*read)->Raw(2), "[1,2]");
}

TEST(Arguments, AreAnEmptyObjectWhereThereAreNone) {
  const JsonDoc::Read& none = ReadArguments("");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->Raw(0), "{}");
}

TEST(Arguments, OfManyBytesAreNotKeptBehindFewerOnes) {
  const std::string large = R"({"large":")" + std::string(1'000'000, 'x') + R"("})";
  EXPECT_EQ(FirstKeyOf(ReadArguments(large)), "large");
  EXPECT_EQ(FirstKeyOf(ReadArguments(R"({"small":1})")), "small");
  EXPECT_EQ(FirstKeyOf(ReadArguments(large)), "large");
}

}  // namespace
}  // namespace switchyard::policies
