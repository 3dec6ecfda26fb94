/** Running expressions: closures over columns in linear memory, composed from primitives. */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'

/** The rows an expression is evaluated on. Results are cells by row number; only selected rows' cells are meaningful. */
export interface Frame {
  readonly memory: LinearMemory
  readonly rowCount: number
  readonly columns: readonly Vector[]
  /** u32 row numbers, ascending; 0 = all. */
  readonly selection: Pointer
  readonly count: number
  readonly context: EvaluationContext
  /** Whose rows these are some of; absent: of no other frame. */
  readonly within?: Frame
}

export interface EvaluationContext {
  /** PROCTIME(), CURRENT_TIMESTAMP: µs, one value a batch. */
  nowUs(): bigint
  /** CURRENT_WATERMARK(): µs; undefined before the first. Absent where none passes. */
  watermarkUs?(): bigint | undefined
  /** IANA name: how TIMESTAMP_LTZ shows itself. */
  readonly timeZone: string
  /** 'wrap' is Flink's; 'error' makes an overflowing row fail. */
  readonly overflow: 'wrap' | 'error'
  /**
   * A row that can't be computed (a cast, a division by zero): it goes to $dead. Its cells may hold anything. `always`: so does whatever
   * takes it back, which then need not stop the pipeline.
   */
  fail(row: number, reason: string, always?: boolean): void
  /** Counted and shown: 'overflow', ... */
  count(event: string, rows: number): void
}

export interface CompiledExpression {
  /** 'kernel' only if every primitive beneath is one; `explain` shows it, benchmarks insist on it. */
  readonly mark: 'kernel' | 'js'
  /** The functions that make it 'js'. */
  readonly jsBecause: readonly string[]
  evaluate(frame: Frame): Vector
}

export interface CompiledPredicate {
  readonly mark: 'kernel' | 'js'
  readonly jsBecause: readonly string[]
  /** The rows of the frame where the condition is TRUE (not NULL, not FALSE), as a new selection in the arena. */
  select(frame: Frame): Selected
}

export interface Selected {
  /** Never 0, even if all rows are in, unless the frame's was 0 and all rows passed. */
  readonly selection: Pointer
  readonly count: number
}
