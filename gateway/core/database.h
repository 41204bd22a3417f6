// Durable records in SQL, behind what engines have in common: SQLite by default
// (store/sqlite_database.h), servers of SQL when state is shared. What is small, shared and expires
// is not for it but for a Store (store.h).
//
// A transaction is a function that runs on a thread of the engine, alone as far as it can see. Its
// caller is answered after the commit, which may be that of many transactions: whatever was
// answered survives the end of the process and of the machine's power.
//
// SQL is what all engines read: parameters are $1, $2 and so on, in the order of their first use;
// numbers are BIGINT, all else is TEXT (valid UTF-8 without the character 0). Nothing counts on the
// order of rows without ORDER BY, or on row ids.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace switchyard {

class Database {
 public:
  // A value on its way in. Text is borrowed until the statement has run.
  class Parameter {
   public:
    Parameter(std::nullptr_t) {}          // NOLINT: NULL
    Parameter(std::integral auto number)  // NOLINT
        : value_(static_cast<std::int64_t>(number)) {}
    Parameter(std::string_view text) : value_(text) {}                      // NOLINT
    Parameter(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
    Parameter(const char* text) : value_(std::string_view(text)) {}         // NOLINT
    template <class T>
    Parameter(const std::optional<T>& value) {  // NOLINT
      if (value) *this = Parameter(*value);
    }

    using Value = std::variant<std::monostate, std::int64_t, std::string_view>;
    const Value& value() const { return value_; }

   private:
    Value value_;
  };

  // What came back. Columns count from 0; NULL reads as 0 and as "".
  class Row {
   public:
    using Value = std::variant<std::monostate, std::int64_t, std::string>;
    explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

    bool IsNull(std::size_t column) const {
      return std::holds_alternative<std::monostate>(values_[column]);
    }
    std::int64_t Number(std::size_t column) const {
      const auto* number = std::get_if<std::int64_t>(&values_[column]);
      return number == nullptr ? 0 : *number;
    }
    const std::string& Text(std::size_t column) const {
      static const std::string kNone;
      const auto* text = std::get_if<std::string>(&values_[column]);
      return text == nullptr ? kNone : *text;
    }
    // The same without a copy; it is not here any more.
    std::string TakeText(std::size_t column) {
      auto* text = std::get_if<std::string>(&values_[column]);
      return text == nullptr ? std::string() : std::move(*text);
    }

   private:
    std::vector<Value> values_;
  };
  using Rows = std::vector<Row>;

  // Good until the function that was given it returns.
  class Transaction {
   public:
    virtual ~Transaction() = default;
    // `sql` is in static storage only: engines keep what they made of it, found by address and
    // length.
    virtual Result<Rows> Query(std::string_view sql, std::span<const Parameter> parameters) = 0;

    Result<Rows> Query(std::string_view sql, std::initializer_list<Parameter> parameters = {}) {
      return Query(sql, std::span(parameters.begin(), parameters.size()));
    }
    // What all records take, in bytes, with what this changed before it first asked; what was freed
    // does not count. Costs no more than a short query.
    virtual Result<std::int64_t> UsedBytes() = 0;
    // Where the engine bounds that: what this does from here on may pass the bound. For what makes
    // room, which may take some before.
    virtual Result<void> PassBound() = 0;

    // Of a statement whose rows nobody wants.
    Result<void> Execute(std::string_view sql, std::initializer_list<Parameter> parameters = {}) {
      Result<Rows> rows = Query(sql, parameters);
      if (!rows) return Failure(std::move(rows.error()));
      return {};
    }
  };

  // An Error undoes what it did. It may run more than once, when engines have to begin anew, so it
  // changes nothing but through the transaction, and sets what it answers each time.
  using Work = std::move_only_function<Result<void>(Transaction&)>;
  // Told once, on a thread of the engine: committed; the Error of the work; or why it is not kept.
  // An Error whose `retryable` is set kept nothing for sure. kTooLarge of the gateway: there is no
  // room for it within the bound of the engine, and nothing was kept.
  using Done = std::move_only_function<void(Result<void>)>;

  // Whether others may be committed with it. Where they begin anew, those before one that is alone
  // do not: they were through by then.
  enum class Company : std::uint8_t { kAny, kAlone };

  virtual ~Database() = default;

  // Any thread. In the order of a caller's own submissions; bounded: where too many wait, it is
  // refused with kRateLimited at once.
  virtual void Submit(Work work, Done done, Company company) = 0;
  void Submit(Work work, Done done) { Submit(std::move(work), std::move(done), Company::kAny); }
};

// Tables as they became what they are: `steps[i]` leads from version i to i + 1 and never changes
// once it was released. Each is one or more statements with ; between.
struct DatabaseSchema {
  std::string_view name;         // for messages: "orchestration"
  std::int64_t application = 0;  // tells its files from those of other programs
  std::span<const std::string_view> steps;

  std::int64_t version() const { return static_cast<std::int64_t>(steps.size()); }
};

}  // namespace switchyard
