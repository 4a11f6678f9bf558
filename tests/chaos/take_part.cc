#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>

#include "base/check.h"
#include "tests/chaos/workload.h"

namespace chaos {
namespace {

using Clock = std::chrono::steady_clock;

/// One member of the group. It commits, itself and at once, what it got.
class Member {
  public:
    Member(Shared& shared, uint32_t process) : shared_(shared), process_(process) {
        auto config = shared_.config();
        config.set("group.id", "group-" + std::to_string(shared.options.run));
        config.set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
        rd_kafka_conf_set_opaque(config.raw(), this);
        rd_kafka_conf_set_rebalance_cb(
            config.raw(),
            [](rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
               void* self) { static_cast<Member*>(self)->rebalance(what, partitions); });
        auto made = std::move(config).make(RD_KAFKA_CONSUMER);
        if (!made.ok()) std::fprintf(stderr, "%s\n", base::message(made.status()).c_str());
        CHECK(made.ok());
        client_ = *std::move(made);
        rd_kafka_poll_set_consumer(client_.get());
    }

    void run() {
        subscribe();
        constexpr int wait_ms = 50;
        constexpr std::chrono::milliseconds between_commits{300};
        auto next_commit = Clock::now();
        while (!shared_.end) {
            const cli::RdMessage message(rd_kafka_consumer_poll(client_.get(), wait_ms));
            if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(*message);
            if (Clock::now() < next_commit) continue;
            commit();
            next_commit = Clock::now() + between_commits;
        }
        commit();
        rd_kafka_consumer_close(client_.get());
    }

  private:
    void subscribe() {
        const cli::RdPartitions topics(rd_kafka_topic_partition_list_new(1));
        for (const std::string& topic : shared_.options.topics)
            rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
        CHECK(rd_kafka_subscribe(client_.get(), topics.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }

    void take(const rd_kafka_message_t& message) {
        note_message(shared_, process_, lab::Op::poll, message);
        const uint32_t number =
            shared_.number_of(rd_kafka_topic_name(message.rkt), message.partition);
        if (number < shared_.partitions.size()) positions_[number] = message.offset + 1;
    }

    void rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list) {
        if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            fetch_committed(list);
            const int32_t generation = this->generation();
            each(list, [&](uint32_t number, const rd_kafka_topic_partition_t& one) {
                note(lab::Op::assign, lab::Phase::ok, number, one.offset, generation);
            });
            rd_kafka_assign(client_.get(), list);
            return;
        }
        // Those that were lost are another's already, and the commit is refused.
        commit();
        each(list, [&](uint32_t number, const rd_kafka_topic_partition_t&) {
            note(lab::Op::revoke, lab::Phase::ok, number, -1, -1);
        });
        positions_.clear();
        rd_kafka_assign(client_.get(), nullptr);
    }

    /// Sets the offsets of the list to where to begin.
    void fetch_committed(rd_kafka_topic_partition_list_t* list) {
        each(list, [&](uint32_t number, const rd_kafka_topic_partition_t&) {
            note(lab::Op::fetch_committed, lab::Phase::invoke, number, -1, -1);
        });
        constexpr int patience_ms = 10'000;
        const auto error = rd_kafka_committed(client_.get(), list, patience_ms);
        for (int i = 0; i < list->cnt; ++i) {
            rd_kafka_topic_partition_t& one = list->elems[i];
            const uint32_t number = shared_.number_of(one.topic, one.partition);
            const bool told =
                error == RD_KAFKA_RESP_ERR_NO_ERROR && one.err == RD_KAFKA_RESP_ERR_NO_ERROR;
            const bool known = told && one.offset >= 0;
            note(lab::Op::fetch_committed, told ? lab::Phase::ok : lab::Phase::info, number,
                 known ? one.offset : -1, -1);
            // What nobody told librdkafka asks for itself, and begins there.
            one.offset = known ? one.offset : told ? 0 : RD_KAFKA_OFFSET_STORED;
        }
    }

    void commit() {
        if (positions_.empty()) return;
        const cli::RdPartitions list(
            rd_kafka_topic_partition_list_new(static_cast<int>(positions_.size())));
        const int32_t before = generation();
        for (const auto& [number, offset] : positions_) {
            const Partition& p = shared_.partitions[number];
            rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.number)->offset =
                offset;
            note(lab::Op::commit, lab::Phase::invoke, number, offset, before);
        }
        const auto error = rd_kafka_commit(client_.get(), list.get(), 0);
        // It may have gone out in a newer generation than that in which it was asked for.
        const int32_t after = generation();
        const int32_t generation = before < 0 || after < 0 ? -1 : std::max(before, after);
        each(list.get(), [&](uint32_t number, const rd_kafka_topic_partition_t& one) {
            const bool taken =
                error == RD_KAFKA_RESP_ERR_NO_ERROR && one.err == RD_KAFKA_RESP_ERR_NO_ERROR;
            note(lab::Op::commit, taken ? lab::Phase::ok : lab::Phase::info, number, one.offset,
                 generation, taken ? 0 : error);
        });
    }

    /// The generation that this member is in; -1: none, or not known. librdkafka tells it only in
    /// what it writes of a group's metadata: "CGMDv2:", then a 32-bit number.
    int32_t generation() {
        rd_kafka_consumer_group_metadata_t* const metadata =
            rd_kafka_consumer_group_metadata(client_.get());
        if (metadata == nullptr) return -1;
        constexpr std::string_view magic = "CGMDv2:";
        void* bytes = nullptr;
        size_t size = 0;
        int32_t out = -1;
        rd_kafka_error_t* const error =
            rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size);
        if (error == nullptr) {
            const std::string_view text(static_cast<const char*>(bytes), size);
            if (text.starts_with(magic) && size >= magic.size() + sizeof out)
                std::memcpy(&out, text.data() + magic.size(), sizeof out);
            rd_kafka_mem_free(client_.get(), bytes);
        } else {
            rd_kafka_error_destroy(error);
        }
        rd_kafka_consumer_group_metadata_destroy(metadata);
        return out;
    }

    template <class Each>
    void each(const rd_kafka_topic_partition_list_t* list, Each what) {
        for (int i = 0; i < list->cnt; ++i) {
            const rd_kafka_topic_partition_t& one = list->elems[i];
            const uint32_t number = shared_.number_of(one.topic, one.partition);
            if (number < shared_.partitions.size()) what(number, one);
        }
    }
    void note(lab::Op op, lab::Phase phase, uint32_t number, int64_t offset, int32_t generation,
              int code = 0) {
        shared_.history.add({.op = op,
                             .phase = phase,
                             .code = static_cast<int16_t>(code),
                             .process = process_,
                             .partition = number,
                             .epoch = generation,
                             .offset = offset});
    }

    Shared& shared_;
    uint32_t process_;
    cli::RdKafka client_;
    std::map<uint32_t, int64_t> positions_;  // the offsets to commit
};

}  // namespace

void take_part(Shared& shared, uint32_t process) { Member(shared, process).run(); }

}  // namespace chaos
