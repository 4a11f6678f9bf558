#include "storage/store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <filesystem>

namespace storage {

namespace {

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

base::Status status_of(const rocksdb::Status& status, const std::string& directory) {
    if (status.ok()) return base::ok();
    std::string why = directory + ": " + status.ToString();
    if (status.IsNoSpace()) return base::exhausted(why);
    if (status.IsCorruption()) return base::data_loss(why);
    if (status.IsIOError()) return base::unavailable(why);
    if (status.IsInvalidArgument()) return base::invalid(why);
    return base::internal(why);
}

/// RocksDB's warnings go to the node's log. A file of its own would be one more to fail: where it
/// is built with assertions, a disk that is full would end the process before it tells why.
class Words final : public rocksdb::Logger {
  public:
    Words() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list arguments) override {
        std::array<char, 512> line;
        (void)std::vsnprintf(line.data(), line.size(), format, arguments);
        spdlog::warn("RocksDB: {}", line.data());
    }
    /// All its options, at each start.
    void LogHeader(const char*, va_list) override {}
};

rocksdb::Options options() {
    rocksdb::Options options;
    options.create_if_missing = true;
    // A power loss tears the log's unsynced tail. Replay up to the tear: whole batches, none before
    // a kept one, which is what Store promises.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    options.write_buffer_size = 4 << 20;
    options.max_write_buffer_number = 2;
    options.max_total_wal_size = 16 << 20;
    options.max_manifest_file_size = 4 << 20;
    options.max_background_jobs = 2;
    options.max_open_files = 64;
    options.compression = rocksdb::kNoCompression;
    options.info_log = std::make_shared<Words>();
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(8 << 20);
    table.cache_index_and_filter_blocks = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

class RocksStore : public Store {
  public:
    RocksStore(std::unique_ptr<rocksdb::DB> db, std::string directory)
        : db_(std::move(db)), directory_(std::move(directory)) {}

    base::Status write(const WriteBatch& batch, Durability durability) override {
        rocksdb::WriteBatch rows;
        for (const auto& [key, value] : batch.rows()) {
            auto added = value ? rows.Put(key, *value) : rows.Delete(key);
            RETURN_IF_ERROR(status_of(added, directory_));
        }
        rocksdb::WriteOptions how;
        how.sync = durability == Durability::synced;
        return status_of(commit(how, rows), directory_);
    }

    base::Result<std::optional<std::string>> get(std::string_view key) const override {
        std::string value;
        auto status = db_->Get({}, slice_of(key), &value);
        if (status.IsNotFound()) return std::optional<std::string>();
        RETURN_IF_ERROR(status_of(status, directory_));
        return std::optional(std::move(value));
    }

    base::Status scan(std::string_view prefix,
                      const std::function<bool(std::string_view key, std::string_view value)>& row)
        const override {
        std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
        for (at->Seek(slice_of(prefix)); at->Valid(); at->Next()) {
            if (!at->key().starts_with(slice_of(prefix))) break;
            if (!row({at->key().data(), at->key().size()},
                     {at->value().data(), at->value().size()}))
                break;
        }
        return status_of(at->status(), directory_);
    }

  private:
    /// Not inlined, so that ThreadSanitizer shows this file among the callers, which
    /// tools/tsan.supp names: RocksDB joins the batches of several threads in a string that grows
    /// by our instrumented template code, under locks that are not seen.
    [[gnu::noinline]] rocksdb::Status commit(const rocksdb::WriteOptions& how,
                                             rocksdb::WriteBatch& rows) {
        return db_->Write(how, &rows);
    }

    std::unique_ptr<rocksdb::DB> db_;
    std::string directory_;
};

}  // namespace

base::Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return base::precondition(directory + ": " + error.message());
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(options(), directory, &db);
    if (status.IsIOError() && status.ToString().find("lock") != std::string::npos)
        return base::precondition(directory + ": in use by another process");
    RETURN_IF_ERROR(status_of(status, directory));
    return std::make_unique<RocksStore>(std::unique_ptr<rocksdb::DB>(db), directory);
}

}  // namespace storage
