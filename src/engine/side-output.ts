/**
 * Rows that leave the dataflow sideways: *late* ones, which missed a window that has fired, and *dead* ones, which could not be
 * decoded or computed, or claim a time too far ahead.
 *
 * They are few and of many shapes, so each is one object with the row as JSON; the run layer writes them to `<sink>.late` and
 * `<sink>.dead`, prepared and committed with the sink's own checkpoints.
 */

export interface LateRow {
  /** Id of the node for which it came too late. */
  readonly node: string
  /** The window that it missed, of windowed nodes. */
  readonly windowStartUs?: bigint
  readonly windowEndUs?: bigint
  /** Event time of the row. */
  readonly timeUs: bigint
  /** The combined watermark when the row came. */
  readonly watermarkUs: bigint
  /** JSON of the row as it reached the node. */
  readonly row: string
}

export interface DeadRowOut {
  /** Table it came from, or id of the node that could not compute it. */
  readonly origin: string
  readonly split: string
  readonly position: string
  readonly reason: string
  readonly bytes: Uint8Array
}

/** What a node's operator is given. */
export interface SideOutput {
  late(row: LateRow): void
  dead(row: DeadRowOut): void
}
