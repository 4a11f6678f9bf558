from kafka import KafkaConsumer
consumer = KafkaConsumer('test', group_id='test_group', bootstrap_servers='localhost:9092')
for message in consumer:
    print(message.value.decode('utf-8'))
