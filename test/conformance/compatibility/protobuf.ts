/** Protobuf: "Updating A Message Type", and what Confluent documents for its registry. */
import { type Pair, pair } from './pair.ts'

const proto3 = (body: string, head = '') => `syntax = "proto3";\n${head}\n${body}`
const proto2 = (body: string) => `syntax = "proto2";\n${body}`
const message = (fields: string) => proto3(`message M { ${fields} }`)
const field = (type: string, name = 'a') => message(`${type} ${name} = 1;`)

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  varint: ['int32', 'int64', 'uint32', 'uint64', 'bool', 'E'],
  zigzag: ['sint32', 'sint64'],
  text: ['string', 'bytes'],
  four: ['fixed32', 'sfixed32'],
  eight: ['fixed64', 'sfixed64'],
  float: ['float'],
  double: ['double'],
}
const scalars = Object.values(GROUPS).flat()
const groupOf = (type: string) =>
  Object.entries(GROUPS).find(([, types]) => types.includes(type))![0]
const withEnum = (type: string) => proto3(`enum E { ZERO = 0; } message M { ${type} a = 1; }`)

const kinds: Pair[] = scalars.flatMap((old, index) =>
  scalars
    .slice(index + 1)
    .map((next) =>
      pair(
        `${old} and ${next}`,
        withEnum(old),
        withEnum(next),
        groupOf(old) === groupOf(next) ? 'both' : 'none',
        'scalars that are written alike may be exchanged',
      ),
    ),
)

const fields: Pair[] = [
  pair(
    'a field is added',
    field('string'),
    message('string a = 1; int32 b = 2;'),
    'both',
    'unknown fields are skipped',
  ),
  pair(
    'all fields are removed',
    field('string'),
    message(''),
    'both',
    'absent fields have their default',
  ),
  pair(
    'a field is renamed',
    field('string', 'a'),
    field('string', 'z'),
    'both',
    'fields are matched by number',
  ),
  pair(
    'a field gets another number and stays',
    message('string a = 1;'),
    message('string a = 2;'),
    'both',
    'one is removed, one is added',
  ),
  pair(
    'two fields of other kinds change numbers',
    message('string a = 1; int32 b = 2;'),
    message('string a = 2; int32 b = 1;'),
    'none',
    'each number changes its kind',
  ),
  pair(
    'a removed number is reserved',
    message('string a = 1; int32 b = 2;'),
    message('reserved 2; reserved "b"; string a = 1;'),
    'both',
    'reserved numbers are not compared',
  ),
  pair(
    'a reserved number is used',
    message('reserved 2; string a = 1;'),
    message('string a = 1; int32 b = 2;'),
    'both',
    'reserved numbers are not compared',
  ),
  pair(
    'a number within its own reserved range',
    field('string'),
    message('reserved 2 to 4; string a = 1; int32 b = 3;'),
    'none',
    'the new schema is invalid',
  ),
  pair(
    'a number twice',
    field('string'),
    message('string a = 1; int32 b = 1;'),
    'none',
    'the new schema is invalid',
  ),
  pair(
    'a scalar becomes a message',
    field('string'),
    proto3('message M { N a = 1; message N { string b = 1; } }'),
    'none',
    'FIELD_KIND_CHANGED',
  ),
  pair(
    'a string is repeated',
    field('string'),
    field('repeated string'),
    'both',
    'FIELD_STRING_OR_BYTES_LABEL_CHANGED',
  ),
  pair(
    'a number of proto3 is repeated',
    field('int32'),
    field('repeated int32'),
    'none',
    'FIELD_NUMERIC_LABEL_CHANGED: what has no label is singular',
  ),
  pair(
    'optional numbers become repeated',
    proto2('message M { optional int32 a = 1; }'),
    proto2('message M { repeated int32 a = 1; }'),
    'none',
    'FIELD_NUMERIC_LABEL_CHANGED',
  ),
  pair(
    'an optional text becomes repeated',
    proto2('message M { optional string a = 1; }'),
    proto2('message M { repeated string a = 1; }'),
    'both',
    'FIELD_STRING_OR_BYTES_LABEL_CHANGED',
  ),
  pair(
    'a required field is added',
    proto2('message M { optional string a = 1; }'),
    proto2('message M { optional string a = 1; required string b = 2; }'),
    'none',
    'REQUIRED_FIELD_ADDED, and removed the other way',
  ),
  pair(
    'a required field becomes optional',
    proto2('message M { required string a = 1; }'),
    proto2('message M { optional string a = 1; }'),
    'both',
    'FIELD_STRING_OR_BYTES_LABEL_CHANGED',
  ),
  pair(
    'a default is changed',
    proto2('message M { optional int32 a = 1 [default = 1]; }'),
    proto2('message M { optional int32 a = 1 [default = 2]; }'),
    'both',
    'defaults are not written',
  ),
  pair(
    'options are changed',
    field('int32'),
    message('int32 a = 1 [deprecated = true, json_name = "x"];'),
    'both',
    'options are not written',
  ),
  pair(
    'presence is made visible',
    field('string'),
    field('optional string'),
    'both',
    'what is written is the same',
  ),
]

