"""librdkafka as a peer: one request as JSON on standard input, one answer on standard output."""
import json
import sys

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

request = json.load(sys.stdin)
servers = {'bootstrap.servers': request['servers']}


def encoded(text):
    return None if text is None else text.encode()


def decoded(value):
    return None if value is None else value.decode('utf-8', 'surrogateescape')


def produce():
    producer = Producer({**servers, **request.get('config', {})})
    transactions = request.get('transactions')
    records = request['records']
    failures = []

    def send(some):
        for record in some:
            more = {}
            if record.get('partition') is not None:
                more['partition'] = record['partition']
            if record.get('timestampMs') is not None:
                more['timestamp'] = record['timestampMs']
            if record.get('headers') is not None:
                more['headers'] = [(k, encoded(v)) for k, v in record['headers']]
            while True:
                try:
                    producer.produce(
                        request['topic'],
                        value=encoded(record['value']),
                        key=encoded(record.get('key')),
                        on_delivery=lambda error, _: failures.append(str(error)) if error else None,
                        **more,
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)

    if transactions is None:
        send(records)
        producer.flush()
    else:
        producer.init_transactions(30)
        at = 0
        for each in transactions:
            producer.begin_transaction()
            send(records[at : at + each['count']])
            at += each['count']
            producer.flush()
            (producer.commit_transaction if each['commit'] else producer.abort_transaction)(30)
    if failures:
        raise RuntimeError(failures[0])
    return len(records)


def consume():
    consumer = Consumer(
        {
            **servers,
            'group.id': 'peer',
            'isolation.level': request['isolation'],
            'enable.partition.eof': True,
            'enable.auto.commit': False,
            'auto.offset.reset': 'earliest',
        }
    )
    topic = request['topic']
    partitions = consumer.list_topics(topic, 30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    left = set(partitions)
    found = []
    while left:
        message = consumer.poll(10)
        if message is None:
            break
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
                continue
            raise RuntimeError(str(message.error()))
        found.append(
            {
                'partition': message.partition(),
                'offset': message.offset(),
                'key': decoded(message.key()),
                'value': decoded(message.value()),
                'timestampMs': message.timestamp()[1],
                'headers': [[k, decoded(v)] for k, v in message.headers() or []],
            }
        )
    consumer.close()
    found.sort(key=lambda each: (each['partition'], each['offset']))
    return found


json.dump({'produce': produce, 'consume': consume}[request['act']](), sys.stdout)
