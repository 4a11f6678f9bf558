#include "lab/trace.h"

#include <utility>

namespace lab {

Sent* Trace::find(Value value) {
    if (value.producer >= values.size() || value.counter >= values[value.producer].size())
        return nullptr;
    return &values[value.producer][value.counter];
}

void Trace::found(Anomaly anomaly, const Event& e, std::string detail) {
    const bool has_value = e.op == Op::send || ((e.op == Op::poll || e.op == Op::drain) &&
                                                (e.flags & (flag::corrupt | flag::foreign)) == 0);
    findings.add(
        {anomaly, e.partition, e.offset, has_value, e.value, e.time_ns, std::move(detail)});
}

void Trace::found(Anomaly anomaly, uint32_t partition, base::Offset offset, Key key,
                  std::string detail) {
    const bool has_value = key != 0 && key != unreadable;
    findings.add({anomaly, partition, offset, has_value, has_value ? value_of(key) : Value{}, -1,
                  std::move(detail)});
}

std::string Trace::text_of(Key key) const {
    if (key == 0) return "nothing";
    if (key == unreadable) return "something unreadable";
    const Value value = value_of(key);
    std::string of = value.producer < processes.size() ? processes[value.producer].name : "";
    if (of.empty()) of = "process " + std::to_string(value.producer);
    return "value " + std::to_string(value.counter) + " of " + of;
}

}  // namespace lab
