/** How the types of a sink's table are enforced. */
export interface SinkChecks {
  readonly notNull: 'error' | 'drop'
  /** Of CHAR(n), VARCHAR(n), BINARY(n) and VARBINARY(n). */
  readonly length: 'ignore' | 'error' | 'trim-pad'
  /** Whether values in rows, or also those in arrays and maps, are looked at. */
  readonly nested: 'ignore' | 'rows' | 'all'
}
