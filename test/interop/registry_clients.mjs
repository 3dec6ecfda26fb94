// Two JavaScript clients against the registry at argv[2], from the folder argv[3] that they are installed in. Prints one JSON line.
import { createRequire } from 'node:module'

const [, , url, folder] = process.argv
const require = createRequire(`${folder}/package.json`)
const out = {}

const kafkajs = require('@kafkajs/confluent-schema-registry')
const registry = new kafkajs.SchemaRegistry({ host: url }, {})
const avro = JSON.stringify({
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'n', type: 'long' },
  ],
})
const value = { id: '1', n: 2 }
for (const [name, type, schema] of [
  ['avro', kafkajs.SchemaType.AVRO, avro],
  [
    'json',
    kafkajs.SchemaType.JSON,
    JSON.stringify({
      type: 'object',
      properties: { id: { type: 'string' }, n: { type: 'integer' } },
    }),
  ],
  [
    'protobuf',
    kafkajs.SchemaType.PROTOBUF,
    'syntax = "proto3"; package shop; message Order { string id = 1; int32 n = 2; }',
  ],
]) {
  const { id } = await registry.register({ type, schema }, { subject: `js-${name}-value` })
  const fresh = new kafkajs.SchemaRegistry({ host: url }, {})
  const back = await fresh.decode(await registry.encode(id, value))
  out[`kafkajs-${name}`] = back.id === '1' && Number(back.n) === 2
  out[`kafkajs-${name}-latest`] = (await fresh.getLatestSchemaId(`js-${name}-value`)) === id
}
await registry
  .register(
    { type: kafkajs.SchemaType.AVRO, schema: avro.replace('"string"', '"int"') },
    { subject: 'js-avro-value' },
  )
  .catch((error) => {
    out.kafkajsRefused = error.message
  })

const confluent = require('@confluentinc/schemaregistry')
const client = new confluent.SchemaRegistryClient({ baseURLs: [url], cacheCapacity: 100 })
const serde = async (name, Serializer, Deserializer, info, given) => {
  await client.register(`c-${name}-value`, info)
  const serializer = new Serializer(client, confluent.SerdeType.VALUE, { useLatestVersion: true })
  const deserializer = new Deserializer(client, confluent.SerdeType.VALUE, {})
  const bytes = await serializer.serialize(`c-${name}`, given)
  const back = await deserializer.deserialize(`c-${name}`, bytes)
  out[`confluent-${name}`] = back.id === '1' && Number(back.n) === 2
}
await serde(
  'avro',
  confluent.AvroSerializer,
  confluent.AvroDeserializer,
  { schemaType: 'AVRO', schema: avro },
  value,
)
await serde(
  'json',
  confluent.JsonSerializer,
  confluent.JsonDeserializer,
  {
    schemaType: 'JSON',
    schema: JSON.stringify({
      type: 'object',
      properties: { id: { type: 'string' }, n: { type: 'integer' } },
    }),
  },
  value,
)

const protobuf = require('@bufbuild/protobuf')
const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')
const file = protobuf.create(FileDescriptorProtoSchema, {
  name: 'order.proto',
  package: 'shop',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Order',
      field: [
        { name: 'id', number: 1, type: 9, label: 1, jsonName: 'id' },
        { name: 'n', number: 2, type: 5, label: 1, jsonName: 'n' },
      ],
    },
  ],
})
const types = protobuf.createFileRegistry(
  protobuf.create(FileDescriptorSetSchema, { file: [file] }),
)
const Order = types.getMessage('shop.Order')
const messages = protobuf.createMutableRegistry(Order)
const serializer = new confluent.ProtobufSerializer(client, confluent.SerdeType.VALUE, {
  autoRegisterSchemas: true,
})
serializer.registry.add(Order)
void messages
const bytes = await serializer.serialize('c-protobuf', protobuf.create(Order, value))
const deserializer = new confluent.ProtobufDeserializer(client, confluent.SerdeType.VALUE, {})
const back = await deserializer.deserialize('c-protobuf', bytes)
out['confluent-protobuf'] = back.id === '1' && Number(back.n) === 2
out.compatible = await client.testSubjectCompatibility('c-avro-value', {
  schemaType: 'AVRO',
  schema: avro,
})
await client
  .register('c-avro-value', { schemaType: 'AVRO', schema: avro.replace('"string"', '"int"') })
  .catch((error) => {
    out.confluentRefused = `${error.status ?? error.statusCode ?? ''} ${error.message}`
  })
console.log(JSON.stringify(out))
