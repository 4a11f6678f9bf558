// kafkajs against the bootstrap address of the first argument; one printed line a case, as in
// ../scenarios.py. Installed packages are those of package-lock.json, found through NODE_PATH.
'use strict';

const assert = require('node:assert/strict');
const {
  CompressionTypes, CompressionCodecs, ConfigResourceTypes, Kafka, logLevel,
} = require('kafkajs');
const snappy = require('kafkajs-snappy');
const lz4 = require('lz4-napi');
const { ZstdCodec } = require('zstd-codec');

const CASE_SECONDS = 60;
const bootstrap = process.argv[2];
const run = process.env.MOLDAU_TEST_RUN || Date.now().toString(16);
const kafka = new Kafka({ clientId: 'suite', brokers: [bootstrap], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const name = (what) => `kafkajs-${what}-${run}`;
const payload = (i) => `record ${i} ${'moldau '.repeat(30)}`;
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

CompressionCodecs[CompressionTypes.Snappy] = snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
});
const zstd = new Promise((done) => { ZstdCodec.run((codec) => done(new codec.Simple())); });
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from((await zstd).decompress(buffer)),
});

async function until(what, seconds, condition) {
  const deadline = Date.now() + seconds * 1000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
}

async function makeTopic(what, numPartitions = 1, configEntries = []) {
  const topic = name(what);
  await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] });
  return topic;
}

async function withProducer(options, use) {
  const producer = kafka.producer(options);
  await producer.connect();
  try { return await use(producer); } finally { await producer.disconnect(); }
}

async function fill(topic, count, { compression, acks, ...options } = {}) {
  const messages = Array.from({ length: count }, (_, i) => ({ value: payload(i), partition: 0 }));
  return withProducer(options, (p) => p.send({ topic, messages, compression, acks }));
}

// A running group member; kafkajs has no consumer without a group.
class Member {
  static async join(groupId, topic, { fromBeginning = true, ...options } = {}) {
    const member = new Member();
    member.records = [];
    member.assigned = [];
    member.consumer = kafka.consumer({ groupId, heartbeatInterval: 300, maxWaitTimeInMs: 200, ...options });
    member.consumer.on(member.consumer.events.GROUP_JOIN, ({ payload: joined }) => {
      member.assigned = joined.memberAssignment[topic] || [];
    });
    await member.consumer.connect();
    await member.consumer.subscribe({ topic, fromBeginning });
    await member.consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        member.records.push({ partition, ...message });
      },
    });
    return member;
  }

  async read(count) {
    await until(`${count} records`, 20, () => this.records.length >= count);
    return this.records;
  }

  leave() { return this.consumer.disconnect(); }
}

async function roundTrip(what, count, options) {
  const topic = await makeTopic(what);
  await fill(topic, count, options);
  const member = await Member.join(name(`${what}-group`), topic);
  const records = await member.read(count);
  await member.leave();
  assert.deepEqual(records.map((r) => r.value.toString()), Array.from({ length: count }, (_, i) => payload(i)));
  assert.deepEqual(records.map((r) => r.offset), Array.from({ length: count }, (_, i) => `${i}`));
}

