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
  'lambda expression':
    'supported instead: UNNEST, or a function of your own over the whole value (CREATE FUNCTION)',
  PIVOT: "supported instead: an aggregate for each column: SUM(x) FILTER (WHERE y = 'a')",
  UNPIVOT:
    'supported instead: UNION ALL of a SELECT for each column, or UNNEST of an ARRAY of them',
  'GROUPS in a frame': 'supported instead: ROWS and RANGE',
  'a list of columns that are left out': 'name the columns that are selected',
  'IGNORE NULLS': 'supported instead: FILTER (WHERE x IS NOT NULL), of an aggregate',
  'SEMI and ANTI JOIN': 'supported instead: WHERE x IN (SELECT ...), EXISTS, NOT EXISTS',
  APPLY: 'supported instead: CROSS JOIN LATERAL, LEFT JOIN LATERAL ... ON TRUE',
  'LATERAL VIEW': 'supported instead: CROSS JOIN UNNEST(x) AS t (y)',
  EMIT: "leave it out: every query tells its changes; windows early or again: SET 'table.exec.emit.early-fire.enabled'",
  RETURNING: 'leave it out: what is written is read from the table',
  'AT TIME ZONE': "supported instead: CONVERT_TZ, TO_TIMESTAMP_LTZ, SET 'table.local-time-zone'",
  'table version': 'supported instead: JOIN ... FOR SYSTEM_TIME AS OF a.ts',
  'operator on bits': 'supported instead: a function of your own (CREATE FUNCTION)',
  DIV: 'supported instead: FLOOR(a / b), or / between whole numbers',
  TOP: 'supported instead: ORDER BY ... LIMIT n, or ROW_NUMBER() OVER (...) <= n',
  'parameter of a query': 'write the value, or make the text of the query in the program that asks',
  'CREATE statement of this kind': 'supported instead: CREATE TABLE, CREATE VIEW, CREATE FUNCTION',
  'transaction statement': 'leave it out: the INSERTs of a script run as one pipeline',
  'rights of users': 'leave it out: whoever can read the project can run it',
  'TABLE as a query': 'supported instead: SELECT * FROM t',
  'ORDER BY in an aggregate':
    'supported instead: ROW_NUMBER() in a query before, or rows as they come',
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

/** Words and signs at which a text can't be gone on with that has such a construct. */
const HERE: Readonly<Record<string, Unsupported>> = {
  '->': 'lambda expression',
  '&': 'operator on bits',
  '|': 'operator on bits',
  '^': 'operator on bits',
  '?': 'parameter of a query',
  ':': 'parameter of a query',
  ANTI: 'SEMI and ANTI JOIN',
  APPLY: 'APPLY',
  AT: 'AT TIME ZONE',
  CHECK: 'column constraint',
  COMMIT: 'transaction statement',
  EMIT: 'EMIT',
  EXCLUDE: 'a list of columns that are left out',
  GRANT: 'rights of users',
  GROUPS: 'GROUPS in a frame',
  IGNORE: 'IGNORE NULLS',
  LATERAL: 'LATERAL VIEW',
  PIVOT: 'PIVOT',
  REFERENCES: 'column constraint',
  RETURNING: 'RETURNING',
  RESPECT: 'IGNORE NULLS',
  REVOKE: 'rights of users',
  ROLLBACK: 'transaction statement',
  SEMI: 'SEMI and ANTI JOIN',
  TABLE: 'TABLE as a query',
  UNPIVOT: 'UNPIVOT',
}

/** Words that were taken for a name, so that what stands behind them can't be gone on with. */
const BEHIND: Readonly<Record<string, Unsupported>> = {
  DIV: 'DIV',
  IGNORE: 'IGNORE NULLS',
  RESPECT: 'IGNORE NULLS',
  RETURNING: 'RETURNING',
  TOP: 'TOP',
  VERSION: 'table version',
}

/** The construct that a text has which can't be gone on with at `text`, which stands behind `before`. */
export function unsupportedAt(text: string, before: string): Unsupported | undefined {
  if (Object.hasOwn(HERE, text)) return HERE[text]
  return Object.hasOwn(BEHIND, before) ? BEHIND[before] : undefined
}
