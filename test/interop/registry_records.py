"""Records both ways with the registry at argv[1]. argv[2]: hex of records by format that Millrace wrote; prints what Confluent's deserializers read, and records of its serializers in hex."""
import datetime
import decimal
import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

client = SchemaRegistryClient({"url": sys.argv[1]})
given = json.loads(sys.argv[2])
context = SerializationContext("orders", MessageField.VALUE)
out = {}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    return str(value) if isinstance(value, (decimal.Decimal, datetime.date)) else value


out["avroRead"] = [plain(AvroDeserializer(client)(bytes.fromhex(each), context)) for each in given["avro"]]

file = descriptor_pb2.FileDescriptorProto(name="record.proto", syntax="proto3")
message = file.message_type.add(name="Record")
for number, (name, kind) in enumerate([("id", 3), ("city", 9), ("amount", 9)], 1):
    field = message.field.add(name=name, number=number, type=kind, label=1)
    if name != "id":
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
moment = message.field.add(name="moment", number=4, type=11, label=1, type_name=".google.protobuf.Timestamp")
message.field.add(name="tags", number=5, type=9, label=3)
file.dependency.append("google/protobuf/timestamp.proto")
pool = descriptor_pool.Default()
pool.Add(file)
Record = message_factory.GetMessageClass(pool.FindMessageTypeByName("Record"))
options = {"use.deprecated.format": False}
out["protobufRead"] = []
for each in given["protobuf"]:
    read = ProtobufDeserializer(Record, options)(bytes.fromhex(each), context)
    out["protobufRead"].append({"id": read.id, "city": read.city if read.HasField("city") else None,
                                "amount": read.amount if read.HasField("amount") else None,
                                "moment": read.moment.ToMilliseconds() if read.HasField("moment") else None, "tags": list(read.tags)})

any_object = json.dumps({"type": "object"})
out["jsonRead"] = [JSONDeserializer(any_object)(bytes.fromhex(each), context) for each in given["json"]]
schema = json.dumps({"type": "record", "name": "Order", "fields": [
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "id", "type": "long"},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "moment", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "city", "type": {"type": "enum", "name": "City", "symbols": ["oslo", "quito"]}},
]})
at = datetime.datetime(2026, 1, 31, 12, 0, 1, 500000, tzinfo=datetime.timezone.utc)
row = {"note": "x", "id": 9007199254740993, "amount": decimal.Decimal("-12.50"), "moment": at, "tags": ["a", "b"], "city": "quito"}
written = SerializationContext("py", MessageField.VALUE)
out["avroWritten"] = AvroSerializer(client, schema)(row, written).hex()
stamp = timestamp_pb2.Timestamp()
stamp.FromMilliseconds(1769860801500)
record = Record(id=9007199254740993, city="oslo", amount="0.25", moment=stamp, tags=["c"])
written = SerializationContext("pyproto", MessageField.VALUE)
out["protobufWritten"] = ProtobufSerializer(Record, client, options)(record, written).hex()
written = SerializationContext("pyjson", MessageField.VALUE)
out["jsonWritten"] = JSONSerializer(any_object, client)({"id": 5, "city": "lima", "amount": 1.5, "moment": "2026-01-31 12:00:01.5Z", "tags": ["d"]}, written).hex()
print(json.dumps(out))