const cases = {
  codec_none: () => roundTrip('codec-none', 300, {}),
  codec_gzip: () => roundTrip('codec-gzip', 300, { compression: CompressionTypes.GZIP }),
  codec_snappy: () => roundTrip('codec-snappy', 300, { compression: CompressionTypes.Snappy }),
  codec_lz4: () => roundTrip('codec-lz4', 300, { compression: CompressionTypes.LZ4 }),
  codec_zstd: () => roundTrip('codec-zstd', 300, { compression: CompressionTypes.ZSTD }),
  acks_0: () => roundTrip('acks-0', 50, { acks: 0 }),
  acks_1: () => roundTrip('acks-1', 50, { acks: 1 }),
  acks_all: () => roundTrip('acks-all', 50, { acks: -1 }),
  idempotent_producer: () => roundTrip('idempotent', 100, { idempotent: true }),

  async topic_made_by_first_produce() {
    const topic = name('auto');
    const [sent] = await withProducer({}, (p) => p.send({ topic, messages: [{ value: 'first' }] }));
    assert.equal(sent.baseOffset, '0');
    assert.ok((await admin.listTopics()).includes(topic));
  },

  async keys_and_headers() {
    const topic = await makeTopic('headers');
    const messages = [
      { key: 'key', value: 'value', headers: { h1: 'one', h2: Buffer.from([0, 255]) } },
      { key: null, value: 'no key', headers: {} },
      { key: 'no value', value: null, headers: { h1: ['again', 'and again'] } },
    ];
    await withProducer({}, (p) => p.send({ topic, messages }));
    const member = await Member.join(name('headers-group'), topic);
    const [first, second, third] = await member.read(3);
    await member.leave();
    assert.deepEqual([first.key.toString(), first.value.toString()], ['key', 'value']);
    assert.equal(first.headers.h1.toString(), 'one');
    assert.deepEqual(first.headers.h2, Buffer.from([0, 255]));
    assert.deepEqual([second.key, second.value.toString()], [null, 'no key']);
    assert.deepEqual([third.key.toString(), third.value], ['no value', null]);
    assert.deepEqual(third.headers.h1.map(String), ['again', 'and again']);
  },

  async consume_from_beginning_and_end() {
    const topic = await makeTopic('ends');
    await fill(topic, 20);
    const late = await Member.join(name('late-group'), topic, { fromBeginning: false });
    await until('the late member is assigned', 20, () => late.assigned.length === 1);
    // It looks up the end after it has joined; records until then are not its own.
    await until('the late member reads', 20, async () => {
      await withProducer({}, (p) => p.send({ topic, messages: [{ value: 'after' }] }));
      return late.records.length > 0;
    });
    assert.equal(late.records[0].value.toString(), 'after');
    await late.leave();
    const early = await Member.join(name('early-group'), topic);
    await early.read(21);
    await early.leave();
    assert.equal(early.records[0].offset, '0');
    const [offsets] = await admin.fetchTopicOffsets(topic);
    assert.equal(offsets.low, '0');
    assert.ok(Number(offsets.high) >= 21);
  },

  async consume_from_timestamp() {
    const topic = await makeTopic('time');
    const base = Date.now() - 100000;
    const messages = Array.from({ length: 10 }, (_, i) => (
      { value: `${i}`, timestamp: `${base + i * 1000}` }));
    await withProducer({}, (p) => p.send({ topic, messages }));
    const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, base + 4500);
    assert.equal(found.offset, '5');
    const member = await Member.join(name('time-group'), topic);
    member.consumer.seek({ topic, partition: 0, offset: found.offset });
    await until('the last record', 20, () => member.records.some((r) => r.offset === '9'));
    await member.leave();
    const last = member.records[member.records.length - 1];
    assert.equal(last.timestamp, `${base + 9000}`);
  },

  async seek() {
    const topic = await makeTopic('seek');
    await fill(topic, 30);
    const member = await Member.join(name('seek-group'), topic);
    await member.read(30);
    for (const offset of [12, 29, 0]) {
      member.records.length = 0;
      member.consumer.seek({ topic, partition: 0, offset: `${offset}` });
      assert.equal((await member.read(1))[0].offset, `${offset}`);
      await until('the last record', 20, () => member.records.some((r) => r.offset === '29'));
    }
    await member.leave();
  },

  async commit_and_resume() {
    const topic = await makeTopic('commit');
    const group = name('commit-group');
    await fill(topic, 40);
    const first = await Member.join(group, topic);
    await first.read(40);
    await first.consumer.commitOffsets([{ topic, partition: 0, offset: '25', metadata: 'note' }]);
    await first.leave();
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    assert.deepEqual([committed.partitions[0].offset, committed.partitions[0].metadata], ['25', 'note']);
    const second = await Member.join(group, topic);
    const records = await second.read(15);
    await second.leave();
    assert.deepEqual(records.map((r) => r.offset), Array.from({ length: 15 }, (_, i) => `${25 + i}`));
  },

  async two_members_share_and_one_leaves() {
    const topic = await makeTopic('share', 4);
    const group = name('share-group');
    const sendToEach = (value) => withProducer({}, (p) => p.send(
      { topic, messages: [0, 1, 2, 3].map((partition) => ({ value, partition })) }));
    const partitionsOf = (member, value) => new Set(
      member.records.filter((r) => `${r.value}` === value).map((r) => r.partition));
    const one = await Member.join(group, topic);
    await until('the only member has all', 20, () => one.assigned.length === 4);
    const two = await Member.join(group, topic);
    await until('both have half', 30, () => one.assigned.length === 2 && two.assigned.length === 2);
    assert.deepEqual([...one.assigned, ...two.assigned].sort(), [0, 1, 2, 3]);
    await sendToEach('both');
    await until('each reads its two', 20, () => partitionsOf(one, 'both').size === 2
      && partitionsOf(two, 'both').size === 2);
    await two.leave();
    await until('the remaining member has all', 30, () => one.assigned.length === 4);
    await sendToEach('rest');
    await until('the remaining member reads all', 20, () => partitionsOf(one, 'rest').size === 4);
    await one.leave();
  },

  async admin_topics() {
    const topic = await makeTopic('admin', 3);
    assert.ok((await admin.listTopics()).includes(topic));
    const { topics: [described] } = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.equal(described.partitions.length, 3);
    // kafkajs answers false where the topic is there already.
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false);
    await admin.deleteTopics({ topics: [topic] });
    await until('the topic is gone', 10, async () => !(await admin.listTopics()).includes(topic));
  },

  async admin_configs() {
    const topic = await makeTopic('configs', 1, [{ name: 'retention.ms', value: '3600000' }]);
    const read = async (key) => {
      const { resources: [resource] } = await admin.describeConfigs({
        includeSynonyms: true, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      });
      return resource.configEntries.find((entry) => entry.configName === key).configValue;
    };
    assert.equal(await read('retention.ms'), '3600000');
    assert.equal(await read('cleanup.policy'), 'delete');
    await admin.alterConfigs({
      resources: [{
        type: ConfigResourceTypes.TOPIC, name: topic,
        configEntries: [{ name: 'retention.ms', value: '7200000' }],
      }],
    });
    await until('retention.ms is as altered', 10, async () => (
      await read('retention.ms') === '7200000'));
  },

  async admin_partitions() {
    const topic = await makeTopic('partitions');
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await until('five partitions', 10, async () => (
      (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length === 5));
  },

  async admin_groups() {
    const topic = await makeTopic('groups');
    const group = name('groups-group');
    const member = await Member.join(group, topic);
    await until('the member is assigned', 20, () => member.assigned.length === 1);
    const describe = async () => (await admin.describeGroups([group])).groups[0];
    assert.ok((await admin.listGroups()).groups.some((g) => g.groupId === group));
    assert.deepEqual([(await describe()).state, (await describe()).members.length], ['Stable', 1]);
    await assert.rejects(admin.deleteGroups([group]), (error) => error.groups[0].errorCode === 68);
    await member.leave();
    await until('the group is empty', 10, async () => (await describe()).state === 'Empty');
    await admin.deleteGroups([group]);
    assert.ok(!(await admin.listGroups()).groups.some((g) => g.groupId === group));
  },

  async delete_records() {
    const topic = await makeTopic('delete-records');
    await fill(topic, 10);
    // kafkajs finds the leader only if it has looked the topic up before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    const [offsets] = await admin.fetchTopicOffsets(topic);
    assert.deepEqual([offsets.low, offsets.high], ['6', '10']);
    const member = await Member.join(name('delete-records-group'), topic);
    assert.equal((await member.read(4))[0].offset, '6');
    await member.leave();
  },
};

async function main() {
  const only = process.argv.slice(3);
  let failed = 0;
  await admin.connect();
  for (const [title, test] of Object.entries(cases)) {
    if (only.length > 0 && !only.includes(title)) continue;
    const started = Date.now();
    let timer;
    const overdue = new Promise((_, refuse) => {
      timer = setTimeout(() => refuse(new Error(`not done within ${CASE_SECONDS} s`)), CASE_SECONDS * 1000);
    });
    try {
      await Promise.race([test(), overdue]);
      console.log(`ok ${title} ${((Date.now() - started) / 1000).toFixed(2)}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${title} ${`${error}`.replace(/\s+/g, ' ')}`);
      console.error(error);
    } finally {
      clearTimeout(timer);
    }
  }
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
