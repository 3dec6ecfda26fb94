/** Functions of other dialects, and what they are here. */

const INSTEAD: Readonly<Record<string, string>> = {
  ANY_VALUE: 'write FIRST_VALUE(x), MIN(x) or MAX(x)',
  APPROX_COUNT_DISTINCT: 'write COUNT(DISTINCT x), which is exact',
  APPROX_PERCENTILE: 'declare an aggregate of your own: CREATE FUNCTION',
  COLLECT: 'write ARRAY_AGG(x)',
  COLLECT_LIST: 'write ARRAY_AGG(x)',
  COLLECT_SET: 'write ARRAY_AGG(DISTINCT x)',
  CORR: 'declare an aggregate of your own: CREATE FUNCTION',
  CUME_DIST:
    'how many rows there will be is not known of a stream: RANK() OVER (...), or aggregate by windows',
  DATEADD: "write x + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, x)",
  DATEDIFF: 'write TIMESTAMPDIFF(DAY, a, b)',
  DATE_ADD: "write x + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, x)",
  DATE_DIFF: 'write TIMESTAMPDIFF(DAY, a, b)',
  DATE_SUB: "write x - INTERVAL '1' DAY",
  DATE_TRUNC: 'write FLOOR(x TO DAY)',
  FILTER:
    'lambdas are not supported: CROSS JOIN UNNEST(x) AS t (y) and WHERE, or a function of your own',
  GETDATE: 'write CURRENT_TIMESTAMP',
  GROUP_CONCAT: "write LISTAGG(x, ',')",
  IIF: 'write IF(condition, a, b)',
  ISNULL: 'write x IS NULL, or COALESCE(x, y)',
  LEN: 'write CHAR_LENGTH(x)',
  LENGTH: 'write CHAR_LENGTH(x)',
  MEDIAN: 'declare an aggregate of your own: CREATE FUNCTION',
  NAMED_STRUCT: 'write CAST(ROW(a, b) AS ROW<x INT, y STRING>)',
  NTH_VALUE: 'number the rows: ROW_NUMBER() OVER (...) AS n in a subquery, and WHERE n = 2',
  NTILE:
    'how many rows there will be is not known of a stream: RANK() OVER (...), or aggregate by windows',
  NVL: 'write COALESCE(x, y)',
  PERCENTILE: 'declare an aggregate of your own: CREATE FUNCTION',
  PERCENT_RANK:
    'how many rows there will be is not known of a stream: RANK() OVER (...), or aggregate by windows',
  REDUCE: 'lambdas are not supported: UNNEST and an aggregate, or a function of your own',
  STRING_AGG: "write LISTAGG(x, ',')",
  STRUCT: 'write ROW(a, b)',
  TO_CHAR: "write DATE_FORMAT(x, 'yyyy-MM-dd'), or CAST(x AS STRING)",
  TO_JSON: "write JSON_OBJECT('name' VALUE x), or JSON_STRING(x)",
  TRANSFORM: 'lambdas are not supported: CROSS JOIN UNNEST(x) AS t (y), or a function of your own',
}

/** What to write for a function that is known elsewhere. */
export function insteadOf(name: string): string | undefined {
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined
}
