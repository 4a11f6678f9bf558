"""Record batches (format 2) as bytes, right or wrong in any one place."""

import struct
import time

from wire import varint

CRC_TABLE = []
for _i in range(256):
    _c = _i
    for _ in range(8):
        _c = _c >> 1 ^ (0x82f63b78 if _c & 1 else 0)
    CRC_TABLE.append(_c)

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
CONTROL = 0x20


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def record(delta, value, key=None, headers=None):
    """`headers` is the count that is told; none follow."""
    body = b"\0" + varint(0) + varint(delta)
    body += varint(-1) if key is None else varint(len(key)) + key
    body += varint(len(value)) + value + varint(headers or 0)
    return varint(len(body)) + body


def batch(*values, attributes=0, magic=2, count=None, last_delta=None, producer=(-1, -1, -1),
          base_offset=0, length_off=0, crc_xor=0, records=None, timestamp=None):
    """One batch. `records` replaces the bytes of the records; the other names what is wrong."""
    if records is None:
        records = b"".join(record(i, v) for i, v in enumerate(values))
    count = len(values) if count is None else count
    last_delta = count - 1 if last_delta is None else last_delta
    now = int(time.time() * 1000) if timestamp is None else timestamp
    checked = struct.pack(">hiqqqhii", attributes, last_delta, now, now, *producer,
                          count) + records
    tail = struct.pack(">ibI", 0, magic, crc32c(checked) ^ crc_xor) + checked
    return struct.pack(">qi", base_offset, len(tail) + length_off) + tail
