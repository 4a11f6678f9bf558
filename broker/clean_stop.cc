#include "broker/clean_stop.h"

#include "absl/strings/numbers.h"
#include "storage/store/store.h"

namespace broker {

namespace {

constexpr char row[] = "broker/stopped-with-epoch";

}  // namespace

base::Result<int64_t> clean_stop(const storage::Store& store) {
    ASSIGN_OR_RETURN(const auto value, store.get(row));
    int64_t epoch = -1;
    if (!value || !absl::SimpleAtoi(*value, &epoch)) return -1;
    return epoch;
}

base::Status forget_clean_stop(storage::Store& store) {
    storage::WriteBatch batch;
    batch.remove(row);
    return store.write(batch, storage::Store::Durability::synced);
}

base::Status put_clean_stop(storage::Store& store, int64_t epoch) {
    storage::WriteBatch batch;
    batch.put(row, std::to_string(epoch));
    return store.write(batch, storage::Store::Durability::synced);
}

}  // namespace broker
