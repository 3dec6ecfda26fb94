"""Confluent's Python serializers against the registry at argv[1]: Avro, JSON Schema and Protobuf, written and read back. Prints one JSON line."""
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

url = sys.argv[1]
client = SchemaRegistryClient({"url": url})
out = {}

avro = json.dumps({"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "string"},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
]})
import datetime
import decimal
row = {"id": "1", "amount": decimal.Decimal("12.50"), "at": datetime.datetime(2026, 1, 31, 12, 0, 1, tzinfo=datetime.timezone.utc)}
context = SerializationContext("py-avro", MessageField.VALUE)
data = AvroSerializer(client, avro)(row, context)
out["avro"] = AvroDeserializer(client)(data, context) == row
out["avroBytes"] = data.hex()

schema = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
                     "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}, "required": ["id"]})
context = SerializationContext("py-json", MessageField.VALUE)
value = {"id": "1", "n": 2}
data = JSONSerializer(schema, client)(value, context)
out["json"] = JSONDeserializer(schema)(data, context) == value
try:
    JSONSerializer(schema, client)({"n": "two"}, context)
    out["jsonRefused"] = False
except Exception:
    out["jsonRefused"] = True

file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
message = file.message_type.add(name="Order")
message.field.add(name="id", number=1, type=9, label=1)
message.field.add(name="n", number=2, type=5, label=1)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Order = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))
context = SerializationContext("py-proto", MessageField.VALUE)
order = Order(id="1", n=2)
data = ProtobufSerializer(Order, client, {"use.deprecated.format": False})(order, context)
back = ProtobufDeserializer(Order, {"use.deprecated.format": False})(data, context)
out["protobuf"] = back.id == "1" and back.n == 2

try:
    client.register_schema("py-avro-value", Schema(avro.replace('"string"', '"int"'), "AVRO"))
    out["refused"] = None
except Exception as error:
    out["refused"] = [error.http_status_code, error.error_code]
out["compatible"] = client.test_compatibility("py-avro-value", Schema(avro, "AVRO"))
out["subjects"] = client.get_subjects()
out["latest"] = client.get_latest_version("py-avro-value").version
print(json.dumps(out, default=str))
