// The pins file: read whole, replaced whole (a new file, synced, renamed over the old one), by one
// program at a time: who means to write holds a lock on `FILE.lock`, which ends with the process
// however that ends. The name is followed through symbolic links, so that a link stays one.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"
#include "pins/book.h"

namespace switchyard::pins {

class BookFile {
 public:
  explicit BookFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // An empty book when there is no file. kInvalid: it cannot be used, and why.
  Result<Book> Read();
  // Whether the file is another one than was read or written last.
  bool Changed() const;
  bool exists() const;

  // Held as long as the result lives. kTemporary: another program holds it (`wait` false).
  Result<Fd> Lock(bool wait) const;
  // Under the lock.
  Result<void> Write(const Book& book);

 private:
  struct Stamp {
    bool there = false;
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t size = 0, seconds = 0, nanoseconds = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp StampOf(const std::string& path);
  std::string Target() const;
  std::unexpected<Error> Failed(const std::string& what, int error) const;

  const std::string path_;
  Stamp known_;
};

}  // namespace switchyard::pins