const types: Pair[] = [
  pair(
    'a message is added',
    field('string'),
    proto3('message M { string a = 1; } message N { string b = 1; }'),
    'backward',
    'MESSAGE_REMOVED the other way',
  ),
  pair(
    'a message is renamed',
    field('string'),
    proto3('message N { string a = 1; }'),
    'none',
    'MESSAGE_REMOVED',
  ),
  pair(
    'messages change places',
    proto3('message M { string a = 1; } message N { string b = 1; }'),
    proto3('message N { string b = 1; } message M { string a = 1; }'),
    'both',
    'ids name the schema that the indexes belong to',
  ),
  pair(
    'a nested message is removed',
    proto3('message M { string a = 1; message N { string b = 1; } }'),
    field('string'),
    'forward',
    'MESSAGE_REMOVED',
  ),
  pair(
    'a nested message changes',
    proto3('message M { N a = 1; message N { string b = 1; } }'),
    proto3('message M { N a = 1; message N { int32 b = 1; } }'),
    'none',
    'FIELD_SCALAR_KIND_CHANGED',
  ),
  pair(
    'a field takes another message',
    proto3('message M { A a = 1; } message A { string x = 1; } message B { string x = 1; }'),
    proto3('message M { B a = 1; } message A { string x = 1; } message B { string x = 1; }'),
    'none',
    'FIELD_NAMED_TYPE_CHANGED',
  ),
  pair(
    'a type is written in full',
    proto3('message M { N a = 1; message N { string b = 1; } }', 'package p;'),
    proto3('message M { .p.M.N a = 1; message N { string b = 1; } }', 'package p;'),
    'both',
    'the same type',
  ),
  pair(
    'the package changes',
    proto3('message M { string a = 1; }', 'package p;'),
    proto3('message M { string a = 1; }', 'package q;'),
    'none',
    'PACKAGE_CHANGED',
  ),
  pair(
    'a package is given',
    field('string'),
    proto3('message M { string a = 1; }', 'package p;'),
    'none',
    'PACKAGE_CHANGED',
  ),
  pair(
    'an enum gains a value',
    proto3('enum E { A = 0; } message M { E a = 1; }'),
    proto3('enum E { A = 0; B = 1; } message M { E a = 1; }'),
    'both',
    'enums are open numbers',
  ),
  pair(
    'a value of an enum is renamed',
    proto3('enum E { A = 0; B = 1; } message M { E a = 1; }'),
    proto3('enum E { A = 0; C = 1; } message M { E a = 1; }'),
    'both',
    'values are written as numbers',
  ),
  pair(
    'an enum is removed',
    proto3('enum E { A = 0; } message M { string a = 1; }'),
    field('string'),
    'both',
    'nothing of it is written',
  ),
  pair(
    'an enum takes the place of another',
    proto3('enum E { A = 0; } enum F { B = 0; } message M { E a = 1; }'),
    proto3('enum E { A = 0; } enum F { B = 0; } message M { F a = 1; }'),
    'both',
    'both are numbers',
  ),
  pair(
    'a map gets other values',
    field('map<string, string>'),
    field('map<string, int32>'),
    'none',
    'FIELD_SCALAR_KIND_CHANGED',
  ),
  pair(
    'a map gets other keys',
    field('map<string, string>'),
    field('map<int32, string>'),
    'none',
    'FIELD_SCALAR_KIND_CHANGED',
  ),
  pair(
    'values of a map become wider',
    field('map<string, int32>'),
    field('map<string, int64>'),
    'both',
    'both are varints',
  ),
  pair(
    'a map becomes a text',
    field('map<string, string>'),
    field('string'),
    'none',
    'FIELD_KIND_CHANGED',
  ),
  pair(
    'a message holds itself',
    proto3('message M { M a = 1; }'),
    proto3('message M { M a = 1; string b = 2; }'),
    'both',
    'a recursive type',
  ),
  pair(
    'a service is added',
    field('string'),
    proto3(
      'message M { string a = 1; } service S { rpc Get(M) returns (M) { option deprecated = true; } }',
    ),
    'both',
    'services are not compared',
  ),
  pair(
    'comments and spaces',
    field('string'),
    proto3('/* one */ message M { // two\n string a = 1; }'),
    'both',
    'the same schema',
  ),
  pair(
    'proto2 becomes proto3',
    proto2('message M { optional string a = 1; }'),
    field('string'),
    'both',
    'what is written is the same',
  ),
  pair(
    'a group changes',
    proto2('message M { optional group G = 1 { optional string a = 1; } }'),
    proto2('message M { optional group G = 1 { optional int32 a = 1; } }'),
    'none',
    'FIELD_SCALAR_KIND_CHANGED',
  ),
]

