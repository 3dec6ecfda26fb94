/** SQL that Flink has and Millrace does not run: refused by name, where it stands, with what to write instead. */
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'

/** By construct: what to write instead. */
export const INSTEAD = {
  'WITHIN GROUP': 'supported instead: aggregates without an order',
  'subquery here': 'subqueries stand in FROM, WHERE, HAVING and SELECT: join the table instead',
  'comparison with ANY or ALL':
    'supported instead: = ANY, <> ALL, IN, and a comparison with (SELECT MIN(x) ...) or (SELECT MAX(x) ...)',
  TABLESAMPLE: 'supported instead: WHERE with a condition on a column',
  'SIMILAR TO': 'supported instead: LIKE, and REGEXP(text, pattern)',
  OVERLAPS: "supported instead: comparisons of the two periods' ends",
  COLLATE: 'text is compared by its code points: leave COLLATE out',
  MULTISET: 'supported instead: ARRAY<...> and MAP<...>',
  RAW: 'supported instead: BYTES',
  STRUCTURED: 'supported instead: ROW<...>',
  VARIANT: 'supported instead: STRING with the JSON functions, or ROW<...>',
  'TIMESTAMP WITH TIME ZONE':
    'supported instead: TIMESTAMP_LTZ(3), a moment without a zone of its own',
  'INSERT OVERWRITE': 'supported instead: INSERT INTO',
  'CREATE TABLE AS': 'write CREATE TABLE with its columns, then INSERT INTO it',
  'ORDER BY of a stream':
    'supported instead: ORDER BY with LIMIT (the first rows so far), or by an ascending event time',
  RECURSIVE: 'supported instead: WITH without RECURSIVE',
  'ALTER statement': 'change the CREATE statement in its file: it is read anew each time',
  'CREATE CATALOG': 'leave it out: tables are those of the project',
  'CREATE DATABASE': 'leave it out: tables are those of the project',
  'CREATE MODEL': 'supported instead: CREATE TABLE and CREATE VIEW',
  'CREATE CONNECTION': "write the options in the table's WITH (...)",
  'CREATE MATERIALIZED TABLE': 'write CREATE TABLE and INSERT INTO ... SELECT',
  'DROP statement of this kind': 'supported instead: DROP TABLE and DROP VIEW',
  USE: 'leave it out: tables are those of the project',
  SHOW: 'run `millrace check` to see the tables and pipelines of the project',
  DESCRIBE: 'run `millrace check` to see the tables and pipelines of the project',
  ANALYZE: 'leave it out',
  LOAD: 'leave it out: all functions are built in',
  UNLOAD: 'leave it out: all functions are built in',
  CALL: 'leave it out: there are no procedures',
  ADD: 'leave it out: functions are built in',
  REMOVE: 'leave it out: functions are built in',
  DELETE:
    'supported instead: INSERT INTO; an upsert table removes rows when its query retracts them',
  UPDATE:
    'supported instead: INSERT INTO a table with a PRIMARY KEY, which replaces rows of the same key',
  MERGE:
    'supported instead: INSERT INTO a table with a PRIMARY KEY, which replaces rows of the same key',
  UPSERT: 'supported instead: INSERT INTO a table with a PRIMARY KEY',
  TRUNCATE: "drop the table's files or topic, and start the pipeline with --fresh",
  COMPILE: 'run `millrace explain FILE` to see the plan',
  'EXECUTE PLAN': 'supported instead: EXECUTE STATEMENT SET',
  'column constraint': 'supported instead: PRIMARY KEY (...) NOT ENFORCED and NOT NULL',
  'DISTRIBUTED BY': 'leave it out: rows are distributed by the connector',
  'lambda expression': 'supported instead: functions of columns',
} as const

export type Unsupported = keyof typeof INSTEAD

/** `construct` is named as it is written in SQL. */
export function unsupported(construct: Unsupported, at: Place): SqlError {
  return new SqlError('SQL_UNSUPPORTED', at, {
    message: `${construct} is not supported`,
    hint: INSTEAD[construct],
    facts: { construct },
  })
}
