/**
 * Every error a user can meet, in one table, and the class that carries it.
 *
 * A code is API: documented, matched on, never renamed. `fault` says who must act; `retry` is obeyed
 * by the engine alone: 'backoff' errors are tried again under the restart policy, others stop at once.
 */
export const ERRORS = {
  AGGREGATE_OVERFLOW: { fault: 'data', retry: 'never' },
  AGGREGATE_UNSUPPORTED: { fault: 'query', retry: 'never' },
  ANSWER_LATE: { fault: 'usage', retry: 'never' },
  ASKING_CLOSED: { fault: 'usage', retry: 'never' },
  ASKS_TOO_MANY: { fault: 'outside', retry: 'backoff' },
  CHANGELOG_REFUSED: { fault: 'query', retry: 'never' },
  COLUMNS_MISMATCH: { fault: 'usage', retry: 'never' },
  COMMIT_LOST: { fault: 'outside', retry: 'backoff' },
  COMMIT_REFUSED: { fault: 'sink', retry: 'never' },
  CONFIG_INVALID: { fault: 'usage', retry: 'never' },
  CHECKPOINT_CORRUPT: { fault: 'data', retry: 'never' },
  CHECKPOINT_FAILED: { fault: 'outside', retry: 'backoff' },
  CHECKPOINT_MISMATCH: { fault: 'usage', retry: 'never' },
  CONNECTOR_CANNOT_READ: { fault: 'query', retry: 'never' },
  CONNECTOR_CANNOT_WRITE: { fault: 'query', retry: 'never' },
  CONNECTOR_UNKNOWN: { fault: 'query', retry: 'never' },
  CONTROL_INVALID: { fault: 'usage', retry: 'never' },
  COUNT_BELOW_ZERO: { fault: 'source', retry: 'never' },
  DELTA_FEATURE_UNSUPPORTED: { fault: 'outside', retry: 'never' },
  DELTA_LOG_CORRUPT: { fault: 'data', retry: 'never' },
  DELTA_OPTION_INVALID: { fault: 'usage', retry: 'never' },
  DELTA_SCHEMA_MISMATCH: { fault: 'sink', retry: 'never' },
  DELTA_TABLE_MISSING: { fault: 'usage', retry: 'never' },
  DELTA_TYPE_UNSUPPORTED: { fault: 'query', retry: 'never' },
  DELTA_VERSION_MISSING: { fault: 'usage', retry: 'never' },
  DURATION_INVALID: { fault: 'usage', retry: 'never' },
  EVENT_TIME_MISSING: { fault: 'usage', retry: 'never' },
  FILE_MISSING: { fault: 'usage', retry: 'never' },
  FILE_UNREADABLE: { fault: 'usage', retry: 'never' },
  FORMAT_TYPE_UNSUPPORTED: { fault: 'query', retry: 'never' },
  FUNCTION_FAILED: { fault: 'query', retry: 'never' },
  FUNCTION_NAME_INVALID: { fault: 'usage', retry: 'never' },
  FUNCTION_UNREADABLE: { fault: 'usage', retry: 'never' },
  HTTP_ADDRESS_INVALID: { fault: 'usage', retry: 'never' },
  HTTP_BODY_INVALID: { fault: 'data', retry: 'never' },
  HTTP_LISTEN_FAILED: { fault: 'outside', retry: 'never' },
  HTTP_UNPROTECTED: { fault: 'usage', retry: 'never' },
  HTTP_OPTION_INVALID: { fault: 'query', retry: 'never' },
  HTTP_REQUEST_INVALID: { fault: 'usage', retry: 'never' },
  INVARIANT_BROKEN: { fault: 'millrace', retry: 'never' },
  JSON_KEY_NULL: { fault: 'data', retry: 'never' },
  JSON_TYPE_UNSUPPORTED: { fault: 'query', retry: 'never' },
  KAFKA_AUTHENTICATION_FAILED: { fault: 'usage', retry: 'never' },
  KAFKA_BATCH_CORRUPT: { fault: 'source', retry: 'never' },
  KAFKA_DENIED: { fault: 'usage', retry: 'never' },
  KAFKA_OFFSET_OUT_OF_RANGE: { fault: 'source', retry: 'never' },
  KAFKA_OPTION_INVALID: { fault: 'query', retry: 'never' },
  KAFKA_PARTITIONS_ADDED: { fault: 'source', retry: 'backoff' },
  KAFKA_RECORD_TOO_LARGE: { fault: 'data', retry: 'never' },
  KAFKA_REQUEST_FAILED: { fault: 'outside', retry: 'never' },
  KAFKA_TOPIC_MISSING: { fault: 'usage', retry: 'never' },
  KAFKA_TOPIC_RECREATED: { fault: 'source', retry: 'never' },
  KAFKA_TRANSACTION_LOST: { fault: 'outside', retry: 'backoff' },
  KAFKA_UNREACHABLE: { fault: 'outside', retry: 'backoff' },
  LINE_TOO_LONG: { fault: 'data', retry: 'never' },
  LOG_COMPRESSION_UNSUPPORTED: { fault: 'source', retry: 'never' },
  LOG_CORRUPT: { fault: 'source', retry: 'never' },
  LOG_FSYNC_FAILED: { fault: 'outside', retry: 'never' },
  LOG_KEY_MISSING: { fault: 'data', retry: 'never' },
  LOG_OFFSET_OUT_OF_RANGE: { fault: 'source', retry: 'never' },
  LOG_OPTION_INVALID: { fault: 'query', retry: 'never' },
  LOG_PRODUCER_FENCED: { fault: 'usage', retry: 'never' },
  LOG_RECORD_TOO_LARGE: { fault: 'data', retry: 'never' },
  LOG_SEQUENCE_GAP: { fault: 'usage', retry: 'never' },
  LOG_TOPIC_EXISTS: { fault: 'usage', retry: 'never' },
  LOG_TOPIC_INVALID: { fault: 'usage', retry: 'never' },
  LOG_TOPIC_MISSING: { fault: 'usage', retry: 'never' },
  LOG_WRITE_FAILED: { fault: 'outside', retry: 'backoff' },
  LOOKUP_FAILED: { fault: 'outside', retry: 'backoff' },
  LOOKUP_REFUSED: { fault: 'outside', retry: 'never' },
  MATCH_SKIP_IMPOSSIBLE: { fault: 'query', retry: 'never' },
  MEMORY_EXHAUSTED: { fault: 'outside', retry: 'never' },
  OPTION_INVALID: { fault: 'usage', retry: 'never' },
  OUTBOX_CORRUPT: { fault: 'outside', retry: 'never' },
  OUTPUT_STALE: { fault: 'usage', retry: 'never' },
  OWNER_EXISTS: { fault: 'usage', retry: 'never' },
  OWNER_FENCED: { fault: 'outside', retry: 'never' },
  OWNER_MISSING: { fault: 'usage', retry: 'never' },
  OWNER_NOT_SERVING: { fault: 'usage', retry: 'never' },
  NEEDS_INVALID: { fault: 'usage', retry: 'never' },
  NULL_REFUSED: { fault: 'data', retry: 'never' },
  PARQUET_INVALID: { fault: 'data', retry: 'never' },
  PARQUET_TYPE_UNSUPPORTED: { fault: 'query', retry: 'never' },
  PIPELINE_EMPTY: { fault: 'usage', retry: 'never' },
  PIPELINE_ENDED: { fault: 'usage', retry: 'never' },
  PIPELINE_EXISTS: { fault: 'usage', retry: 'never' },
  PIPELINE_NOT_RUNNING: { fault: 'usage', retry: 'never' },
  PIPELINE_UNKNOWN: { fault: 'usage', retry: 'never' },
  PRICES_INVALID: { fault: 'usage', retry: 'never' },
  PROJECT_EXISTS: { fault: 'usage', retry: 'never' },
  PROJECT_MISSING: { fault: 'usage', retry: 'never' },
  REGISTRY_DENIED: { fault: 'outside', retry: 'never' },
  REGISTRY_REFUSED: { fault: 'usage', retry: 'never' },
  REGISTRY_UNREACHABLE: { fault: 'outside', retry: 'backoff' },
  RESTORE_BEHIND: { fault: 'usage', retry: 'never' },
  ROW_UPDATING_FAILED: { fault: 'data', retry: 'never' },
  SCHEMA_ID_UNKNOWN: { fault: 'source', retry: 'never' },
  SCHEMA_INCOMPATIBLE: { fault: 'usage', retry: 'never' },
  SCHEMA_INVALID: { fault: 'usage', retry: 'never' },
  SCHEMA_MISSING: { fault: 'usage', retry: 'never' },
  SECRET_MISSING: { fault: 'usage', retry: 'never' },
  SETTING_INVALID: { fault: 'query', retry: 'never' },
  SINK_VALUE_REFUSED: { fault: 'data', retry: 'never' },
  SOURCE_REPLACED: { fault: 'source', retry: 'never' },
  SPILL_FAILED: { fault: 'outside', retry: 'backoff' },
  SQL_AGGREGATE_MISPLACED: { fault: 'query', retry: 'never' },
  SQL_COLUMN_AMBIGUOUS: { fault: 'query', retry: 'never' },
  SQL_COLUMN_UNGROUPED: { fault: 'query', retry: 'never' },
  SQL_COLUMN_UNKNOWN: { fault: 'query', retry: 'never' },
  SQL_CONNECTOR_UNKNOWN: { fault: 'query', retry: 'never' },
  SQL_FUNCTION_UNKNOWN: { fault: 'query', retry: 'never' },
  SQL_INSERT_MISMATCH: { fault: 'query', retry: 'never' },
  SQL_JOIN_INVALID: { fault: 'query', retry: 'never' },
  SQL_NAME_TAKEN: { fault: 'query', retry: 'never' },
  SQL_OPTION_INVALID: { fault: 'query', retry: 'never' },
  SQL_SYNTAX: { fault: 'query', retry: 'never' },
  SQL_TABLE_UNKNOWN: { fault: 'query', retry: 'never' },
  SQL_TYPE_MISMATCH: { fault: 'query', retry: 'never' },
  SQL_UNSUPPORTED: { fault: 'query', retry: 'never' },
  SQL_WATERMARK_INVALID: { fault: 'query', retry: 'never' },
  SQL_WINDOW_INVALID: { fault: 'query', retry: 'never' },
  STORE_BUCKET_MISSING: { fault: 'usage', retry: 'never' },
  STORE_DENIED: { fault: 'outside', retry: 'never' },
  STORE_FAILED: { fault: 'outside', retry: 'backoff' },
  STORE_FULL: { fault: 'outside', retry: 'backoff' },
  STORE_UNREACHABLE: { fault: 'outside', retry: 'backoff' },
  STORE_UNSUPPORTED: { fault: 'usage', retry: 'never' },
  TABLE_DEFINED_TWICE: { fault: 'usage', retry: 'never' },
  TEST_INVALID: { fault: 'usage', retry: 'never' },
  TYPE_UNKNOWN: { fault: 'query', retry: 'never' },
  USAGE_INVALID: { fault: 'usage', retry: 'never' },
  VALUE_REFUSED: { fault: 'data', retry: 'never' },
  VALUE_UNSAFE: { fault: 'usage', retry: 'never' },
  VARINT_UNENDED: { fault: 'data', retry: 'never' },
  VIEW_FOLLOWER_SLOW: { fault: 'usage', retry: 'never' },
  VIEW_NOT_READY: { fault: 'outside', retry: 'backoff' },
  WATERMARK_UNFOUNDED: { fault: 'usage', retry: 'never' },
} as const satisfies Record<string, ErrorTrait>

export interface ErrorTrait {
  readonly fault: 'query' | 'data' | 'source' | 'sink' | 'outside' | 'usage' | 'millrace'
  readonly retry: 'never' | 'backoff'
}

export type ErrorCode = keyof typeof ERRORS
export type Facts = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>

export interface Told {
  readonly message: string
  readonly hint: string
  readonly facts?: Facts
  readonly cause?: unknown
}

/** `message` says what happened to which thing, `hint` what to do, `facts` every value it names. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly hint: string
  readonly facts: Facts

  constructor(code: ErrorCode, { message, hint, facts, cause }: Told) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.facts = facts ?? {}
  }

  get retryable(): boolean {
    const trait: ErrorTrait = ERRORS[this.code]
    return trait.retry === 'backoff'
  }
}

/** A mistake of Millrace's own: never the user's. Checked on both sides of a boundary. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (condition) return
  throw new MillraceError('INVARIANT_BROKEN', {
    message: `invariant broken: ${message}`,
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
  })
}

/** Closes a switch over a union: a new kind does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new MillraceError('INVARIANT_BROKEN', {
    message: `unreachable: ${JSON.stringify(value)}`,
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
  })
}