const oneofs: Pair[] = [
  pair(
    'a field moves into a new oneof',
    field('string'),
    message('oneof o { string a = 1; }'),
    'both',
    'ONEOF_ADDED, and ONEOF_FIELD_MOVED_TO_TOP_LEVEL the other way',
  ),
  pair(
    'two fields move into a new oneof',
    message('string a = 1; int32 b = 2;'),
    message('oneof o { string a = 1; int32 b = 2; }'),
    'forward',
    'MULTIPLE_FIELDS_MOVED_TO_ONEOF',
  ),
  pair(
    'a field moves into a oneof that is there',
    message('oneof o { string a = 1; } int32 b = 2;'),
    message('oneof o { string a = 1; int32 b = 2; }'),
    'forward',
    'FIELD_MOVED_TO_EXISTING_ONEOF',
  ),
  pair(
    'a oneof gains a field',
    message('oneof o { string a = 1; }'),
    message('oneof o { string a = 1; int32 b = 2; }'),
    'backward',
    'ONEOF_FIELD_REMOVED the other way',
  ),
  pair(
    'a oneof loses a field',
    message('oneof o { string a = 1; int32 b = 2; }'),
    message('oneof o { string a = 1; }'),
    'forward',
    'ONEOF_FIELD_REMOVED',
  ),
  pair(
    'a oneof is removed with its fields',
    message('string z = 9; oneof o { string a = 1; int32 b = 2; }'),
    message('string z = 9;'),
    'both',
    'a whole oneof may go',
  ),
  pair(
    'a oneof is renamed',
    message('oneof o { string a = 1; int32 b = 2; }'),
    message('oneof p { string a = 1; int32 b = 2; }'),
    'both',
    'its fields still exclude one another',
  ),
  pair(
    'a member changes its kind',
    message('oneof o { string a = 1; int32 b = 2; }'),
    message('oneof o { string a = 1; double b = 2; }'),
    'none',
    'FIELD_SCALAR_KIND_CHANGED',
  ),
  pair(
    'two oneofs become one',
    message('oneof o { string a = 1; } oneof p { string b = 2; }'),
    message('oneof o { string a = 1; string b = 2; }'),
    'forward',
    'FIELD_MOVED_TO_EXISTING_ONEOF',
  ),
]

const money = {
  name: 'money.proto',
  schema: proto3('message Money { int64 units = 1; }', 'package shop;'),
}
const imports: Pair[] = [
  pair(
    'an import stays',
    proto3('import "money.proto"; message M { shop.Money a = 1; }'),
    proto3('import "money.proto"; message M { shop.Money a = 1; string b = 2; }'),
    'both',
    'the same type',
    [money],
  ),
  pair(
    'an imported message becomes a number',
    proto3('import "money.proto"; message M { shop.Money a = 1; }'),
    proto3('message M { int64 a = 1; }'),
    'none',
    'FIELD_KIND_CHANGED',
    [money],
  ),
  pair(
    'a well-known type is taken for another',
    proto3(
      'import "google/protobuf/timestamp.proto"; message M { google.protobuf.Timestamp a = 1; }',
    ),
    proto3(
      'import "google/protobuf/duration.proto"; message M { google.protobuf.Duration a = 1; }',
    ),
    'none',
    'FIELD_NAMED_TYPE_CHANGED',
  ),
]

export const PROTOBUF: readonly Pair[] = [...kinds, ...fields, ...types, ...oneofs, ...imports]
