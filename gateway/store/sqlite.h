// SQLite behind values: a database, its statements, a transaction. Nothing else includes sqlite3.h
// but sqlite_gathering.cc.
// Errors name the file, what is wrong and what to do about it; none throws.
//
// A Database and its statements belong to one thread at a time; statements and transactions end
// before it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3_stmt;

namespace switchyard::store::sqlite {

class Statement;

class Database {
 public:
  struct Options {
    bool read_only = false;
    Duration patience{};   // how long to wait where another program holds the file
    bool gathers = false;  // what a commit adds to a log, see sqlite_gathering.h
  };
  // Creates the file if there is none, unless it is only to be read; one that this user may not
  // write is refused unless it is.
  static Result<Database> Open(const std::string& path, Options options);

  // Statements without parameters and results, several of them with ; between.
  Result<void> Execute(const std::string& sql);
  // `sql` is one statement with ? for its parameters, to be run often.
  Result<Statement> Prepare(std::string_view sql);
  // Of a statement whose first column is a number.
  Result<std::int64_t> Number(std::string_view sql);

  // Whether the file's name leads elsewhere by now: what is written would be lost with this
  // process.
  bool Moved() const;

  // SQLite gives a transaction up by itself where it cannot go on: the disk is full, or fails.
  bool InTransaction() const;

  // It grows to so many pages at most, or stays as large as it is by then; 0: whatever it takes.
  // Once a bound was set, a statement that has no room within it is kTooLarge, which is no full
  // disk; so nothing may spill to the disk before a commit (PRAGMA cache_spill).
  Result<void> LimitPages(std::int64_t most);

  // From now on what is committed stays in the log (of a file in WAL mode) until Checkpoint().
  void KeepLog();
  // Pages in the log after the last commit here, since KeepLog().
  int pages_in_log() const;
  // How many commits here added to the log since then: one that changed nothing does not.
  std::uint64_t commits_in_log() const;
  // Copies as much of the log into the file as can be without waiting for anybody; when that is
  // all, the log begins anew with the next commit. What is in use elsewhere is no failure.
  Result<void> Checkpoint();
  // What was written to the file is on the disk.
  Result<void> Sync();
  // Ends what runs at present, with an Error. Any thread.
  void Interrupt();
  // Whether the log stays beside the file when this closes it, as it was found.
  void LeaveLog(bool leave);

  // What is in it is nothing that this program can use: the file as a whole is at fault.
  Error Unusable(std::string_view why) const;
  Error Gone() const;  // for a file that was moved

 private:
  friend class Statement;
  struct Handle;
  struct Close {
    void operator()(Handle* handle) const;
  };
  Database() = default;

  std::unique_ptr<Handle, Close> handle_;  // stays where it is when this moves
};

// May be run again after Reset(). Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement& Bind(int parameter, std::int64_t value);
  // The bytes are copied.
  Statement& Bind(int parameter, std::string_view bytes);
  Statement& BindText(int parameter, std::string_view text);  // UTF-8
  // The same without a copy: the text is there until the statement is reset.
  Statement& Lend(int parameter, std::string_view text);
  Statement& BindNull(int parameter);

  // True: there is a row. False: done, and reset.
  Result<bool> Step();
  // To its end, then reset.
  Result<void> Run();
  void Reset();

  // Whether it may change the file.
  bool changes() const;
  std::string_view sql() const;

  // Of the present row; views are good until the next Step().
  enum class Type : std::uint8_t { kNull, kInteger, kOther };
  int columns() const;
  Type TypeOf(int column) const;
  std::int64_t Integer(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(const Database::Handle& database) : database_(&database) {}

  const Database::Handle* database_;
  int bound_ = 0;  // the first failure of Bind(); Step() reports it
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Rolled back unless it was committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;  // null: over
};

}  // namespace switchyard::store::sqlite
