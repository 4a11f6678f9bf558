#include "controller/quorum/upgrade.h"

#include <algorithm>
#include <climits>
#include <optional>

#include "controller/quorum/rows.h"
#include "controller/quorum/sealed.h"
#include "proto/metadata.pb.h"

namespace quorum {

namespace {

namespace v1 = ::moldau::metadata::v1;

constexpr std::string_view kTerm = "m/term";

/// The rows as they are read, and the batch that replaces them.
class Upgrade {
  public:
    Upgrade(storage::Store& store, const raft::Member& self, const std::string& address)
        : store_(store) {
        member_.self = self;
        snapshot_.info.configuration.voters = {{self, address}};
        snapshot_.generation = 1;
    }

    base::Status run(const std::string& cluster_id) {
        RETURN_IF_ERROR(term());
        RETURN_IF_ERROR(snapshot());
        RETURN_IF_ERROR(entries());
        batch_.remove(std::string(kTerm));
        if (last_.index > 0) {
            if (member_.cluster_id.empty()) return damaged("it does not say which cluster's it is");
            RETURN_IF_ERROR(member_.check(member_.self.id, cluster_id));
            // Terms were begun only by voting for itself.
            const raft::HardState hard{std::max(term_, last_.term), member_.self};
            batch_.put(std::string(rows::kState), rows::State{hard, last_}.encode());
            batch_.put(std::string(rows::kSnapshot), snapshot_.encode());
            batch_.put(std::string(rows::kMember), member_.encode());
        }
        return store_.write(batch_, storage::Store::Durability::synced);
    }

  private:
    base::Status term() {
        ASSIGN_OR_RETURN(const auto row, store_.get(kTerm));
        if (!row) return damaged("its term (row m/term) is missing");
        const auto body = unseal(kTerm, *row);
        if (!body) return damaged("its term (row m/term) has a wrong checksum");
        Reader in(*body);
        term_ = in.take<raft::Term>();
        if (!in.exhausted() || term_ < 0) return damaged("its term (row m/term) can't be read");
        return base::ok();
    }

    base::Status snapshot() {
        ASSIGN_OR_RETURN(const auto row, store_.get(rows::kSnapshot));
        if (!row) return base::ok();
        const auto body = unseal(rows::kSnapshot, *row);
        if (!body) return damaged("where its snapshot is (row m/snapshot) has a wrong checksum");
        Reader in(*body);
        last_.index = in.take<raft::Index>();
        last_.term = in.take<raft::Term>();
        snapshot_.chunks = in.take<uint32_t>();
        const auto format = in.take<uint32_t>();
        if (!in.exhausted() || format != 1 || last_.index <= 0 || last_.term < 0)
            return damaged("where its snapshot is (row m/snapshot) can't be read");
        snapshot_.info.position = last_;
        for (uint32_t i = 0; i < snapshot_.chunks; ++i) RETURN_IF_ERROR(chunk(i));
        return base::ok();
    }

    base::Status chunk(uint32_t number) {
        std::string key(rows::kChunks);
        put(key, number);
        const auto what = "part " + std::to_string(number) + " of its snapshot";
        ASSIGN_OR_RETURN(const auto row, store_.get(key));
        if (!row) return damaged(what + " is missing");
        const auto body = unseal(key, *row);
        if (!body) return damaged(what + " has a wrong checksum");
        if (!look_into(*body)) return damaged(what + " can't be read");
        batch_.put(rows::chunk_key(snapshot_.generation, number),
                   rows::encode_chunk(snapshot_.generation, number, *body));
        batch_.remove(std::move(key));
        return base::ok();
    }

    base::Status entries() {
        base::Status found;
        RETURN_IF_ERROR(
            store_.scan(rows::kEntries, [&](std::string_view key, std::string_view row) {
                found = entry(key, row);
                return found.ok();
            }));
        return found;
    }

    base::Status entry(std::string_view key, std::string_view row) {
        const auto what = "entry " + std::to_string(last_.index + 1);
        if (rows::index_of(key) != last_.index + 1) return damaged(what + " is missing");
        const auto body = unseal(key, row);
        if (!body) return damaged(what + " has a wrong checksum");
        Reader in(*body);
        raft::Entry entry;
        entry.term = in.take<raft::Term>();
        entry.data = in.rest();
        if (!in.complete() || entry.term < last_.term || !look_into(entry.data))
            return damaged(what + " can't be read");
        last_ = {last_.index + 1, entry.term};
        batch_.put(std::string(key), rows::encode(last_.index, entry));
        return base::ok();
    }

    /// Whether it is a list of records; remembers the cluster that they tell of.
    bool look_into(std::string_view bytes) {
        v1::Entry entry;
        if (bytes.size() > INT_MAX ||
            !entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
            return false;
        for (const auto& record : entry.records())
            if (record.has_cluster()) member_.cluster_id = record.cluster().cluster_id();
        return true;
    }

    storage::Store& store_;
    storage::WriteBatch batch_;
    rows::Member member_;
    rows::Snapshot snapshot_;
    raft::Term term_ = 0;
    raft::Position last_;
};

}  // namespace

base::Result<bool> is_format_one(const storage::Store& store) {
    ASSIGN_OR_RETURN(const auto term, store.get(kTerm));
    if (!term) return false;
    for (const auto key : {rows::kState, rows::kMember}) {
        ASSIGN_OR_RETURN(const auto row, store.get(key));
        if (row) return damaged("it has rows of two formats");
    }
    return true;
}

base::Status upgrade_format_one(storage::Store& store, const raft::Member& self,
                                const std::string& cluster_id, const std::string& address) {
    return Upgrade(store, self, address).run(cluster_id);
}

}  // namespace quorum
