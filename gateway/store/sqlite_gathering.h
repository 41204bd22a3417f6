// A VFS of SQLite that writes what a commit adds to the write-ahead log in one go.
//
// SQLite itself writes each changed page in two pieces, its header and its content: some forty
// writes for a commit of twenty pages, each of which the kernel takes pains over. Here the pieces
// that follow each other are gathered, and written before anything else is asked of the log: a read
// of it, its length, or, at the end of a commit, that the disk has it.
//
// A write that fails later than it was asked for is told to whoever asks next. Where that is the
// end of the commit, nothing is lost; so it is for connections that write no page before
// (cache_spill = OFF), except where a failure is the end of the connection, as in a migration.
//
// Other connections learn of a commit after the disk has it, and read the file. So this is for
// connections that have each commit brought to the disk (synchronous = FULL), and for no others.
#pragma once

namespace switchyard::store::sqlite {

// Its name, for sqlite3_open_v2(); all files but logs are as in the usual VFS. Any thread.
const char* GatheringVfs();

}  // namespace switchyard::store::sqlite
